#include "widgets/plot/weight_views.h"

#include <QPainter>

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "widgets/plot/chart_style.h"
#include "widgets/theme/format.h"
#include "widgets/theme/theme.h"

namespace espalier::widgets {
namespace {

constexpr int kBottom = 20;

void paintTicks(QPainter& painter, const QRectF& area, double low, double high, double gap) {
    const Theme& look = theme();
    painter.fillRect(QRectF(area.left(), area.bottom(), area.width(), 1), look.color(Color::Axis));
    painter.setFont(look.font(Type::Caption));
    const QVector<double> ticks = linearTicks(low, high, area.width(), gap);
    const QStringList labels = tickLabels(ticks);
    for (int i = 0; i < ticks.size(); ++i) {
        const double x = std::round(area.left() + (ticks[i] - low) / (high - low) * area.width());
        if (x < area.left() - 1 || x > area.right() + 1) continue;
        painter.fillRect(QRectF(x, area.bottom(), 1, 4), look.color(Color::Axis));
        const int wide = painter.fontMetrics().horizontalAdvance(labels[i]) + 2;
        const double left = std::clamp(x - wide / 2.0, area.left() - 8, area.right() - wide + 4);
        painter.setPen(look.color(Color::Text3));
        painter.drawText(QRectF(left, area.bottom() + 4, wide, 16), Qt::AlignCenter, labels[i]);
    }
}

void paintEmpty(QPainter& painter, const QRectF& area, const QString& text) {
    painter.setFont(theme().font(Type::Body));
    painter.setPen(theme().color(Color::Text3));
    painter.drawText(area.adjusted(12, 0, -12, 0), Qt::AlignCenter | Qt::TextWordWrap, text);
}

QString percent(double share) { return share < 0.0005 ? QStringLiteral("< 0.1 %") : QString::number(share * 100, 'f', 1) + QStringLiteral(" %"); }

}  // namespace

WeightHistogram::WeightHistogram(QWidget* parent) : QWidget(parent) {
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Expanding);
    setAccessibleName(tr("Histogram of the layer's weights with the quantizer's grid"));
    connect(&theme(), &Theme::changed, this, qOverload<>(&QWidget::update));
}

void WeightHistogram::setBins(std::vector<double> lefts, std::vector<double> counts) {
    m_lefts = std::move(lefts);
    m_counts = std::move(counts);
    m_counts.resize(m_lefts.size());
    update();
}

void WeightHistogram::setGrid(std::vector<double> levels, const QColor& color) {
    m_levels = std::move(levels);
    std::sort(m_levels.begin(), m_levels.end());
    m_gridColor = color;
    update();
}

void WeightHistogram::setEmptyText(const QString& text) {
    m_emptyText = text;
    update();
}

std::pair<double, double> WeightHistogram::clippedShares() const {
    if (m_levels.size() < 2 || m_lefts.empty()) return {0, 0};
    // A weight within half a step of the outermost level still rounds to it without clipping.
    const double half = (m_levels[1] - m_levels[0]) / 2, low = m_levels.front() - half, high = m_levels.back() + half;
    double below = 0, above = 0, all = 0;
    for (std::size_t i = 0; i < m_lefts.size(); ++i) {
        const double middle = m_lefts[i] + width0() / 2;
        all += m_counts[i];
        if (middle < low) below += m_counts[i];
        if (middle > high) above += m_counts[i];
    }
    return all > 0 ? std::pair{below / all, above / all} : std::pair{0.0, 0.0};
}

