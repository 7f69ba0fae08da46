#include "widgets/plot/weight_views.h"

#include <QPainter>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>

#include "widgets/theme/format.h"
#include "widgets/theme/theme.h"

namespace espalier::widgets {
namespace {

constexpr int kShareLine = 18;  ///< room above the bars for the clipped shares
constexpr double kNear = 6;     ///< px to the left and right of the cursor that its values take in

QString percent(double share) { return share < 0.0005 ? QStringLiteral("< 0.1 %") : QString::number(share * 100, 'f', 1) + QStringLiteral(" %"); }

}  // namespace

WeightHistogram::WeightHistogram(QWidget* parent) : PaintedChart(parent) {
    setAccessibleName(tr("Histogram of the layer's weights with the quantizer's grid"));
}

void WeightHistogram::setBins(std::vector<double> lefts, std::vector<double> counts) {
    m_lefts = std::move(lefts);
    m_counts = std::move(counts);
    m_counts.resize(m_lefts.size());
    zoomReset();
    update();
}

void WeightHistogram::setGrid(std::vector<double> levels, const QString& method) {
    m_levels = std::move(levels);
    std::sort(m_levels.begin(), m_levels.end());
    m_method = method;
    update();
}

std::pair<double, double> WeightHistogram::clippedShares() const {
    if (m_levels.size() < 2 || m_lefts.empty()) return {0, 0};
    // A weight within half a step of the outermost level still rounds to it without clipping.
    const double half = (m_levels[1] - m_levels[0]) / 2, low = m_levels.front() - half, high = m_levels.back() + half;
    double below = 0, above = 0, all = 0;
    for (std::size_t i = 0; i < m_lefts.size(); ++i) {
        const double middle = m_lefts[i] + binWidth() / 2;
        all += m_counts[i];
        if (middle < low) below += m_counts[i];
        if (middle > high) above += m_counts[i];
    }
    return all > 0 ? std::pair{below / all, above / all} : std::pair{0.0, 0.0};
}

ChartView WeightHistogram::fullView() const {
    double low = m_lefts.front(), high = m_lefts.back() + binWidth();
    if (!m_levels.empty()) low = std::min(low, m_levels.front()), high = std::max(high, m_levels.back());
    const double room = (high - low) * 0.02, most = std::max(1.0, *std::max_element(m_counts.begin(), m_counts.end()));
    return {{low - room, high + room}, isLogY() ? AxisRange{0.5, most * 1.6} : AxisRange{0, most * 1.09}};
}

void WeightHistogram::paintPlot(QPainter& painter, const ChartFrame& frame) const {
    const Theme& look = theme();
    const QRectF& area = frame.area;
    const auto [below, above] = clippedShares();
    painter.save();
    painter.setClipRect(area.adjusted(0, 0, 0, 1));
    if (below > 0) painter.fillRect(QRectF(QPointF(area.left(), area.top()), QPointF(frame.pixelX(m_levels.front()), area.bottom())), look.color(Color::WarningTint));
    if (above > 0) painter.fillRect(QRectF(QPointF(frame.pixelX(m_levels.back()), area.top()), QPointF(area.right(), area.bottom())), look.color(Color::WarningTint));
    for (std::size_t i = 0; i < m_lefts.size(); ++i) {
        if (m_counts[i] <= 0) continue;
        const double left = frame.pixelX(m_lefts[i]), right = frame.pixelX(m_lefts[i] + binWidth());
        const double y = std::max(frame.pixelY(m_counts[i]), area.top() + (isZoomed() ? 0 : kShareLine - 4));
        painter.fillRect(QRectF(QPointF(left, y), QPointF(right - left >= 3 ? right - 1 : right, area.bottom())), look.color(Color::Text3, 0.72));
    }
    const double tick = std::min(18.0, area.height() / 4);
    const double pitch = m_levels.size() > 1 ? frame.pixelX(m_levels[1]) - frame.pixelX(m_levels[0]) : 10;
    QColor gridColor = theme().methodLook(m_method).color;
    if (pitch < 4) gridColor.setAlphaF(0.55f);
    for (const double level : m_levels) painter.fillRect(QRectF(std::round(frame.pixelX(level)), area.bottom() - tick, pitch < 4 ? 1 : 2, tick), gridColor);
    painter.restore();
    painter.setFont(look.font(Type::Caption));
    painter.setPen(look.color(Color::Warning));
    if (below > 0) painter.drawText(area.adjusted(3, 2, 0, 0), Qt::AlignLeft | Qt::AlignTop, percent(below));
    if (above > 0) painter.drawText(area.adjusted(0, 2, -3, 0), Qt::AlignRight | Qt::AlignTop, percent(above));
    paintHorizontalTicks(painter, frame, 56);
}

ReadoutBox::Content WeightHistogram::readoutAt(const QPoint& position) const {
    ReadoutBox::Content content;
    if (!hasData()) return content;
    const double value = frame().valueX(position.x());
    const auto bin = static_cast<std::ptrdiff_t>(std::floor((value - m_lefts.front()) / binWidth()));
    double all = 0;
    for (const double count : m_counts) all += count;
    content.title = tr("weight %1").arg(format::significant(value, 3));
    if (bin >= 0 && bin < static_cast<std::ptrdiff_t>(m_lefts.size())) {
        const double count = m_counts[static_cast<std::size_t>(bin)], left = m_lefts[static_cast<std::size_t>(bin)];
        content.detail = tr("%1 to %2").arg(format::significant(left, 3), format::significant(left + binWidth(), 3));
        content.rows << ReadoutBox::Row{tr("weights"), {}, format::count(static_cast<std::int64_t>(count)), 0, theme().color(Color::Text3)};
        content.rows << ReadoutBox::Row{tr("share"), {}, all > 0 ? percent(count / all) : QString(), 0, Qt::transparent};
    }
    if (m_levels.empty()) return content;
    const auto nearest = std::min_element(m_levels.begin(), m_levels.end(), [&](double a, double b) { return std::abs(a - value) < std::abs(b - value); });
    content.rows << ReadoutBox::Row{tr("nearest level, %1 of %2").arg(nearest - m_levels.begin() + 1).arg(m_levels.size()), {}, format::significant(*nearest, 4), 0, theme().methodLook(m_method).color};
    return content;
}

QString WeightHistogram::csv() const {
    QString text = QStringLiteral("kind,low,high,count\n");
    for (std::size_t i = 0; i < m_lefts.size(); ++i)
        text += QStringLiteral("bin,") + format::copyText(m_lefts[i]) + u',' + format::copyText(m_lefts[i] + binWidth()) + u',' + format::copyText(m_counts[i]) + u'\n';
    for (const double level : m_levels) text += QStringLiteral("level,") + format::copyText(level) + u',' + format::copyText(level) + QStringLiteral(",\n");
    return text;
}

ShiftScatter::ShiftScatter(QWidget* parent) : PaintedChart(parent) {
    setAccessibleName(tr("Levels that weights moved against their size"));
}

void ShiftScatter::setPoints(std::vector<double> sizes, std::vector<double> shifts, const QString& method) {
    m_sizes = std::move(sizes);
    m_shifts = std::move(shifts);
    m_shifts.resize(m_sizes.size());
    m_method = method;
    zoomReset();
    update();
}

ChartView ShiftScatter::fullView() const {
    double right = 0, least = 1e300, reach = 1;
    for (std::size_t i = 0; i < m_sizes.size(); ++i) {
        right = std::max(right, m_sizes[i]);
        if (m_sizes[i] > 0) least = std::min(least, m_sizes[i]);
        reach = std::max(reach, std::abs(m_shifts[i]));
    }
    right = right > 0 ? right * 1.04 : 1;
    const double span = std::ceil(reach) + 0.6;
    return {{isLogX() && least < right ? least * 0.9 : 0, right}, {-span, span}};
}

void ShiftScatter::paintPlot(QPainter& painter, const ChartFrame& frame) const {
    const Theme& look = theme();
    const QRectF& area = frame.area;
    const double level = area.height() / frame.view.y.size(), step = std::max(1.0, std::ceil(16 / level));
    painter.setFont(look.font(Type::Caption));
    for (double at = std::ceil(frame.view.y.low / step) * step; at <= frame.view.y.high; at += step) {
        const double y = std::round(frame.pixelY(at));
        painter.fillRect(QRectF(area.left(), y, area.width(), 1), look.color(Color::Grid));
        painter.setPen(look.color(Color::Text3));
        painter.drawText(QRectF(area.left() - 28, y - 8, 22, 16), Qt::AlignRight | Qt::AlignVCenter, at == 0 ? QStringLiteral("0") : format::signedFixed(at, 0));
    }
    paintHorizontalTicks(painter, frame, 56);
    paintCornerWord(painter, frame, tr("|w|"));
    painter.setClipRect(area);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(Qt::NoPen);
    QColor color = theme().methodLook(m_method).color;
    color.setAlphaF(m_sizes.size() > 1000 ? 0.55f : 0.8f);
    painter.setBrush(color);
    const double spread = std::min(0.22, 5.0 / std::max(1.0, level));
    for (std::size_t i = 0; i < m_sizes.size(); ++i) {
        // A fixed pattern instead of chance: the same data, the same picture.
        std::uint32_t bits = (static_cast<std::uint32_t>(i) + 1) * 0x9e3779b9u;
        bits = (bits ^ (bits >> 16)) * 0x85ebca6bu;
        bits ^= bits >> 13;
        const double wobble = static_cast<double>(bits & 0xffffffu) / double(1u << 24) - 0.5;
        painter.drawEllipse(QPointF(frame.pixelX(m_sizes[i]), frame.pixelY(m_shifts[i] + 2 * spread * wobble)), 1.25, 1.25);
    }
}

ReadoutBox::Content ShiftScatter::readoutAt(const QPoint& position) const {
    // How many weights of about this size moved by how much.
    ReadoutBox::Content content;
    const ChartFrame now = frame();
    std::map<int, int, std::greater<>> counts;
    int all = 0;
    for (std::size_t i = 0; i < m_sizes.size(); ++i)
        if (std::abs(now.pixelX(m_sizes[i]) - position.x()) <= kNear) ++counts[static_cast<int>(std::lround(m_shifts[i]))], ++all;
    if (all == 0) return content;
    content.title = tr("|w| near %1").arg(format::significant(now.valueX(position.x()), 3));
    content.detail = all == 1 ? tr("1 weight") : tr("%1 weights").arg(all);
    for (const auto& [shift, count] : counts)
        content.rows << ReadoutBox::Row{shift == 0 ? tr("where RTN puts it") : tr("%1 level").arg(format::signedFixed(shift, 0)), {}, format::count(count), 0, shift == 0 ? QColor(Qt::transparent) : theme().methodLook(m_method).color};
    return content;
}

QString ShiftScatter::csv() const {
    QString text = QStringLiteral("size,levels_from_rtn\n");
    for (std::size_t i = 0; i < m_sizes.size(); ++i) text += format::copyText(m_sizes[i]) + u',' + format::copyText(m_shifts[i]) + u'\n';
    return text;
}

}  // namespace espalier::widgets
