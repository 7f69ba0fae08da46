#include "widgets/plot/chart_marks.h"

#include "widgets/plot/qcp.h"
#include "widgets/theme/format.h"
#include "widgets/theme/metrics.h"

#include <QCoreApplication>

#include <algorithm>
#include <cmath>

namespace espalier::widgets {
namespace {

constexpr double kTick = 5, kLabelGap = 5;
constexpr std::size_t kMaxBreaks = 64;

QString word(const char* text) { return QCoreApplication::translate("ChartMarks", text); }

struct Label {
    double x = 0;
    QString text;
    QColor color;
};

// Labels stand right of their line, left of it at the end of the chart; of two that collide the later one goes.
void paintLabels(QCPPainter& painter, const QRect& area, std::vector<Label>& labels, const QColor& ground) {
    std::stable_sort(labels.begin(), labels.end(), [](const Label& a, const Label& b) { return a.x < b.x; });
    const QFontMetrics metrics(theme().font(Type::Caption));
    painter.setFont(theme().font(Type::Caption));
    double occupied = area.left();
    for (const Label& label : labels) {
        const double width = metrics.horizontalAdvance(label.text);
        double left = label.x + kLabelGap;
        if (left + width > area.right() + 8) left = label.x - kLabelGap - width;
        if (left < occupied) continue;
        painter.fillRect(QRectF(left - 2, area.top() - 1, width + 4, metrics.height()), ground);
        painter.setPen(label.color);
        painter.drawText(QPointF(left, area.top() + metrics.ascent()), label.text);
        occupied = left + width + 6;
    }
}

void paintVertical(QCPPainter& painter, const QRect& area, double x, QPen pen) {
    painter.setRenderHint(QPainter::Antialiasing, false);
    painter.setPen(pen);
    const double at = std::floor(x) + 0.5;
    painter.drawLine(QPointF(at, area.top()), QPointF(at, area.bottom()));
}

void paintTriangle(QCPPainter& painter, const QRect& area, double x, const QColor& color) {
    painter.setRenderHint(QPainter::Antialiasing, true);
    painter.setPen(Qt::NoPen);
    painter.setBrush(color);
    const double at = std::floor(x) + 0.5, top = area.top();
    painter.drawPolygon(QPolygonF{{at - 4, top}, {at + 4, top}, {at, top + 6}});
}

// Every place where a visible line breaks, from marks of the log and from the points themselves.
std::vector<Label> breaksOf(const ChartScene& scene, const QCPAxis& axis, const QRect& area) {
    std::vector<Label> breaks;
    const QColor color = scene.look.color(Color::Error);
    const QCPRange range = axis.range();
    const auto isNear = [&](double x) {
        return std::any_of(breaks.begin(), breaks.end(), [&](const Label& b) { return std::abs(b.x - x) < 4; });
    };
    const auto add = [&](double key, const QString& text) {
        if (key < range.lower || key > range.upper) return;
        const double x = axis.coordToPixel(key);
        if (x >= area.left() && x <= area.right() && !isNear(x)) breaks.push_back({x, text, color});
    };
    for (const ChartEvent& event : scene.events) {
        if (event.mark.kind == "nan") add(scene.keyOf(event), markWord(event.mark));
    }
    for (const auto& line : scene.lines) {
        if (!line->isVisible()) continue;
        const LineColumns view = line->columns();
        for (const std::size_t i : line->decimator().pyramid().nonFinite(view.values, 0, line->decimator().size(), kMaxBreaks)) {
            add(view.key(i), std::isnan(view.values[i]) ? word("NaN") : word("infinite"));
        }
    }
    return breaks;
}

void paintClaim(QCPPainter& painter, const QRect& area, const ChartScene& scene, const QCPAxis& y) {
    if (!scene.claim) return;
    const double py = y.coordToPixel(scene.claim->value);
    if (!std::isfinite(py) || py < area.top() || py > area.bottom()) return;
    QPen pen(scene.look.color(Color::Text2), 1);
    setDash(pen, scene.claim->isBaseline ? QVector<qreal>{5, 3} : QVector<qreal>{8, 4});
    painter.setRenderHint(QPainter::Antialiasing, false);
    painter.setPen(pen);
    const double at = std::floor(py) + 0.5;
    painter.drawLine(QPointF(area.left(), at), QPointF(area.right(), at));
    const QFontMetrics metrics(theme().font(Type::Caption));
    painter.setFont(theme().font(Type::Caption));
    painter.setPen(scene.look.color(Color::Text2));
    const double width = metrics.horizontalAdvance(scene.claim->text);
    const bool hasRoomAbove = at - area.top() > metrics.height();
    const double baseline = hasRoomAbove ? at - 3 - metrics.descent() : at + 2 + metrics.ascent();
    painter.fillRect(QRectF(area.right() - width - 3, baseline - metrics.ascent(), width + 5, metrics.height() - 1), scene.look.color(Color::Well, 0.72));
    painter.drawText(QPointF(area.right() - width, baseline), scene.claim->text);
}

void paintTicks(QCPPainter& painter, const QRect& area, const ChartScene& scene, const QCPAxis& x,
                std::vector<Label>& labels) {
    const QCPRange range = x.range();
    double lastTick = -1e9;
    std::optional<double> best;
    for (const ChartEvent& event : scene.events) {
        const double key = scene.keyOf(event);
        if (!(key >= range.lower && key <= range.upper) || event.mark.kind == "nan") continue;
        const double px = x.coordToPixel(key);
        if (event.mark.kind == "best") {
            best = px;
            continue;
        }
        const bool isAtStart = px < area.left() + kTick;  // "it began here" says the axis already
        if (isTurningPoint(event.mark) && !isAtStart) {
            QPen dotted(scene.look.color(Color::Text3), 1);
            setDash(dotted, {2, 3});
            paintVertical(painter, area, px, dotted);
            labels.push_back({px, markWord(event.mark), scene.look.color(Color::Text2)});
        } else if (std::abs(px - lastTick) < 4) {
            continue;
        }
        lastTick = px;
        painter.setRenderHint(QPainter::Antialiasing, false);
        painter.setPen(QPen(scene.look.color(Color::Text2, 0.9), 1));
        const double at = std::floor(px) + 0.5;
        painter.drawLine(QPointF(at, area.bottom() - kTick), QPointF(at, area.bottom()));
    }
    if (!best) return;
    painter.setRenderHint(QPainter::Antialiasing, true);
    painter.setPen(Qt::NoPen);
    painter.setBrush(scene.look.color(Color::Text));
    const double at = *best, middle = area.bottom() - 5;
    painter.drawPolygon(QPolygonF{{at, middle - 4.5}, {at + 3, middle}, {at, middle + 4.5}, {at - 3, middle}});
}

// Right-aligned above the end of the axis, left of whatever stands there.
void paintUnit(QCPPainter& painter, const QRect& area, const ChartScene& scene, const QCPAxis& x) {
    if (scene.xUnit.isEmpty()) return;
    const QFontMetrics metrics(theme().font(Type::Caption));
    const double width = metrics.horizontalAdvance(scene.xUnit);
    std::vector<double> taken;
    for (const ChartEvent& event : scene.events)
        if (isTurningPoint(event.mark) || event.mark.kind == "best") taken.push_back(x.coordToPixel(scene.keyOf(event)));
    const double left = freeLeftOf(area.right(), width, std::move(taken));
    painter.setFont(theme().font(Type::Caption));
    painter.setPen(scene.look.color(Color::Text3));
    painter.fillRect(QRectF(left - 1, area.bottom() - 5 - metrics.ascent(), width + 2, metrics.height() - 1), scene.look.color(Color::Well, 0.72));
    painter.drawText(QPointF(left, area.bottom() - 6), scene.xUnit);
}

}  // namespace

double freeLeftOf(double right, double width, std::vector<double> taken) {
    std::sort(taken.rbegin(), taken.rend());
    double left = right - width;
    for (const double at : taken)
        if (at > left - kLabelGap && at < left + width + kLabelGap) left = at - kLabelGap - width;
    return left;
}

QString markWord(const feed::RunMark& mark) {
    bool isNumber = false;
    const double number = format::text(mark.text).toDouble(&isNumber);
    if (mark.kind == "lr" && isNumber) return word("lr %1").arg(format::significant(number, 3));
    // The log names the series; the word says what happened there.
    if (mark.kind == "nan" && !mark.text.empty() && mark.text.find(' ') == std::string::npos) return word("NaN in %1").arg(format::text(mark.text));
    if (!mark.text.empty()) return format::text(mark.text);
    if (mark.kind == "mixup_off") return word("mixup off");
    if (mark.kind == "nan") return word("NaN");
    if (mark.kind == "lr") return word("lr change");
    return format::text(mark.kind);
}

bool isTurningPoint(const feed::RunMark& mark) {
    // A change of the learning rate is a tick: the schedule has a chart of its own, and a cosine ends in many of them.
    return mark.kind == "resume" || mark.kind == "mixup_off" || mark.kind == "stage" || mark.kind == "pause";
}

void paintMarks(QCPPainter& painter, const QRect& area, const ChartScene& scene, const QCPAxis& x, const QCPAxis& y) {
    if (!scene.emptyText.isEmpty() && std::all_of(scene.lines.begin(), scene.lines.end(), [](const auto& line) { return line->isEmpty(); })) {
        painter.setFont(theme().font(Type::Caption));
        const QRect words = painter.fontMetrics().boundingRect(area, Qt::AlignCenter | Qt::TextWordWrap, scene.emptyText);
        painter.fillRect(words.adjusted(-8, -2, 8, 2), scene.look.color(Color::Well));  // no grid line through the words
        painter.setPen(scene.look.color(Color::Text3));
        painter.drawText(area, Qt::AlignCenter | Qt::TextWordWrap, scene.emptyText);
    }
    paintClaim(painter, area, scene, y);
    if (scene.detail == EventDetail::None) return;
    std::vector<Label> labels;
    const std::vector<Label> breaks = breaksOf(scene, x, area);
    if (scene.detail == EventDetail::Full) paintTicks(painter, area, scene, x, labels);
    for (const Label& broken : breaks) {
        paintVertical(painter, area, broken.x, QPen(broken.color, 1));
        paintTriangle(painter, area, broken.x, broken.color);
    }
    if (scene.detail != EventDetail::Full) return;
    labels.insert(labels.begin(), breaks.begin(), breaks.end());
    paintLabels(painter, area, labels, scene.look.color(Color::Well, 0.72));
    paintUnit(painter, area, scene, x);
}

void paintCursor(QCPPainter& painter, const QRect& area, const ChartScene& scene, const QCPAxis& x, const QCPAxis& y) {
    if (!scene.rubberBand.isNull()) {
        painter.setRenderHint(QPainter::Antialiasing, false);
        painter.setPen(QPen(scene.look.color(Color::Accent), 1));
        painter.setBrush(scene.look.color(Color::Accent, 0.12));
        painter.drawRect(scene.rubberBand);
    }
    if (scene.hasFocusRing) {
        painter.setRenderHint(QPainter::Antialiasing, true);
        painter.setPen(QPen(scene.look.color(Color::Focus), 2));
        painter.setBrush(Qt::NoBrush);
        painter.drawRoundedRect(QRectF(area).adjusted(-1, -1, 3, 1), metrics::kRadius, metrics::kRadius);
    }
    if (!scene.cursorKey) return;
    const double px = x.coordToPixel(*scene.cursorKey);
    if (!std::isfinite(px) || px < area.left() - 1 || px > area.right() + 1) return;
    paintVertical(painter, area, px, QPen(scene.look.color(Color::Cursor), 1));
    painter.setRenderHint(QPainter::Antialiasing, true);
    painter.setPen(QPen(scene.look.color(Color::Well), 1.5));
    for (const auto& line : scene.lines) {
        if (!line->isVisible() || line->spec().role == LineRole::Seed) continue;
        const auto reading = line->readingAt(*scene.cursorKey, scene.tolerance);
        if (!reading) continue;
        const double py = y.coordToPixel(reading->smooth);
        if (!std::isfinite(py) || py < area.top() - 2 || py > area.bottom() + 2) continue;
        painter.setBrush(scene.look.runColor(line->spec().colorIndex));
        painter.drawEllipse(QPointF(std::floor(px) + 0.5, py), 4.25, 4.25);
    }
    if (scene.cursorTag.isEmpty()) return;
    QFont font = theme().font(Type::CaptionStrong);
    const QFontMetrics text(font);
    const double width = text.horizontalAdvance(scene.cursorTag) + 12;
    const double left = std::clamp(px - width / 2, area.left() - 30.0, area.right() + 8.0 - width);
    const QRectF tag(left, area.bottom() + 2, width, 18);
    painter.setPen(Qt::NoPen);
    painter.setBrush(scene.look.color(Color::Cursor));
    painter.drawRoundedRect(tag, metrics::kRadiusBadge, metrics::kRadiusBadge);
    painter.setFont(font);
    painter.setPen(scene.look.color(Color::Well));
    painter.drawText(tag, Qt::AlignCenter, scene.cursorTag);
}

}  // namespace espalier::widgets
