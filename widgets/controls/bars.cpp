#include "widgets/controls/bars.h"

#include <QKeyEvent>
#include <QMouseEvent>
#include <QPainter>
#include <QPainterPath>

#include <algorithm>
#include <cmath>

#include "widgets/controls/paint_help.h"
#include "widgets/theme/format.h"

namespace espalier::widgets {

void paintHatch(QPainter& painter, const QRectF& rect, const QColor& color, double phase) {
    painter.save();
    painter.setRenderHint(QPainter::Antialiasing);
    QPainterPath clip;
    clip.addRoundedRect(rect, rect.height() / 2, rect.height() / 2);
    painter.setClipPath(clip);
    painter.fillRect(rect, theme().color(Color::Pressed));
    constexpr double period = 8;
    painter.setPen(Qt::NoPen);
    painter.setBrush(color);
    const double slant = rect.height();
    for (double x = rect.left() - period - slant + phase * period; x < rect.right(); x += period) {
        const QPointF points[] = {{x, rect.bottom()}, {x + period / 2, rect.bottom()},
                                  {x + period / 2 + slant, rect.top()}, {x + slant, rect.top()}};
        painter.drawPolygon(points, 4);
    }
    painter.restore();
}

ProgressBar::ProgressBar(QWidget* parent) : QWidget(parent) {
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    m_timer.setInterval(40);
    connect(&m_timer, &QTimer::timeout, this, qOverload<>(&QWidget::update));
    connect(&theme(), &Theme::changed, this, &ProgressBar::updateTimer);
    m_clock.start();
}

void ProgressBar::setFraction(double fraction) {
    if (fraction == m_fraction) return;
    m_fraction = std::min(fraction, 1.0);
    setAccessibleDescription(fraction < 0 ? tr("working") : tr("%1 %").arg(qRound(m_fraction * 100)));
    updateTimer();
    update();
}

void ProgressBar::setRole(Color role) {
    m_role = role;
    update();
}

void ProgressBar::updateTimer() {
    const bool isMoving = m_fraction < 0 && isVisible() && !theme().isMotionReduced();
    if (isMoving && !m_timer.isActive()) m_timer.start();
    if (!isMoving) m_timer.stop();
}

void ProgressBar::showEvent(QShowEvent*) { updateTimer(); }
void ProgressBar::hideEvent(QHideEvent*) { updateTimer(); }
QSize ProgressBar::sizeHint() const { return {120, metrics::kProgress}; }
QSize ProgressBar::minimumSizeHint() const { return {32, metrics::kProgress}; }

void ProgressBar::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    const QRectF bar(0, (height() - metrics::kProgress) / 2.0, width(), metrics::kProgress);
    if (m_fraction < 0) {
        const double phase = m_timer.isActive() ? std::fmod(static_cast<double>(m_clock.elapsed()) / 400.0, 1.0) : 0;
        paintHatch(painter, bar, theme().color(m_role), phase);
        return;
    }
    paintBox(painter, bar, 3, theme().color(Color::Pressed));
    if (m_fraction <= 0) return;
    QRectF done = bar;
    done.setWidth(std::max(6.0, bar.width() * m_fraction));
    paintBox(painter, done, 3, theme().color(m_role));
}

ClaimBar::ClaimBar(QWidget* parent) : QWidget(parent) {
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    setFixedHeight(14);
}

void ClaimBar::setValues(double value, double claim, double low, double high, const QColor& color) {
    m_value = value;
    m_claim = claim;
    m_low = low;
    m_high = high;
    m_color = color;
    setAccessibleName(tr("%1 of the claimed %2").arg(format::fraction(value), format::fraction(claim)));
    update();
}

QSize ClaimBar::sizeHint() const { return {160, 14}; }

void ClaimBar::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    const QRectF bar(0, (height() - 6) / 2.0, width(), 6);
    const double span = m_high > m_low ? m_high - m_low : 1.0;
    paintBox(painter, bar, 3, theme().color(Color::Pressed));
    if (std::isfinite(m_value)) {
        QRectF reached = bar;
        reached.setWidth(std::clamp((m_value - m_low) / span, 0.02, 1.0) * bar.width());
        paintBox(painter, reached, 3, m_color.isValid() ? m_color : theme().color(Color::Accent));
    }
    const double x = std::clamp((m_claim - m_low) / span, 0.0, 1.0) * (bar.width() - 2);
    painter.fillRect(QRectF(std::floor(x), 0, 2, height()), theme().color(Color::Text));
}

SplitBar::SplitBar(QWidget* parent) : QWidget(parent) {
    setFixedHeight(12);
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    setMouseTracking(true);
}

void SplitBar::setCounts(const std::array<std::int64_t, 3>& counts) {
    const auto total = static_cast<double>(std::max<std::int64_t>(1, counts[0] + counts[1] + counts[2]));
    for (std::size_t i = 0; i < 3; ++i) m_fractions[i] = static_cast<double>(counts[i]) / total;
    setAccessibleName(tr("train %1, valid %2, test %3")
                          .arg(format::count(counts[0]), format::count(counts[1]), format::count(counts[2])));
    update();
}

void SplitBar::setEditable(bool isEditable) {
    m_isEditable = isEditable;
    setFocusPolicy(isEditable ? Qt::TabFocus : Qt::NoFocus);
}

QSize SplitBar::sizeHint() const { return {200, 12}; }

int SplitBar::borderAt(int x) const {
    const double first = m_fractions[0] * width(), second = (m_fractions[0] + m_fractions[1]) * width();
    if (std::fabs(x - second) <= 5) return 1;
    return std::fabs(x - first) <= 5 ? 0 : -1;
}

