// The three lanes of the Quantize page over the geometry of layer_lanes.cpp.
#include <QMouseEvent>
#include <QPainter>

#include <algorithm>
#include <cmath>

#include "widgets/controls/paint_help.h"
#include "widgets/plot/chart_export.h"
#include "widgets/plot/chart_style.h"
#include "widgets/plot/layer_lanes.h"
#include "widgets/theme/color_maps.h"
#include "widgets/theme/format.h"

namespace espalier::widgets {
namespace {

constexpr int kLeft = 46;
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

void paintRowLabel(QPainter& painter, double top, double height, const QString& text) {
    painter.setPen(theme().color(Color::Text2));
    painter.drawText(QRectF(0, top, kLeft - 6, height), Qt::AlignRight | Qt::AlignVCenter, text);
}

/// The largest finite value of the layers that share a column; NaN where there is none.
double largest(const std::vector<double>& values, const LayerColumns::Span& span) {
    double most = kNaN;
    for (int layer = span.first; layer <= span.last && layer < static_cast<int>(values.size()); ++layer) {
        const double value = values[static_cast<std::size_t>(layer)];
        if (std::isfinite(value) && !(most >= value)) most = value;
    }
    return most;
}

/// Bytes of the layers that share a column, and their mean bits a weight.
AllocationStrip::Bar sum(const QVector<AllocationStrip::Bar>& bars, const LayerColumns::Span& span) {
    AllocationStrip::Bar all;
    double weights = 0;
    for (int layer = span.first; layer <= span.last && layer < bars.size(); ++layer) {
        if (bars[layer].bytes <= 0 || bars[layer].bits <= 0) continue;
        all.bytes += bars[layer].bytes;
        weights += bars[layer].bytes / bars[layer].bits;
    }
    if (weights > 0) all.bits = all.bytes / weights;
    return all;
}

QColor barColor(const CalibrationBars::Row& row) { return row.method.isEmpty() ? theme().color(Color::Text3) : theme().methodLook(row.method).color; }

}  // namespace

QColor errorColor(double position) {
    if (std::isnan(position)) return theme().color(Color::Panel);
    // The neutral middle of the signed map is zero; the dark end is left to the very worst.
    return QColor::fromRgb(mapColor(signedMap(), 0.5 + 0.48 * std::clamp(position, 0.0, 1.0)));
}

SensitivityMap::SensitivityMap(LayerColumns* columns, QWidget* parent) : Lane(columns, parent) {
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Expanding);
    setAccessibleName(tr("Sensitivity of every layer to every option"));
}

void SensitivityMap::setCells(QStringList options, std::vector<std::vector<double>> values, bool isSigned, const QString& valueName) {
    m_options = std::move(options);
    m_values = std::move(values);
    m_isSigned = isSigned;
    m_valueName = valueName;
    m_low = 1e300, m_high = -1e300;
    for (const auto& row : m_values)
        for (const double value : row) {
            if (!std::isfinite(value) || (!isSigned && value <= 0)) continue;
            m_low = std::min(m_low, value), m_high = std::max(m_high, value);
        }
    if (m_low > m_high) m_low = isSigned ? -1 : 1e-6, m_high = 1;
    if (isSigned) m_high = std::max(std::abs(m_low), std::abs(m_high)), m_low = -m_high;
    if (m_high <= m_low) m_high = m_low * 10 + 1e-12;
    setMaximumHeight(3 + 26 * std::max<int>(2, static_cast<int>(m_options.size())));
    updateGeometry();
    update();
}

void SensitivityMap::setChosen(QVector<int> optionOfLayer) {
    m_chosen = std::move(optionOfLayer);
    update();
}

QColor SensitivityMap::colorOf(double value) const {
    if (!std::isfinite(value)) return theme().color(Color::Panel);
    if (m_isSigned) return QColor::fromRgb(mapColor(signedMap(), (value - m_low) / (m_high - m_low)));
    if (value <= 0) return errorColor(0);
    return errorColor(std::log(value / m_low) / std::log(m_high / m_low));
}

QSize SensitivityMap::sizeHint() const { return {400, 3 + 15 * std::max<int>(2, static_cast<int>(m_options.size()))}; }

