#pragma once

#include <QObject>
#include <QPointer>
#include <QStringList>
#include <QVector>
#include <QWidget>

#include <limits>
#include <vector>

#include "widgets/plot/readout_box.h"
#include "widgets/theme/theme.h"

class QMenu;

namespace espalier::widgets {

/// The layers of one model along x, shared by all lanes of a page with the hovered and the chosen one and with the part
/// of them that is zoomed to. GUI thread.
class LayerColumns : public QObject {
    Q_OBJECT
public:
    struct Layer {
        QString name;   ///< as the model has it: in files
        QString block;  ///< layers of one block stand together under this word
        QString title = {};  ///< as a person reads it: "block 4, mlp_in"; empty: the name
    };
    explicit LayerColumns(QObject* parent = nullptr) : QObject(parent) {}
    void setLayers(QVector<Layer> layers);
    const QVector<Layer>& layers() const { return m_layers; }
    int count() const { return static_cast<int>(m_layers.size()); }
    int hovered() const { return m_hovered; }
    int selected() const { return m_selected; }
    void setHovered(int layer);
    void select(int layer);

    /// The layers shown; a zoom takes whole layers.
    int first() const { return m_first; }
    int last() const { return m_last; }
    bool isShown(int layer) const { return layer >= m_first && layer <= m_last; }
    bool isZoomed() const { return count() > 0 && (m_first > 0 || m_last < count() - 1); }
    bool canGoBack() const { return !m_history.isEmpty(); }
    void zoomTo(int first, int last);
    void zoomBack();
    void zoomReset() { zoomTo(0, count() - 1); }

    /// The page's box for values of the hovered column.
    void setReadout(ReadoutBox* box) { m_readout = box; }
    ReadoutBox* readout() const { return m_readout; }

    /// Where more than 200 layers are shown, the layers of a block share one column.
    bool isFolded() const { return m_isFolded; }
    /// The layers that share the column of this one, itself included.
    struct Span {
        int first = -1, last = -1;
        int count() const { return last - first + 1; }
    };
    Span spanOf(int layer) const;
    std::vector<Span> spans() const;  ///< one a column, left to right
    /// "block 4, mlp_in", or "block 4, 12 layers" of a folded column.
    QString titleOf(int layer) const;
    /// Chooses the column at the right (+1) or left (−1); shows the layers further on by a share of those shown.
    void step(int by);
    void scroll(double share);

    /// Left edge and width of a column in an area this wide, and the column there (−1 between blocks).
    QRectF column(int layer, double left, double width) const;
    int columnAt(double x, double left, double width) const;

Q_SIGNALS:
    void layersChanged();
    void rangeChanged();
    void hoveredChanged(int layer);
    void selectedChanged(int layer);

private:
    void measure(double width, double* column, double* gap) const;
    int blocksShown() const { return m_last < m_first ? 1 : m_blocks[m_last] - m_blocks[m_first] + 1; }
    QVector<Layer> m_layers;
    void setRange(int first, int last);
    QVector<int> m_blocks;  ///< ordinal of each layer's block
    QVector<std::pair<int, int>> m_history;
    QPointer<ReadoutBox> m_readout;
    int m_hovered = -1, m_selected = -1, m_first = 0, m_last = -1;
    bool m_isFolded = false;
};

/// One lane: a strip over the layers with the same margins as its neighbours; marks hovered and chosen column, moves
/// them by mouse and keys, zooms by drag, shows values at the cursor. Draws nothing of its own. GUI thread.
class Lane : public QWidget {
    Q_OBJECT
public:
    Lane(LayerColumns* columns, QWidget* parent);
    void setBlockNamesVisible(bool isVisible);
    QRectF laneArea() const;
    QRectF columnRect(int layer) const;
    LayerColumns* columns() const { return m_columns; }

    bool isLogY() const { return m_isLogY; }
    void setLogY(bool isLog);
    virtual bool canLogY() const { return false; }
    /// Values of one layer, one row a series.
    virtual ReadoutBox::Content readoutOf(int layer) const = 0;
    /// "layer,series,value" lines at full precision.
    virtual QString csvRows() const = 0;
    /// Itself into a rectangle of any size, for figures.
    void renderTo(QPainter& painter);
    void fillMenu(QMenu& menu);

Q_SIGNALS:
    void exportRequested();

protected:
    virtual void paintLane(QPainter& painter) const = 0;
    void paintGround(QPainter& painter, bool hasBlockLines) const;  ///< column tints, block lines and names
    bool isPainting() const { return m_isOnPaper; }                  ///< true while a figure is made
    ReadoutBox::Content emptyReadout(int layer) const;
    void paintEvent(QPaintEvent*) override;
    void mousePressEvent(QMouseEvent*) override;
    void mouseMoveEvent(QMouseEvent*) override;
    void mouseReleaseEvent(QMouseEvent*) override;
    void mouseDoubleClickEvent(QMouseEvent*) override;
    void wheelEvent(QWheelEvent*) override;
    void leaveEvent(QEvent*) override;
    void keyPressEvent(QKeyEvent*) override;
    void contextMenuEvent(QContextMenuEvent*) override {}
    int layerAt(const QPointF& position) const;

private:
    void zoomAround(int layer, double factor);
    void showMenu(const QPoint& globalPosition);
    LayerColumns* m_columns;
    int m_pressed = -1;   ///< layer where a drag began
    QRect m_band;
    QPoint m_pressedAt;
    bool m_hasBlockNames = false, m_isLogY = false, m_isOnPaper = false, m_wasZoomReset = false;
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

    ReadoutBox::Content readoutOf(int layer) const override;
    QString csvRows() const override;

Q_SIGNALS:
    void cellPicked(int option, int layer);

protected:
    void paintLane(QPainter& painter) const override;
    void mousePressEvent(QMouseEvent*) override;

private:
    int optionAt(double y) const;
    int chosenOf(const LayerColumns::Span& span) const;
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

    bool canLogY() const override { return true; }
    ReadoutBox::Content readoutOf(int layer) const override;
    QString csvRows() const override;

protected:
    void paintLane(QPainter& painter) const override;

private:
    QVector<Bar> m_bars;
};

/// Output error of every layer before and after calibration, one bar a method; log axis unless asked otherwise.
class CalibrationBars : public Lane {
    Q_OBJECT
public:
    struct Row {
        QString label;
        QString method;  ///< for its colour; empty: neutral (before calibration)
        std::vector<double> values;  ///< by layer; NaN = none
    };
    CalibrationBars(LayerColumns* columns, QWidget* parent = nullptr);
    void setRows(std::vector<Row> rows);
    const std::vector<Row>& rows() const { return m_rows; }
    QSize sizeHint() const override { return {400, 124}; }
    QSize minimumSizeHint() const override { return {200, 72}; }

    bool canLogY() const override { return true; }
    ReadoutBox::Content readoutOf(int layer) const override;
    QString csvRows() const override;

protected:
    void paintLane(QPainter& painter) const override;

private:
    std::vector<Row> m_rows;
    double m_low = 1e-4, m_high = 1;
};

/// Warm half of the signed map: low errors pale, high ones dark, for magnitudes beside losses.
QColor errorColor(double position);

}  // namespace espalier::widgets
