#include "app/pages/new_run_number.h"

#include <QKeyEvent>
#include <QPainter>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "widgets/theme/format.h"
#include "widgets/theme/theme.h"

namespace espalier::app {

using namespace widgets;
using format::text;

namespace {

constexpr int kNumberWidth = 92;
constexpr int kUnitNumberWidth = 120;
constexpr int kArrowWidth = 18;

// "5.5e-04" as to_chars writes it becomes "5.5e-4".
QString withShortExponent(QString number) {
    const qsizetype e = number.indexOf(u'e');
    if (e < 0) return number;
    QString exponent = number.mid(e + 1);
    const bool isNegative = exponent.startsWith(u'-');
    exponent.remove(u'-').remove(u'+');
    while (exponent.size() > 1 && exponent.startsWith(u'0')) exponent.remove(0, 1);
    return number.left(e + 1) + (isNegative ? QStringLiteral("-") : QString()) + exponent;
}

QString shortest(double value, std::chars_format style) {
    char buffer[64];
    const auto [end, code] = std::to_chars(buffer, buffer + sizeof buffer, value, style);
    return code == std::errc{} ? withShortExponent(QString::fromLatin1(buffer, static_cast<qsizetype>(end - buffer))) : QString();
}

}  // namespace

QString shownNumber(double value, bool isLog) {
    const double size = std::fabs(value);
    if (size > 0 && (size < 0.001 || (isLog && size < 1))) return shortest(value, std::chars_format::scientific);
    if (size >= 1000 && value == std::floor(value)) return format::count(static_cast<std::int64_t>(value));
    return shortest(value, std::chars_format::fixed);
}

QString shownValue(const api::ParamSpec& spec, const api::ParamValue& value) {
    if (const double* real = std::get_if<double>(&value)) {
        const double size = std::fabs(*real);
        const bool isSmall = size > 0 && (size < 0.001 || (spec.isLog && size < 1));
        return shortest(*real, isSmall ? std::chars_format::scientific : std::chars_format::general);
    }
    QString shown = text(api::valueText(value));
    if (spec.type == api::ParamType::IntegerList) shown.replace(u',', QStringLiteral(", "));
    return shown;
}

NumberField::NumberField(const api::ParamSpec& spec, QWidget* parent) : QLineEdit(parent), m_spec(spec) {
    const int unit = spec.unit.empty() ? 0 : QFontMetrics(theme().font(Type::Body)).horizontalAdvance(format::text(spec.unit)) + 6;
    setTextMargins(0, 0, kArrowWidth - 4 + unit, 0);
    setFixedWidth(spec.unit.empty() ? kNumberWidth : kUnitNumberWidth);
    setMouseTracking(true);
}

QRect NumberField::arrowRect(bool isUp) const {
    return QRect(width() - kArrowWidth - 1, isUp ? 2 : height() / 2, kArrowWidth, height() / 2 - 2);
}

void NumberField::stepBy(int steps) {
    bool isOk = false;
    const double before = QLineEdit::text().trimmed().toDouble(&isOk);
    double value = isOk ? before : (std::holds_alternative<double>(m_spec.paper) ? std::get<double>(m_spec.paper) : m_spec.minimum);
    if (m_spec.type == api::ParamType::Integer) {
        value = std::round(value) + steps;
    } else if (m_spec.isLog) {
        // 1, 2, 5, 10, …: from any value to the next of these.
        for (int i = 0; i < std::abs(steps); ++i) {
            if (value <= 0) {
                value = steps > 0 ? std::max(m_spec.minimum, 1e-6) : 0;
                continue;
            }
            const double decade = std::pow(10.0, std::floor(std::log10(value) + 1e-9));
            const double ladder[] = {0.5, 1, 2, 5, 10};
            const double lead = value / decade;
            double next = steps > 0 ? 10 : 0.5;
            for (const double rung : ladder) {
                if (steps > 0 && rung > lead * 1.0001) { next = rung; break; }
                if (steps < 0 && rung < lead * 0.9999) next = rung;
            }
            value = next * decade;
        }
    } else {
        const double span = m_spec.maximum - m_spec.minimum;
        const double step = std::pow(10.0, std::floor(std::log10(span > 0 ? span / 5 : 1.0)));
        value = std::round((value + steps * step) / step) * step;
    }
    if (m_spec.minimum != m_spec.maximum) value = std::clamp(value, m_spec.minimum, m_spec.maximum);
    // Rounded to what a person would have typed: 0.30000000000000004 is 0.3.
    value = QString::number(value, 'g', 10).toDouble();
    setText(m_spec.type == api::ParamType::Integer ? QString::number(static_cast<qint64>(value)) : shownValue(m_spec, value));
    Q_EMIT stepped();
}

void NumberField::keyPressEvent(QKeyEvent* event) {
    switch (event->key()) {
        case Qt::Key_Up: return stepBy(1);
        case Qt::Key_Down: return stepBy(-1);
        case Qt::Key_PageUp: return stepBy(10);
        case Qt::Key_PageDown: return stepBy(-10);
        default: QLineEdit::keyPressEvent(event);
    }
}

void NumberField::mousePressEvent(QMouseEvent* event) {
    for (const bool isUp : {true, false})
        if (event->button() == Qt::LeftButton && arrowRect(isUp).contains(event->pos())) return stepBy(isUp ? 1 : -1);
    QLineEdit::mousePressEvent(event);
}

void NumberField::mouseMoveEvent(QMouseEvent* event) {
    setCursor(event->pos().x() >= width() - kArrowWidth ? Qt::ArrowCursor : Qt::IBeamCursor);
    QLineEdit::mouseMoveEvent(event);
}

void NumberField::paintEvent(QPaintEvent* event) {
    QLineEdit::paintEvent(event);
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    const Theme& look = theme();
    painter.setPen(QPen(look.color(isEnabled() ? Color::Text2 : Color::Disabled), 1.3, Qt::SolidLine, Qt::RoundCap, Qt::RoundJoin));
    for (const bool isUp : {true, false}) {
        const double x = width() - kArrowWidth / 2.0 - 2, y = height() / 2.0 + (isUp ? -4.5 : 4.5), d = isUp ? 1.6 : -1.6;
        painter.drawPolyline(QPolygonF({QPointF(x - 3, y + d), QPointF(x, y - d), QPointF(x + 3, y + d)}));
    }
    if (m_spec.unit.empty()) return;
    painter.setFont(look.font(Type::Body));
    painter.setPen(look.color(Color::Text3));
    painter.drawText(rect().adjusted(0, 0, -kArrowWidth - 4, 0), Qt::AlignVCenter | Qt::AlignRight, format::text(m_spec.unit));
}

}  // namespace espalier::app
