#pragma once

#include <QElapsedTimer>
#include <QTimer>
#include <QVector>
#include <QWidget>

#include <array>
#include <cstdint>

#include "widgets/theme/theme.h"

namespace espalier::widgets {

/// Progress, 6 px: filled part in accent (or amber while paused), or moving hatch when the total is unknown.
class ProgressBar : public QWidget {
    Q_OBJECT
public:
    explicit ProgressBar(QWidget* parent = nullptr);
    void setFraction(double fraction);  ///< 0…1; negative = unknown, shows the hatch
    double fraction() const { return m_fraction; }
    void setRole(Color role);
    QSize sizeHint() const override;
    QSize minimumSizeHint() const override;

protected:
    void paintEvent(QPaintEvent*) override;
    void showEvent(QShowEvent*) override;
    void hideEvent(QHideEvent*) override;

private:
    void updateTimer();
    double m_fraction = 0;
    Color m_role = Color::Accent;
    QTimer m_timer;
    QElapsedTimer m_clock;
};

/// Bar of a run's best value with the paper's claim as a tick.
class ClaimBar : public QWidget {
    Q_OBJECT
public:
    explicit ClaimBar(QWidget* parent = nullptr);
    /// `low`…`high` span the bar; NaN value = nothing reached yet.
    void setValues(double value, double claim, double low, double high, const QColor& color);
    QSize sizeHint() const override;

protected:
    void paintEvent(QPaintEvent*) override;

private:
    double m_value = 0, m_claim = 0, m_low = 0, m_high = 1;
    QColor m_color;
};

/// Three parts of a data set in the slate steps, 12 px; the borders can be dragged when editable.
class SplitBar : public QWidget {
    Q_OBJECT
public:
    explicit SplitBar(QWidget* parent = nullptr);
    void setCounts(const std::array<std::int64_t, 3>& counts);
    void setEditable(bool isEditable);
    std::array<double, 3> fractions() const { return m_fractions; }
    QSize sizeHint() const override;

Q_SIGNALS:
    void dragged(double train, double valid, double test);   ///< while moving
    void committed(double train, double valid, double test); ///< on release or Enter

protected:
    void paintEvent(QPaintEvent*) override;
    void mousePressEvent(QMouseEvent*) override;
    void mouseMoveEvent(QMouseEvent*) override;
    void mouseReleaseEvent(QMouseEvent*) override;
    void keyPressEvent(QKeyEvent*) override;

private:
    int borderAt(int x) const;
    void setBorder(int border, double position);
    std::array<double, 3> m_fractions{0.8, 0.1, 0.1};
    bool m_isEditable = false;
    int m_dragged = -1;
    int m_focused = 0;
};

/// Horizontal bar of a share with name and number, for class counts and predictions. Painted rows of 20 px.
class BarList : public QWidget {
    Q_OBJECT
public:
    struct Row {
        QString name;
        std::array<double, 3> parts{};  ///< stacked; one part: the others 0
        QString value;
        bool isBold = false;
    };
    explicit BarList(QWidget* parent = nullptr);
    void setRows(QVector<Row> rows, double maximum);
    /// Colours of the three parts by role; default splitTrain/Valid/Test.
    void setPartColors(std::array<QColor, 3> colors);
    void setNameWidth(int width);
    /// The whole length behind every bar, for shares of one.
    void setTrackVisible(bool isVisible);
    QSize sizeHint() const override;

Q_SIGNALS:
    void rowClicked(int row);

protected:
    void paintEvent(QPaintEvent*) override;
    void mousePressEvent(QMouseEvent*) override;

private:
    QVector<Row> m_rows;
    double m_maximum = 1;
    int m_nameWidth = 72;
    std::array<QColor, 3> m_colors;
    bool m_hasTrack = false;
};

/// Moving or still diagonal stripes, for bars of unknown length.
void paintHatch(QPainter& painter, const QRectF& rect, const QColor& color, double phase);

}  // namespace espalier::widgets