void WeightHistogram::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    const Theme& look = theme();
    const QRectF area = QRectF(rect()).adjusted(4, 4, -4, -kBottom);
    if (m_lefts.size() < 2) return paintEmpty(painter, rect(), m_emptyText);
    double low = m_lefts.front(), high = m_lefts.back() + width0();
    if (!m_levels.empty()) low = std::min(low, m_levels.front()), high = std::max(high, m_levels.back());
    const double room = (high - low) * 0.02;
    low -= room, high += room;
    const auto xOf = [&](double value) { return area.left() + (value - low) / (high - low) * area.width(); };
    const auto [below, above] = clippedShares();
    if (below > 0) painter.fillRect(QRectF(QPointF(area.left(), area.top()), QPointF(xOf(m_levels.front()), area.bottom())), look.color(Color::WarningTint));
    if (above > 0) painter.fillRect(QRectF(QPointF(xOf(m_levels.back()), area.top()), QPointF(area.right(), area.bottom())), look.color(Color::WarningTint));
    const double most = std::max(1.0, *std::max_element(m_counts.begin(), m_counts.end()));
    const double top = area.top() + 18;
    for (std::size_t i = 0; i < m_lefts.size(); ++i) {
        const double left = xOf(m_lefts[i]), right = xOf(m_lefts[i] + width0());
        const double y = area.bottom() - (area.bottom() - top) * m_counts[i] / most;
        painter.fillRect(QRectF(QPointF(left, y), QPointF(right - left >= 3 ? right - 1 : right, area.bottom())), look.color(Color::Text3, 0.72));
    }
    const double tick = std::min(18.0, area.height() / 4);
    const double pitch = m_levels.size() > 1 ? xOf(m_levels[1]) - xOf(m_levels[0]) : 10;
    QColor gridColor = m_gridColor;
    if (pitch < 4) gridColor.setAlphaF(0.55f);
    for (const double level : m_levels) painter.fillRect(QRectF(std::round(xOf(level)), area.bottom() - tick, pitch < 4 ? 1 : 1.5, tick), gridColor);
    painter.setFont(look.font(Type::Caption));
    painter.setPen(look.color(Color::Warning));
    if (below > 0) painter.drawText(area.adjusted(3, 2, 0, 0), Qt::AlignLeft | Qt::AlignTop, percent(below));
    if (above > 0) painter.drawText(area.adjusted(0, 2, -3, 0), Qt::AlignRight | Qt::AlignTop, percent(above));
    paintTicks(painter, area, low, high, 56);
}

ShiftScatter::ShiftScatter(QWidget* parent) : QWidget(parent) {
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Expanding);
    setAccessibleName(tr("Levels that weights moved against their size"));
    connect(&theme(), &Theme::changed, this, qOverload<>(&QWidget::update));
}

void ShiftScatter::setPoints(std::vector<double> sizes, std::vector<double> shifts, const QColor& color) {
    m_sizes = std::move(sizes);
    m_shifts = std::move(shifts);
    m_shifts.resize(m_sizes.size());
    m_color = color;
    update();
}

void ShiftScatter::setEmptyText(const QString& text) {
    m_emptyText = text;
    update();
}

void ShiftScatter::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    const Theme& look = theme();
    if (m_sizes.empty()) return paintEmpty(painter, rect(), m_emptyText);
    const QRectF area = QRectF(rect()).adjusted(28, 4, -4, -kBottom);
    double right = 0, reach = 1;
    for (std::size_t i = 0; i < m_sizes.size(); ++i) {
        right = std::max(right, m_sizes[i]);
        reach = std::max(reach, std::abs(m_shifts[i]));
    }
    right = right > 0 ? right * 1.04 : 1;
    reach = std::ceil(reach);
    const double span = reach + 0.6, step = std::max(1.0, std::ceil(reach / std::max(1.0, std::floor(area.height() / 2 / 16))));
    const auto yOf = [&](double shift) { return area.center().y() - shift / span * area.height() / 2; };
    painter.setFont(look.font(Type::Caption));
    for (double level = -std::floor(reach / step) * step; level <= reach; level += step) {
        const double y = std::round(yOf(level));
        painter.fillRect(QRectF(area.left(), y, area.width(), 1), look.color(Color::Grid));
        painter.setPen(look.color(Color::Text3));
        painter.drawText(QRectF(0, y - 8, 22, 16), Qt::AlignRight | Qt::AlignVCenter, level == 0 ? QStringLiteral("0") : format::signedFixed(level, 0));
    }
    paintTicks(painter, area, 0, right, 56);
    painter.setPen(look.color(Color::Text3));
    painter.drawText(area.adjusted(0, 0, -2, -1), Qt::AlignRight | Qt::AlignBottom, tr("|w|"));
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(Qt::NoPen);
    QColor color = m_color;
    color.setAlphaF(m_sizes.size() > 1000 ? 0.55f : 0.8f);
    painter.setBrush(color);
    const double spread = std::min(0.22, 5.0 / std::max(1.0, area.height() / (2 * span)));
    for (std::size_t i = 0; i < m_sizes.size(); ++i) {
        // A fixed pattern instead of chance: the same data, the same picture.
        std::uint32_t bits = (static_cast<std::uint32_t>(i) + 1) * 0x9e3779b9u;
        bits = (bits ^ (bits >> 16)) * 0x85ebca6bu;
        bits ^= bits >> 13;
        const double wobble = static_cast<double>(bits & 0xffffffu) / double(1u << 24) - 0.5;
        painter.drawEllipse(QPointF(area.left() + m_sizes[i] / right * area.width(), yOf(m_shifts[i] + 2 * spread * wobble)), 1.25, 1.25);
    }
}

}  // namespace espalier::widgets