QRectF SensitivityMap::cellRect(int option, int layer) const {
    const QRectF column = columnRect(layer);
    const int rows = std::max<int>(1, static_cast<int>(m_options.size()));
    const double pitch = std::min(26.0, std::floor((column.height() - 3) / rows));
    return {column.left(), column.top() + option * pitch, column.width(), pitch};
}

int SensitivityMap::optionAt(double y) const {
    for (int i = 0; i < m_options.size(); ++i) {
        const QRectF cell = cellRect(i, columns()->first());
        if (y >= cell.top() && y < cell.bottom()) return i;
    }
    return -1;
}

void SensitivityMap::paintLane(QPainter& painter) const {
    const Theme& look = theme();
    painter.setFont(look.font(Type::Caption));
    const int layers = columns()->count(), first = columns()->first();
    for (int option = 0; option < m_options.size(); ++option) {
        if (layers > 0) paintRowLabel(painter, cellRect(option, first).top(), cellRect(option, first).height(), m_options[option]);
        for (const auto& span : columns()->spans()) {
            const QRectF cell = cellRect(option, span.first);
            const double gap = cell.width() >= 6 ? 1 : 0;
            const QRectF inner = cell.adjusted(0, 0, -gap, -gap);
            painter.fillRect(inner, colorOf(largest(m_values[static_cast<std::size_t>(option)], span)));
            if (span.first == columns()->spanOf(columns()->hovered()).first && !isPainting()) painter.fillRect(inner, QColor(0, 0, 0, 28));
        }
    }
    painter.setBrush(Qt::NoBrush);
    QPen outline(Qt::black, 1.5);
    outline.setJoinStyle(Qt::MiterJoin);
    painter.setPen(outline);
    for (const auto& span : columns()->spans()) {
        const int option = chosenOf(span);
        if (option < 0 || cellRect(0, span.first).width() < 6) continue;
        const QRectF cell = cellRect(option, span.first);
        const double inset = cell.height() >= 12 && cell.width() >= 12 ? 2.25 : 1.25;
        painter.drawRect(cell.adjusted(inset - 0.5, inset - 0.5, -inset - 0.5, -inset - 0.5));
    }
    if (columns()->selected() >= 0 && !m_options.isEmpty() && !isPainting()) {
        const QRectF last = cellRect(static_cast<int>(m_options.size()) - 1, columns()->selected());
        painter.fillRect(QRectF(last.left(), last.bottom(), last.width() - 1, 2), look.color(Color::Accent));
    }
}

// −1 where the layers of a folded column differ.
int SensitivityMap::chosenOf(const LayerColumns::Span& span) const {
    if (span.first < 0 || span.last >= m_chosen.size()) return -1;
    const int option = m_chosen[span.first];
    for (int layer = span.first; layer <= span.last; ++layer)
        if (m_chosen[layer] != option) return -1;
    return option < m_options.size() ? option : -1;
}

void SensitivityMap::mousePressEvent(QMouseEvent* event) {
    Lane::mousePressEvent(event);
    const int layer = layerAt(event->position()), option = optionAt(event->position().y());
    if (event->button() == Qt::LeftButton && layer >= 0 && option >= 0) Q_EMIT cellPicked(option, layer);
}

ReadoutBox::Content SensitivityMap::readoutOf(int layer) const {
    ReadoutBox::Content content = emptyReadout(layer);
    const auto span = columns()->spanOf(layer);
    content.detail = span.count() > 1 ? tr("%1, largest").arg(m_valueName) : m_valueName;
    for (int option = 0; option < m_options.size(); ++option) {
        const double value = largest(m_values[static_cast<std::size_t>(option)], span);
        const bool isChosen = chosenOf(span) == option;
        content.rows << ReadoutBox::Row{isChosen ? tr("%1, chosen").arg(m_options[option]) : m_options[option], {},
                                        std::isfinite(value) ? format::significant(value, 5) : tr("not measured"), 0, colorOf(value)};
    }
    return content;
}

QString SensitivityMap::csvRows() const {
    QString text;
    for (int option = 0; option < m_options.size(); ++option) {
        const auto& row = m_values[static_cast<std::size_t>(option)];
        for (int layer = 0; layer < columns()->count() && layer < static_cast<int>(row.size()); ++layer)
            if (std::isfinite(row[static_cast<std::size_t>(layer)]))
                text += csvField(columns()->layers()[layer].name) + u',' + csvField(m_valueName + u' ' + m_options[option]) + u',' + format::copyText(row[static_cast<std::size_t>(layer)]) + u'\n';
    }
    return text;
}

