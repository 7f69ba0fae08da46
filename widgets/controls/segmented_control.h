#pragma once

#include <QStringList>
#include <QWidget>

namespace espalier::widgets {

/// One choice of a few, drawn as joined segments 24 px high; becomes a combo's worth of keys: arrows, Home, End.
class SegmentedControl : public QWidget {
    Q_OBJECT
    Q_PROPERTY(int currentIndex READ currentIndex WRITE setCurrentIndex NOTIFY currentChanged USER true)
public:
    explicit SegmentedControl(const QStringList& labels, QWidget* parent = nullptr);

    int currentIndex() const { return m_current; }
    QString currentText() const { return m_labels.value(m_current); }
    void setCurrentIndex(int index);
    void setLabels(const QStringList& labels);
    QStringList labels() const { return m_labels; }
    void setSegmentEnabled(int index, bool isEnabled);
    void setSegmentToolTip(int index, const QString& text);
    QRect segmentRect(int index) const;

    QSize sizeHint() const override;
    QSize minimumSizeHint() const override { return sizeHint(); }

Q_SIGNALS:
    void currentChanged(int index);

protected:
    void paintEvent(QPaintEvent*) override;
    void mousePressEvent(QMouseEvent*) override;
    void mouseMoveEvent(QMouseEvent*) override;
    void leaveEvent(QEvent*) override;
    void keyPressEvent(QKeyEvent*) override;
    bool event(QEvent*) override;

private:
    int segmentAt(const QPoint& position) const;
    int segmentWidth(int index) const;

    QStringList m_labels, m_tips;
    QVector<bool> m_enabled;
    int m_current = 0;
    int m_hovered = -1;
};

}  // namespace espalier::widgets
