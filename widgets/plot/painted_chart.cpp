#include "widgets/plot/painted_chart.h"

#include <QApplication>
#include <QClipboard>
#include <QKeyEvent>
#include <QMenu>
#include <QMouseEvent>
#include <QPainter>
#include <QWheelEvent>

#include <algorithm>
#include <cmath>

#include "widgets/controls/paint_help.h"
#include "widgets/plot/chart_export.h"
#include "widgets/plot/chart_style.h"
#include "widgets/theme/format.h"

namespace espalier::widgets {
namespace {

constexpr int kMostHistory = 100;
constexpr double kLeastGapX = 42, kLeastGapY = 18;  // between ticks, where the wanted gap would leave too few

double along(double value, const AxisRange& range, bool isLog) {
    if (isLog && range.low > 0) return value > 0 ? std::log(value / range.low) / std::log(range.high / range.low) : -1e6;
    return (value - range.low) / range.size();
}

double at(double share, const AxisRange& range, bool isLog) {
    if (isLog && range.low > 0) return range.low * std::pow(range.high / range.low, share);
    return range.low + share * range.size();
}

bool isSensible(const AxisRange& range) { return std::isfinite(range.low) && std::isfinite(range.high) && range.size() > 1e-12 * std::max(std::abs(range.high), 1e-300); }

}  // namespace

double ChartFrame::pixelX(double value) const { return area.left() + along(value, view.x, isLogX) * area.width(); }
double ChartFrame::pixelY(double value) const { return area.bottom() - along(value, view.y, isLogY) * area.height(); }
double ChartFrame::valueX(double pixel) const { return at((pixel - area.left()) / area.width(), view.x, isLogX); }
double ChartFrame::valueY(double pixel) const { return at((area.bottom() - pixel) / area.height(), view.y, isLogY); }

PaintedChart::PaintedChart(QWidget* parent) : QWidget(parent) {
    setFocusPolicy(Qt::StrongFocus);
    setMouseTracking(true);
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Expanding);
    connect(&theme(), &Theme::changed, this, qOverload<>(&QWidget::update));
}

void PaintedChart::setFigureTitle(const QString& title, const QString& caption) {
    m_title = title;
    m_caption = caption;
}

void PaintedChart::setEmptyText(const QString& text) {
    m_emptyText = text;
    update();
}

void PaintedChart::setLogX(bool isLog) {
    if (isLog == m_isLogX) return;
    m_isLogX = isLog;
    setZoom(std::nullopt);
}

void PaintedChart::setLogY(bool isLog) {
    if (isLog == m_isLogY) return;
    m_isLogY = isLog;
    setZoom(std::nullopt);
}

ChartView PaintedChart::view() const { return m_zoom ? *m_zoom : fullView(); }

void PaintedChart::setZoom(std::optional<ChartView> zoom) {
    m_zoom = std::move(zoom);
    update();
    Q_EMIT viewChanged();
}

void PaintedChart::zoomTo(const ChartView& view) {
    if (!isSensible(view.x) || !isSensible(view.y)) return;
    m_history.append(m_zoom);
    if (m_history.size() > kMostHistory) m_history.removeFirst();
    setZoom(view);
}

void PaintedChart::zoomBack() {
    if (m_history.isEmpty()) return;
    setZoom(m_history.takeLast());
}

void PaintedChart::zoomReset() {
    if (!m_zoom) return;
    m_history.append(m_zoom);
    setZoom(std::nullopt);
}

QRect PaintedChart::plotArea() const { return rect().marginsRemoved(margins()); }

ChartFrame PaintedChart::frameOn(const QRectF& area) const { return {area, view(), m_isLogX, m_isLogY}; }

QString PaintedChart::valueTextX(double value) const { return format::significant(value, 4); }

