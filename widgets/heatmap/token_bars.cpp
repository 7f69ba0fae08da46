#include "widgets/heatmap/token_bars.h"

#include <QMouseEvent>
#include <QPainter>

#include <algorithm>
#include <cmath>

#include "widgets/theme/theme.h"

namespace espalier::widgets {

TokenBars::TokenBars(QWidget* parent) : QWidget(parent) {
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Expanding);
    setMinimumHeight(32);
    setMouseTracking(true);
    setAccessibleName(tr("Token weights, largest first"));
    connect(&theme(), &Theme::changed, this, qOverload<>(&QWidget::update));
}

void TokenBars::setWeights(const std::vector<float>& weights) {
    m_sorted.clear();
    double sum = 0;
    for (std::size_t i = 0; i < weights.size(); ++i) {
        const float amount = std::isfinite(weights[i]) ? std::abs(weights[i]) : 0.0f;
        m_sorted.emplace_back(amount, static_cast<int>(i));
        sum += amount;
    }
    std::stable_sort(m_sorted.begin(), m_sorted.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
    double seen = 0;
    m_half = 0;
    for (const auto& [amount, token] : m_sorted) {
        if (sum <= 0 || seen >= sum / 2) break;
        seen += amount;
        ++m_half;
    }
    Q_EMIT halfCountChanged(m_half);
    update();
}

void TokenBars::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    const Theme& look = theme();
    const int base = height() - 1;
    painter.fillRect(0, base, width(), 1, look.color(Color::Axis));
    if (m_sorted.empty() || m_sorted.front().first <= 0) return;
    const double pitch = width() / double(m_sorted.size());
    const double gap = pitch >= 2.5 ? 1 : 0;
    for (std::size_t i = 0; i < m_sorted.size(); ++i) {
        const double high = m_sorted[i].first / m_sorted.front().first * (base - 2);
        const bool isLarge = static_cast<int>(i) < m_half;
        painter.fillRect(QRectF(static_cast<double>(i) * pitch, base - high, std::max(0.5, pitch - gap), high), isLarge ? m_color : look.color(Color::Disabled));
    }
}

std::size_t TokenBars::barAt(double x) const {
    const auto bar = static_cast<std::size_t>(std::clamp(x / std::max(1, width()), 0.0, 1.0) * static_cast<double>(m_sorted.size()));
    return std::min(bar, m_sorted.size() - 1);
}

void TokenBars::mousePressEvent(QMouseEvent* event) {
    if (m_sorted.empty() || event->button() != Qt::LeftButton) return;
    Q_EMIT tokenPicked(m_sorted[barAt(event->position().x())].second);
}

void TokenBars::mouseMoveEvent(QMouseEvent* event) {
    if (m_sorted.empty()) return;
    const auto& [amount, token] = m_sorted[barAt(event->position().x())];
    Q_EMIT hovered(token, amount);
}

void TokenBars::leaveEvent(QEvent*) { Q_EMIT hovered(-1, 0); }

}  // namespace espalier::widgets