AllocationStrip::AllocationStrip(LayerColumns* columns, QWidget* parent) : Lane(columns, parent) {
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Expanding);
    setAccessibleName(tr("Bytes and bits of every layer"));
}

void AllocationStrip::setBars(QVector<Bar> bars) {
    m_bars = std::move(bars);
    update();
}

void AllocationStrip::paintLane(QPainter& painter) const {
    const Theme& look = theme();
    paintGround(painter, true);
    const QRectF area = laneArea();
    const double top = area.top() + 15, base = area.bottom() - 1;
    double most = 0, least = 1e300;
    const auto spans = columns()->spans();
    for (const auto& span : spans)
        if (const Bar bar = sum(m_bars, span); bar.bytes > 0) most = std::max(most, bar.bytes), least = std::min(least, bar.bytes);
    const double foot = isLogY() && least < most ? least / 2 : 0;
    const auto share = [&](double bytes) { return foot > 0 ? std::log(bytes / foot) / std::log(most / foot) : bytes / most; };
    painter.setFont(look.font(Type::Caption));
    painter.setPen(look.color(Color::Text3));
    if (most > 0) {
        const auto kb = [](double bytes) { return QString::number(bytes / 1000, 'f', bytes < 10000 ? 1 : 0); };
        painter.drawText(QRectF(0, top - 7, kLeft - 6, 14), Qt::AlignRight | Qt::AlignVCenter, kb(most));
        painter.drawText(QRectF(0, base - 12, kLeft - 6, 14), Qt::AlignRight | Qt::AlignVCenter, foot > 0 ? kb(foot) : QStringLiteral("0"));
    }
    painter.fillRect(QRectF(area.left(), base, area.width(), 1), look.color(Color::Axis));
    for (const auto& span : spans) {
        const Bar bar = sum(m_bars, span);
        if (bar.bytes <= 0 || most <= 0) continue;
        const QRectF column = columnRect(span.first);
        const double high = std::max(1.0, (base - top) * share(bar.bytes)), gap = column.width() >= 8 ? 2 : 0;
        painter.fillRect(QRectF(column.left() + gap / 2, base - high, column.width() - gap - (gap > 0 ? 1 : 0), high), bitsColor(bar.bits));
        if (column.width() < 12) continue;
        painter.setPen(look.color(Color::Text2));
        painter.drawText(QRectF(column.left() - 6, base - high - 15, column.width() + 11, 14), Qt::AlignCenter, QString::number(bar.bits, 'g', 3));
    }
}

ReadoutBox::Content AllocationStrip::readoutOf(int layer) const {
    ReadoutBox::Content content = emptyReadout(layer);
    const Bar bar = sum(m_bars, columns()->spanOf(layer));
    if (bar.bytes <= 0) return content;
    content.rows << ReadoutBox::Row{tr("bytes"), {}, format::count(static_cast<std::int64_t>(bar.bytes)), 0, bitsColor(bar.bits)};
    content.rows << ReadoutBox::Row{tr("bits"), {}, QString::number(bar.bits, 'g', 3), 0, Qt::transparent};
    return content;
}

QString AllocationStrip::csvRows() const {
    QString text;
    for (int i = 0; i < m_bars.size() && i < columns()->count(); ++i)
        text += csvField(columns()->layers()[i].name) + QStringLiteral(",bytes,") + format::copyText(m_bars[i].bytes) + u'\n' + csvField(columns()->layers()[i].name) + QStringLiteral(",bits,") +
                format::copyText(m_bars[i].bits) + u'\n';
    return text;
}

CalibrationBars::CalibrationBars(LayerColumns* columns, QWidget* parent) : Lane(columns, parent) {
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Expanding);
    setAccessibleName(tr("Output error of every layer before and after calibration"));
    setLogY(true);
}

