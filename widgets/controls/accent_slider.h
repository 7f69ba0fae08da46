#pragma once

#include <QSlider>
#include <QStringList>
#include <QVector>

namespace espalier::widgets {

/// Slider with a 4 px groove filled up to the handle in accent, optional ticks with words below.
class AccentSlider : public QSlider {
    Q_OBJECT
public:
    explicit AccentSlider(QWidget* parent = nullptr);
    /// Ticks at slider values with a word each ("w2", "w3", …).
    void setMarks(const QVector<int>& values, const QStringList& words);
    QSize sizeHint() const override;

protected:
    void paintEvent(QPaintEvent*) override;
    void mousePressEvent(QMouseEvent*) override;
    void mouseMoveEvent(QMouseEvent*) override;
    void mouseReleaseEvent(QMouseEvent*) override;

private:
    int valueAt(double x) const;
    double positionOf(int value) const;
    QVector<int> m_marks;
    QStringList m_words;
};

}  // namespace espalier::widgets
