#pragma once

#include <QImage>
#include <QVector>
#include <QWidget>

namespace espalier::widgets {

/// One pinned image.
struct ProbeThumb {
    QImage image;
    QString name, label, prediction;
    bool isWrong = false;  ///< predicted something else at the shown epoch
};

/// Images pinned before training, in one line; the chosen one framed, wrong predictions marked. Click or arrows choose;
/// what does not fit scrolls with the wheel and the choice. GUI thread.
class ProbeStrip : public QWidget {
    Q_OBJECT
public:
    explicit ProbeStrip(QWidget* parent = nullptr);
    void setProbes(QVector<ProbeThumb> probes);
    const QVector<ProbeThumb>& probes() const { return m_probes; }
    void setCurrent(int probe);
    int current() const { return m_current; }
    QRect thumbRect(int probe) const;
    QSize sizeHint() const override { return {400, 54}; }
    QSize minimumSizeHint() const override { return {120, 54}; }

Q_SIGNALS:
    void picked(int probe);

protected:
    void paintEvent(QPaintEvent*) override;
    void mousePressEvent(QMouseEvent*) override;
    void keyPressEvent(QKeyEvent*) override;
    void wheelEvent(QWheelEvent*) override;
    void resizeEvent(QResizeEvent*) override;
    bool event(QEvent*) override;

private:
    int side() const;
    int probeAt(const QPoint& position) const;
    void pick(int probe);
    void reveal();
    QVector<ProbeThumb> m_probes;
    int m_current = 0, m_offset = 0;
};

}  // namespace espalier::widgets
