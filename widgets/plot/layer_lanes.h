#pragma once

#include <QObject>
#include <QStringList>
#include <QVector>
#include <QWidget>

#include <limits>
#include <vector>

#include "widgets/theme/theme.h"

namespace espalier::widgets {

/// The layers of one model along x, shared by all lanes of a page with the hovered and the chosen one. GUI thread.
class LayerColumns : public QObject {
    Q_OBJECT
public:
    struct Layer {
        QString name;   ///< whole
        QString block;  ///< layers of one block stand together under this word
    };
    explicit LayerColumns(QObject* parent = nullptr) : QObject(parent) {}
    void setLayers(QVector<Layer> layers);
    const QVector<Layer>& layers() const { return m_layers; }
    int count() const { return static_cast<int>(m_layers.size()); }
    int hovered() const { return m_hovered; }
    int selected() const { return m_selected; }
    void setHovered(int layer);
    void select(int layer);

    /// Left edge and width of a column in an area this wide, and the column there (−1 between blocks).
    QRectF column(int layer, double left, double width) const;
    int columnAt(double x, double left, double width) const;

Q_SIGNALS:
    void layersChanged();
    void hoveredChanged(int layer);
    void selectedChanged(int layer);

private:
    void measure(double width, double* column, double* gap) const;
    QVector<Layer> m_layers;
    QVector<int> m_blocks;  ///< ordinal of each layer's block
    int m_hovered = -1, m_selected = -1;
};

/// One lane: a strip over the layers with the same margins as its neighbours; marks hovered and chosen column, moves
/// them by mouse and keys. Draws nothing of its own. GUI thread.
class Lane : public QWidget {
    Q_OBJECT
public:
    Lane(LayerColumns* columns, QWidget* parent);
    void setBlockNamesVisible(bool isVisible);
    QRectF laneArea() const;
    QRectF columnRect(int layer) const;
    LayerColumns* columns() const { return m_columns; }

protected:
    virtual QString toolTipFor(int layer, const QPointF& position) const = 0;
    void paintGround(QPainter& painter, bool hasBlockLines) const;  ///< column tints, block lines and names
    void mousePressEvent(QMouseEvent*) override;
    void mouseMoveEvent(QMouseEvent*) override;
    void leaveEvent(QEvent*) override;
    void keyPressEvent(QKeyEvent*) override;
    bool event(QEvent*) override;

private:
    LayerColumns* m_columns;
    bool m_hasBlockNames = false;
};

/// Layers × options, coloured by what each option costs the layer; the options of the chosen point are outlined.
class SensitivityMap : public Lane {
    Q_OBJECT
public:
    SensitivityMap(LayerColumns* columns, QWidget* parent = nullptr);
    /// values[option][layer]; NaN = not measured. `isSigned`: zero is the middle of the colours (loss differences),
    /// else a logarithmic scale of relative errors.
    void setCells(QStringList options, std::vector<std::vector<double>> values, bool isSigned, const QString& valueName);
    void setChosen(QVector<int> optionOfLayer);  ///< −1 = none
    double low() const { return m_low; }
    double high() const { return m_high; }
    bool isSigned() const { return m_isSigned; }
    QColor colorOf(double value) const;
    QRectF cellRect(int option, int layer) const;
    QSize sizeHint() const override;
    QSize minimumSizeHint() const override { return {200, 40}; }

Q_SIGNALS:
    void cellPicked(int option, int layer);

protected:
    void paintEvent(QPaintEvent*) override;
    void mousePressEvent(QMouseEvent*) override;
    QString toolTipFor(int layer, const QPointF& position) const override;

private:
    int optionAt(double y) const;
    QStringList m_options;
    std::vector<std::vector<double>> m_values;
    QVector<int> m_chosen;
    QString m_valueName;
    double m_low = 1e-6, m_high = 1;
    bool m_isSigned = false;
};

/// Bytes a layer takes in the chosen point as a bar, its bits above and in colour.
class AllocationStrip : public Lane {
    Q_OBJECT
public:
    struct Bar {
        double bytes = 0, bits = 0;
    };
    AllocationStrip(LayerColumns* columns, QWidget* parent = nullptr);
    void setBars(QVector<Bar> bars);
    const QVector<Bar>& bars() const { return m_bars; }
    QSize sizeHint() const override { return {400, 84}; }
    QSize minimumSizeHint() const override { return {200, 56}; }

protected:
    void paintEvent(QPaintEvent*) override;
    QString toolTipFor(int layer, const QPointF& position) const override;

private:
    QVector<Bar> m_bars;
};

/// Output error of every layer before and after calibration, one bar a method, on a log axis.
class CalibrationBars : public Lane {
    Q_OBJECT
public:
    struct Row {
        QString label;
        QColor color;  ///< invalid: neutral (before calibration)
        std::vector<double> values;  ///< by layer; NaN = none
    };
    CalibrationBars(LayerColumns* columns, QWidget* parent = nullptr);
    void setRows(std::vector<Row> rows);
    const std::vector<Row>& rows() const { return m_rows; }
    QSize sizeHint() const override { return {400, 124}; }
    QSize minimumSizeHint() const override { return {200, 72}; }

protected:
    void paintEvent(QPaintEvent*) override;
    QString toolTipFor(int layer, const QPointF& position) const override;

private:
    std::vector<Row> m_rows;
    double m_low = 1e-4, m_high = 1;
};

/// Warm half of the signed map: low errors pale, high ones dark, for magnitudes beside losses.
QColor errorColor(double position);

}  // namespace espalier::widgets