void PaintedChart::paintHorizontalTicks(QPainter& painter, const ChartFrame& frame, double gap) const {
    const Theme& look = theme();
    const QRectF& area = frame.area;
    const AxisRange& range = frame.view.x;
    painter.setRenderHint(QPainter::Antialiasing, false);
    painter.fillRect(QRectF(area.left(), area.bottom(), area.width(), 1), look.color(Color::Axis));
    painter.setFont(look.font(Type::Caption));
    QVector<double> ticks = frame.isLogX ? logTicks(range.low, range.high, area.width(), gap) : fittingTicks(range.low, range.high, area.width(), gap, kLeastGapX);
    bool isLog = frame.isLogX;
    if (isLog && ticks.size() < 3) ticks = fittingTicks(range.low, range.high, area.width(), gap * 1.5, kLeastGapX), isLog = false;
    const QStringList labels = tickLabels(ticks, isLog);
    double end = -1e9;
    for (int i = 0; i < ticks.size(); ++i) {
        const double x = std::round(frame.pixelX(ticks[i]));
        if (x < area.left() - 1 || x > area.right() + 1) continue;
        painter.fillRect(QRectF(x, area.bottom(), 1, 4), look.color(Color::Axis));
        const int wide = painter.fontMetrics().horizontalAdvance(labels[i]) + 2;
        const double left = std::clamp(x - wide / 2.0, area.left() - 8, area.right() - wide + 6);
        if (left < end + 6) continue;
        painter.setPen(look.color(Color::Text3));
        painter.drawText(QRectF(left, area.bottom() + 4, wide, 16), Qt::AlignCenter, labels[i]);
        end = left + wide;
    }
}

void PaintedChart::paintVerticalTicks(QPainter& painter, const ChartFrame& frame, double gap) const {
    const Theme& look = theme();
    const QRectF& area = frame.area;
    const AxisRange& range = frame.view.y;
    painter.setRenderHint(QPainter::Antialiasing, false);
    painter.setFont(look.font(Type::Caption));
    QVector<double> ticks = frame.isLogY ? logTicks(range.low, range.high, area.height(), gap) : fittingTicks(range.low, range.high, area.height(), gap, kLeastGapY);
    bool isLog = frame.isLogY;
    if (isLog && ticks.size() < 3) ticks = fittingTicks(range.low, range.high, area.height(), gap, kLeastGapY), isLog = false;
    const QStringList labels = tickLabels(ticks, isLog);
    for (int i = 0; i < ticks.size(); ++i) {
        const double y = std::round(frame.pixelY(ticks[i]));
        if (y < area.top() || y > area.bottom()) continue;
        painter.fillRect(QRectF(area.left(), y, area.width(), 1), look.color(Color::Grid));
        painter.setPen(look.color(Color::Text3));
        painter.drawText(QRectF(area.left() - 60, y - 8, 52, 16), Qt::AlignRight | Qt::AlignVCenter, labels[i]);
    }
}

void PaintedChart::paintCornerWord(QPainter& painter, const ChartFrame& frame, const QString& word) const {
    painter.setFont(theme().font(Type::Caption));
    painter.setPen(theme().color(Color::Text3));
    painter.drawText(QRectF(frame.area.left(), frame.area.bottom() - 18, frame.area.width() - 1, 16), Qt::AlignRight | Qt::AlignVCenter, word);
}

void PaintedChart::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    if (!hasData()) {
        painter.setFont(theme().font(Type::Body));
        painter.setPen(theme().color(Color::Text3));
        painter.drawText(rect().adjusted(12, 0, -12, 0), Qt::AlignCenter | Qt::TextWordWrap, m_emptyText);
    } else {
        painter.save();
        paintPlot(painter, frame());
        painter.restore();
        paintCursor(painter);
    }
    if (showsFocus(this)) paintFocus(painter, rect(), metrics::kRadius);
}

