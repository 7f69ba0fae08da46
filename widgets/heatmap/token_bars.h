#pragma once

#include <QWidget>

#include <vector>

namespace espalier::widgets {

/// Token weights, largest first, one thin bar each; those that hold half of the weight stand out. A click on a bar
/// names its token. Negative weights are sorted by amount and drawn by amount. GUI thread.
class TokenBars : public QWidget {
    Q_OBJECT
public:
    explicit TokenBars(QWidget* parent = nullptr);
    void setWeights(const std::vector<float>& weights);
    void setColor(const QColor& color) { m_color = color; update(); }
    /// How many of the largest weights sum to half of the whole.
    int halfCount() const { return m_half; }
    QSize sizeHint() const override { return {384, 70}; }

Q_SIGNALS:
    void tokenPicked(int token);
    void hovered(int token, double weight);  ///< −1 when the mouse left
    void halfCountChanged(int tokens);

protected:
    void paintEvent(QPaintEvent*) override;
    void mousePressEvent(QMouseEvent*) override;
    void mouseMoveEvent(QMouseEvent*) override;
    void leaveEvent(QEvent*) override;

private:
    std::size_t barAt(double x) const;
    std::vector<std::pair<float, int>> m_sorted;  ///< amount, token
    QColor m_color;
    int m_half = 0;
};

}  // namespace espalier::widgets
