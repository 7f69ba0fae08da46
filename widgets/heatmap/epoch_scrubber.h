#pragma once

#include <QVector>
#include <QWidget>

namespace espalier::widgets {

/// Training time as a groove with a tick at every stored snapshot. The filled handle is what is shown, the ring what
/// it is compared with; drag, click or arrows move the handle from snapshot to snapshot, Shift moves the ring.
class EpochScrubber : public QWidget {
    Q_OBJECT
public:
    explicit EpochScrubber(QWidget* parent = nullptr);

    /// Positions on the axis (epochs, or steps where a run has none), ascending; `last` is where the run ends.
    void setSnapshots(QVector<double> positions, double last);
    void setCurrent(int index);
    int current() const { return m_current; }
    void setCompared(int index);  ///< −1 = none
    int compared() const { return m_compared; }
    /// Words over the axis: best checkpoint and the like.
    struct Mark {
        double position = 0;
        bool isBad = false;
        QString word;
    };
    void setMarks(QVector<Mark> marks);
    double pixelOf(int index) const;
    QSize sizeHint() const override { return {420, 40}; }
    QSize minimumSizeHint() const override { return {140, 40}; }

Q_SIGNALS:
    void currentChanged(int index);   ///< by the user
    void comparedChanged(int index);

protected:
    void paintEvent(QPaintEvent*) override;
    void mousePressEvent(QMouseEvent*) override;
    void mouseMoveEvent(QMouseEvent*) override;
    void mouseReleaseEvent(QMouseEvent*) override;
    void keyPressEvent(QKeyEvent*) override;
    bool event(QEvent*) override;

private:
    double pixelOfPosition(double position) const;
    int nearest(double x) const;
    void move(int index, bool isCompared);

    QVector<double> m_positions;
    QVector<Mark> m_marks;
    double m_last = 1;
    int m_current = -1, m_compared = -1;
    bool m_isDraggingCompared = false, m_hasMoved = false;
};

}  // namespace espalier::widgets