void CalibrationBars::setRows(std::vector<Row> rows) {
    m_rows = std::move(rows);
    m_low = 1e300, m_high = -1e300;
    for (const Row& row : m_rows)
        for (const double value : row.values)
            if (std::isfinite(value) && value > 0) m_low = std::min(m_low, value), m_high = std::max(m_high, value);
    if (m_low > m_high) m_low = 1e-4, m_high = 1;
    // Room below the shortest bar, so that it is still seen.
    const double room = std::pow(std::max(m_high / m_low, 2.0), 0.15);
    m_low /= room, m_high *= std::pow(room, 0.4);
    update();
}

void CalibrationBars::paintLane(QPainter& painter) const {
    const Theme& look = theme();
    paintGround(painter, true);
    const QRectF area = laneArea();
    const double base = area.bottom() - 1;
    const auto share = [&](double value) { return isLogY() ? std::log(value / m_low) / std::log(m_high / m_low) : value / m_high; };
    const auto yOf = [&](double value) { return base - share(value) * (area.height() - 1); };
    painter.setFont(look.font(Type::Caption));
    const bool hasValues = std::any_of(m_rows.begin(), m_rows.end(), [](const Row& row) {
        return std::any_of(row.values.begin(), row.values.end(), [](double value) { return value > 0; });
    });
    if (!hasValues) {
        painter.setPen(look.color(Color::Text3));
        painter.drawText(area, Qt::AlignCenter, tr("no calibration of this point is logged"));
        return;
    }
    QVector<double> ticks = isLogY() ? logTicks(m_low, m_high, area.height(), 24) : fittingTicks(0, m_high, area.height(), 30, 16);
    if (isLogY() && ticks.size() < 2) ticks = logTicks(m_low, m_high, area.height(), 15);  // a low lane: better close than one alone
    const QStringList labels = tickLabels(ticks, isLogY());
    for (int i = 0; i < ticks.size(); ++i) {
        const double y = std::round(yOf(ticks[i]));
        if (y < area.top() || y > base) continue;
        painter.fillRect(QRectF(area.left(), y, area.width(), 1), look.color(Color::Grid));
        painter.setPen(look.color(Color::Text3));
        painter.drawText(QRectF(0, std::clamp(y - 8, area.top() - 2, base - 12), kLeft - 6, 16), Qt::AlignRight | Qt::AlignVCenter, labels[i]);
    }
    painter.fillRect(QRectF(area.left(), base, area.width(), 1), look.color(Color::Axis));
    const int methods = std::max<int>(1, static_cast<int>(m_rows.size()));
    for (const auto& span : columns()->spans()) {
        const QRectF column = columnRect(span.first);
        const double usable = column.width() >= 12 ? column.width() - 4 : column.width();
        const double wide = std::min(10.0, std::max(1.0, std::floor(usable / methods)));
        const double left = std::round(column.center().x() - wide * methods / 2 - 0.5);
        for (int i = 0; i < static_cast<int>(m_rows.size()); ++i) {
            const Row& row = m_rows[static_cast<std::size_t>(i)];
            const double value = largest(row.values, span);
            if (!(value > 0)) continue;
            const double y = yOf(value);
            painter.fillRect(QRectF(left + i * wide, y, wide - (wide >= 4 ? 1 : 0), base - y), barColor(row));
        }
    }
}

ReadoutBox::Content CalibrationBars::readoutOf(int layer) const {
    ReadoutBox::Content content = emptyReadout(layer);
    const auto span = columns()->spanOf(layer);
    content.detail = span.count() > 1 ? tr("output error, largest") : tr("output error");
    for (const Row& row : m_rows) {
        const double value = largest(row.values, span);
        if (std::isfinite(value)) content.rows << ReadoutBox::Row{row.label, {}, format::significant(value, 5), 0, barColor(row)};
    }
    return content;
}

QString CalibrationBars::csvRows() const {
    QString text;
    for (const Row& row : m_rows)
        for (int layer = 0; layer < columns()->count() && layer < static_cast<int>(row.values.size()); ++layer)
            if (std::isfinite(row.values[static_cast<std::size_t>(layer)]))
                text += csvField(columns()->layers()[layer].name) + u',' + csvField(tr("output error %1").arg(row.label)) + u',' + format::copyText(row.values[static_cast<std::size_t>(layer)]) + u'\n';
    return text;
}

}  // namespace espalier::widgets