void SplitBar::setBorder(int border, double position) {
    const double p = std::clamp(position, 0.0, 1.0);
    const double second = m_fractions[0] + m_fractions[1];
    if (border == 0) {
        m_fractions[0] = std::clamp(p, 0.01, second);
        m_fractions[1] = second - m_fractions[0];
    } else {
        const double end = std::max(p, m_fractions[0]);
        m_fractions[1] = end - m_fractions[0];
        m_fractions[2] = 1 - end;
    }
    update();
    Q_EMIT dragged(m_fractions[0], m_fractions[1], m_fractions[2]);
}

void SplitBar::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    const feed::Split splits[] = {feed::Split::Train, feed::Split::Valid, feed::Split::Test};
    double x = 0;
    for (std::size_t i = 0; i < 3; ++i) {
        const double end = x + m_fractions[i] * width();
        painter.fillRect(QRectF(std::round(x), 0, std::round(end) - std::round(x) - (i < 2 ? 1 : 0), height()),
                         theme().splitColor(splits[i]));
        x = end;
    }
    if (showsFocus(this)) {
        const double at = (m_focused == 0 ? m_fractions[0] : m_fractions[0] + m_fractions[1]) * width();
        painter.fillRect(QRectF(at - 1.5, 0, 3, height()), theme().color(Color::Focus));
    }
}

void SplitBar::mousePressEvent(QMouseEvent* event) {
    if (m_isEditable) m_dragged = borderAt(qRound(event->position().x()));
}

void SplitBar::mouseMoveEvent(QMouseEvent* event) {
    if (!m_isEditable) return;
    if (m_dragged >= 0)
        setBorder(m_dragged, event->position().x() / std::max(1, width()));
    else
        setCursor(borderAt(qRound(event->position().x())) >= 0 ? Qt::SplitHCursor : Qt::ArrowCursor);
}

void SplitBar::mouseReleaseEvent(QMouseEvent*) {
    if (m_dragged < 0) return;
    m_dragged = -1;
    Q_EMIT committed(m_fractions[0], m_fractions[1], m_fractions[2]);
}

void SplitBar::keyPressEvent(QKeyEvent* event) {
    const double at = m_focused == 0 ? m_fractions[0] : m_fractions[0] + m_fractions[1];
    switch (event->key()) {
        case Qt::Key_Left: setBorder(m_focused, at - 0.01); break;
        case Qt::Key_Right: setBorder(m_focused, at + 0.01); break;
        case Qt::Key_Up:
        case Qt::Key_Down: m_focused = 1 - m_focused; update(); break;
        case Qt::Key_Return:
        case Qt::Key_Enter: Q_EMIT committed(m_fractions[0], m_fractions[1], m_fractions[2]); break;
        default: QWidget::keyPressEvent(event);
    }
}

static int rowHeight() { return theme().scaled(metrics::kRowDense); }

BarList::BarList(QWidget* parent) : QWidget(parent) { setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Fixed); }

void BarList::setRows(QVector<Row> rows, double maximum) {
    m_rows = std::move(rows);
    m_maximum = maximum > 0 ? maximum : 1;
    QStringList spoken;
    for (const Row& row : m_rows) spoken << row.name + u' ' + row.value;
    setAccessibleDescription(spoken.join(QStringLiteral(", ")));
    updateGeometry();
    update();
}

void BarList::setPartColors(std::array<QColor, 3> colors) {
    m_colors = colors;
    update();
}

void BarList::setNameWidth(int width) {
    m_nameWidth = width;
    update();
}

void BarList::setTrackVisible(bool isVisible) {
    m_hasTrack = isVisible;
    update();
}

QSize BarList::sizeHint() const { return {200, static_cast<int>(m_rows.size()) * rowHeight()}; }

void BarList::mousePressEvent(QMouseEvent* event) {
    const int row = qFloor(event->position().y()) / rowHeight();
    if (row >= 0 && row < m_rows.size()) Q_EMIT rowClicked(row);
}

void BarList::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    Theme& look = theme();
    const QFontMetrics body(look.font(Type::Body));
    int valueWidth = 0;
    for (const Row& row : m_rows) valueWidth = std::max(valueWidth, body.horizontalAdvance(row.value) + 8);
    const double room = width() - m_nameWidth - valueWidth;
    const feed::Split splits[] = {feed::Split::Train, feed::Split::Valid, feed::Split::Test};
    for (int i = 0; i < m_rows.size(); ++i) {
        const Row& row = m_rows[i];
        const QRect line(0, i * rowHeight(), width(), rowHeight());
        painter.setFont(look.font(row.isBold ? Type::BodyStrong : Type::Body));
        painter.setPen(look.color(row.isBold ? Color::Text : Color::Text2));
        painter.drawText(QRect(0, line.y(), m_nameWidth - 8, line.height()), Qt::AlignVCenter,
                         painter.fontMetrics().elidedText(row.name, Qt::ElideMiddle, m_nameWidth - 8));
        if (m_hasTrack) painter.fillRect(QRectF(m_nameWidth, line.y() + 7, room, 6), look.color(Color::Pressed));
        const double top = m_hasTrack ? 7 : 5, high = m_hasTrack ? 6 : 10;
        double x = m_nameWidth;
        for (std::size_t p = 0; p < 3; ++p) {
            const double width = row.parts[p] / m_maximum * room;
            if (width <= 0) continue;
            const QColor color = m_colors[p].isValid() ? m_colors[p] : look.splitColor(splits[p]);
            painter.fillRect(QRectF(x, line.y() + top, std::max(1.0, width - (p < 2 && row.parts[p + 1] > 0 ? 1 : 0)), high), color);
            x += width;
        }
        painter.setPen(look.color(Color::Text));
        painter.setFont(look.font(Type::Body));
        painter.drawText(line, Qt::AlignVCenter | Qt::AlignRight, row.value);
    }
}

}  // namespace espalier::widgets