void PaintedChart::paintCursor(QPainter& painter) const {
    const Theme& look = theme();
    painter.setRenderHint(QPainter::Antialiasing, false);
    if (!m_band.isNull()) {
        QColor fill = look.color(Color::Accent);
        painter.setPen(QPen(fill, 1));
        fill.setAlphaF(0.12f);
        painter.setBrush(fill);
        painter.drawRect(QRectF(m_band).adjusted(0.5, 0.5, -0.5, -0.5));
    }
    if (!m_cursor || m_gesture != Gesture::None) return;
    const QRect area = plotArea();
    painter.fillRect(QRect(m_cursor->x(), area.top(), 1, area.height()), look.color(Color::Cursor));
    const QString text = valueTextX(frame().valueX(m_cursor->x()));
    painter.setFont(look.font(Type::CaptionStrong));
    const int wide = painter.fontMetrics().horizontalAdvance(text) + 10;
    const QRect tag(std::clamp(m_cursor->x() - wide / 2, 0, std::max(0, width() - wide)), area.bottom() + 3, wide, 17);
    paintBox(painter, tag, metrics::kRadiusBadge, look.color(Color::Text));
    painter.setPen(look.color(Color::Well));
    painter.drawText(tag, Qt::AlignCenter, text);
}

Figure PaintedChart::figure() const {
    Figure figure;
    figure.title = m_title;
    figure.size = size().expandedTo(QSize(420, 240)) + QSize(0, metrics::kChartHeader);
    figure.paint = [this, size = figure.size](QPainter& painter, bool) {
        const PaperColors paper;
        m_isOnPaper = true;
        painter.fillRect(QRect(QPoint(), size), theme().color(Color::Well));
        const QRect header(4, 0, size.width() - 8, metrics::kChartHeader);
        painter.setFont(theme().font(Type::BodyStrong));
        painter.setPen(theme().color(Color::Text));
        painter.drawText(header, Qt::AlignLeft | Qt::AlignVCenter, m_title);
        const int used = painter.fontMetrics().horizontalAdvance(m_title) + 10;
        painter.setFont(theme().font(Type::Caption));
        painter.setPen(theme().color(Color::Text3));
        painter.drawText(header.adjusted(used, 0, 0, 0), Qt::AlignLeft | Qt::AlignVCenter, m_caption);
        paintFigureLegend(painter, header);
        if (hasData()) paintPlot(painter, frameOn(QRectF(0, metrics::kChartHeader, size.width(), size.height() - metrics::kChartHeader).marginsRemoved(margins())));
        m_isOnPaper = false;
    };
    figure.csv = [this] { return csv().toUtf8(); };
    return figure;
}

void PaintedChart::copyPicture() const { QApplication::clipboard()->setImage(figureImage(figure())); }

void PaintedChart::fillMenu(QMenu& menu) {
    addToMenu(menu);
    const auto toggle = [&](const QString& words, bool isOn, auto change) {
        QAction* action = menu.addAction(words, this, [this, isOn, change] { (this->*change)(!isOn); });
        action->setCheckable(true);
        action->setChecked(isOn);
    };
    if (canLogY()) toggle(tr("Log scale on y"), m_isLogY, &PaintedChart::setLogY);
    if (canLogX()) toggle(tr("Log scale on x"), m_isLogX, &PaintedChart::setLogX);
    menu.addSeparator();
    menu.addAction(tr("Zoom back"), this, &PaintedChart::zoomBack)->setEnabled(canGoBack());
    menu.addAction(tr("Reset zoom"), this, &PaintedChart::zoomReset)->setEnabled(isZoomed());
    menu.addSeparator();
    menu.addAction(tr("Copy picture"), this, &PaintedChart::copyPicture);
    menu.addAction(tr("Copy points as CSV"), this, [this] { QApplication::clipboard()->setText(csv()); });
    menu.addAction(tr("Export chart…"), this, &PaintedChart::exportRequested);
}

void PaintedChart::showMenu(const QPoint& globalPosition) {
    auto* menu = new QMenu(this);
    menu->setAttribute(Qt::WA_DeleteOnClose);
    fillMenu(*menu);
    menu->popup(globalPosition);
}

}  // namespace espalier::widgets
