#include "widgets/plot/loss_chart.h"

#include "widgets/controls/chip.h"
#include "widgets/controls/section.h"
#include "widgets/plot/chart_group.h"
#include "widgets/plot/chart_input.h"
#include "widgets/plot/chart_legend.h"
#include "widgets/plot/chart_marks.h"
#include "widgets/plot/chart_style.h"
#include "widgets/plot/line_plottables.h"
#include "widgets/theme/format.h"
#include "widgets/theme/metrics.h"

#include <QPainter>
#include <QVBoxLayout>
#include <QtConcurrentMap>

#include <algorithm>
#include <atomic>
#include <cmath>

namespace espalier::widgets {
namespace {

constexpr std::size_t kParallelPoints = 200000;

}  // namespace

QString readingText(double value) {
    if (!std::isfinite(value)) return format::fixed(value, 3);
    const double size = std::abs(value);
    if (value != 0 && size < 0.1) return format::significant(value, 3);
    if (size < 10) return format::fixed(value, 3);
    return format::significant(value, 4);
}

QString readoutText(double value) {
    if (!std::isfinite(value)) return format::fixed(value, 5);
    const double size = std::abs(value);
    return size < 10 && (value == 0 || size >= 1e-3) ? format::fixed(value, 5) : format::significant(value, 7);
}

LossChart::LossChart(const QString& title, const QString& caption, QWidget* parent)
    : QWidget(parent), m_title(title), m_caption(caption), m_plot(new QCustomPlot(this)),
      m_header(new ChartHeader(title, caption, this)), m_legend(new ChartLegend(this)),
      m_badge(new Badge({}, Badge::Kind::Warning, this)) {
    m_badge->setIconName(QStringLiteral("warning"));
    m_badge->hide();
    m_header->addLeft(m_badge);
    m_header->addRight(m_legend);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(0);
    layout->addWidget(m_header);
    layout->addWidget(m_plot, 1);
    initChart(m_plot);
    m_plot->setMinimumSize(120, 60);
    auto* raw = new RawPlottable(m_plot->xAxis, m_plot->yAxis, &m_scene);
    raw->setLayer(QString::fromLatin1(layers::kRaw));
    auto* band = new BandPlottable(m_plot->xAxis, m_plot->yAxis, &m_scene);
    band->setLayer(QString::fromLatin1(layers::kBand));
    auto* stroke = new StrokePlottable(m_plot->xAxis, m_plot->yAxis, &m_scene);
    stroke->setLayer(QString::fromLatin1(layers::kSmooth));
    new PaintHook(m_plot, layers::kEvents, &m_scene, paintMarks);
    new PaintHook(m_plot, layers::kCursor, &m_scene, paintCursor);
    m_input = std::make_unique<ChartInput>(this);
    m_plot->setAccessibleName(title);
    applyLook();
    connect(&theme(), &Theme::changed, this, [this] {
        applyLook();
        replot();
    });
    connect(m_legend, &ChartLegend::toggled, this, &LossChart::toggleLine);
    connect(m_legend, &ChartLegend::isolated, this, &LossChart::isolateLine);
    connect(m_badge, &QAbstractButton::clicked, this, [this] { setShowsAll(!m_showsAll); });
}

LossChart::~LossChart() {
    if (m_group) m_group->remove(this);
    m_input.reset();
    // QCustomPlot's items point at the scene, so the plot goes first.
    delete m_plot;
}

ChartGroup* LossChart::group() const { return m_group; }
void LossChart::setGroup(ChartGroup* group) { m_group = group; }

void LossChart::applyLook() {
    m_scene.look = ChartLook::ofTheme();
    applyChartTheme(m_plot);
}

void LossChart::setTitle(const QString& title) {
    m_title = title;
    m_header->setTitle(title);
    m_plot->setAccessibleName(title);
}

void LossChart::setCaption(const QString& caption) {
    m_caption = caption;
    m_header->setCaption(caption);
}

void LossChart::setLeftMargin(int px) {
    QMargins margins = m_plot->axisRect()->margins();
    margins.setLeft(px);
    m_plot->axisRect()->setMargins(margins);
}

// It never shrinks, so that a zoom does not move the chart.
void LossChart::fitLeftMargin() {
    if (!m_plot->yAxis->tickLabels()) return;
    QVector<double> ticks;
    QVector<QString> labels;
    m_plot->yAxis->ticker()->generate(m_plot->yAxis->range(), QLocale::c(), u'g', 4, ticks, nullptr, &labels);
    const QFontMetrics metrics(theme().font(Type::Caption));
    int widest = 0;
    for (const QString& label : labels) widest = std::max(widest, metrics.horizontalAdvance(label));
    const int needed = widest + m_plot->yAxis->tickLabelPadding() + 3;
    if (needed > m_plot->axisRect()->margins().left()) setLeftMargin(needed);
}

void LossChart::setLateFocused(bool isLateFocused) {
    m_scene.isLateFocused = isLateFocused;
    m_isDirty = true;
}

void LossChart::setEmptyText(const QString& text) {
    m_scene.emptyText = text;
    replot();
}

void LossChart::setLines(std::vector<LineSpec> specs) {
    std::vector<std::unique_ptr<ChartLine>> lines;
    for (LineSpec& spec : specs) {
        auto old = std::find_if(m_scene.lines.begin(), m_scene.lines.end(),
                                [&](const auto& line) { return line && line->spec().id == spec.id; });
        if (old != m_scene.lines.end()) {
            (*old)->setSpec(std::move(spec));
            lines.push_back(std::move(*old));
        } else {
            lines.push_back(std::make_unique<ChartLine>(std::move(spec)));
        }
    }
    m_scene.lines = std::move(lines);
    m_isDirty = true;
    refreshLegend();
}

void LossChart::setEvents(std::vector<ChartEvent> events, EventDetail detail) {
    m_scene.events = std::move(events);
    m_scene.detail = detail;
    m_isDirty = true;
}

void LossChart::setForecasts(std::vector<Forecast> forecasts) {
    m_scene.forecasts = std::move(forecasts);
    m_isDirty = true;
}

void LossChart::setClaim(std::optional<ChartClaim> claim) {
    m_scene.claim = std::move(claim);
    m_isDirty = true;
}

void LossChart::setLogY(bool isLog) {
    if (isLog == m_isLogY) return;
    m_isLogY = isLog;
    if (isLog) useLogTicks(m_plot->yAxis);
    else useLinearTicks(m_plot->yAxis);
    m_isDirty = true;
    updateView();
    Q_EMIT logYChanged(isLog);
}

void LossChart::digest() {
    const XKind kind = m_group ? m_group->xKind() : XKind::Step;
    const double smoothing = m_group ? m_group->smoothing() : 0;
    m_scene.xKind = kind;
    std::size_t fresh = 0;
    for (const auto& line : m_scene.lines) fresh += line->size() - std::min(line->size(), line->decimator().size());
    if (fresh > kParallelPoints && m_scene.lines.size() > 1) {
        std::atomic<bool> isChanged{false};
        QtConcurrent::blockingMap(m_scene.lines, [&](std::unique_ptr<ChartLine>& line) {
            if (line->digest(kind, smoothing)) isChanged = true;
        });
        m_isDirty |= isChanged;
        return;
    }
    for (const auto& line : m_scene.lines) m_isDirty |= line->digest(kind, smoothing);
}

void LossChart::updateView() {
    const bool isLogX = m_group && m_group->isLogX();
    const bool isWhole = !isLogX && m_scene.xKind == XKind::Step;  // there is no step 2.5
    if (isLogX != (m_plot->xAxis->scaleType() == QCPAxis::stLogarithmic) || isWhole != m_hasWholeTicks) {
        if (isLogX) useLogTicks(m_plot->xAxis);
        else useLinearTicks(m_plot->xAxis, isWhole ? 1 : 0);
        m_hasWholeTicks = isWhole;
        m_isDirty = true;
    }
    const AxisRange keys = m_group ? m_group->keyRange() : m_scene.keyExtent().value_or(AxisRange{0, 1});
    const auto zoomed = m_group ? m_group->valueRange(this) : std::nullopt;
    if (!m_isDirty && keys == keyRange() && (!zoomed || *zoomed == valueRange())) return;
    m_isDirty = false;
    ValueRange values;
    if (zoomed && (!m_isLogY || zoomed->low > 0)) values = countOutside(m_scene, keys, *zoomed);
    else if (m_showsAll) values = countOutside(m_scene, keys, wholeValueRange(m_scene, keys, m_isLogY));
    else values = chooseValueRange(m_scene, keys, m_isLogY);
    m_plot->xAxis->setRange(keys.low, keys.high);
    m_plot->yAxis->setRange(values.range.low, values.range.high);
    // Without points the numbers of an axis would be made up.
    const bool hasPoints = std::any_of(m_scene.lines.begin(), m_scene.lines.end(), [](const auto& line) { return !line->isEmpty(); });
    m_plot->xAxis->setTickLabels(hasPoints);
    m_plot->yAxis->setTickLabels(hasPoints);
    m_plot->xAxis->setTicks(hasPoints);
    fitLeftMargin();
    m_scene.tolerance = 2 * keys.size() / std::max(1, m_plot->axisRect()->width());
    static const char* const units[] = {QT_TR_NOOP("step"), QT_TR_NOOP("epoch"), QT_TR_NOOP("time")};
    m_scene.xUnit = tr(units[static_cast<int>(m_scene.xKind)]);
    refreshBadge(values);
    m_legend->setStrokes(legendStrokes(m_plot->axisRect()->width()));
    m_legend->setValues(legendValues());
    replot();
}

void LossChart::replot() {
    m_plot->replot(QCustomPlot::rpQueuedReplot);
    update();
}

void LossChart::updateCursor() {
    m_scene.cursorKey = m_group ? m_group->cursor() : std::nullopt;
    m_scene.cursorTag = m_group && m_group->hovered() == this && m_scene.cursorKey ? m_group->keyText(*m_scene.cursorKey) : QString();
    m_legend->setValues(legendValues());
    m_plot->layer(QString::fromLatin1(layers::kCursor))->replot();
}

void LossChart::setRubberBand(const QRectF& band) {
    m_scene.rubberBand = band;
    m_plot->layer(QString::fromLatin1(layers::kCursor))->replot();
}

void LossChart::setFocusRing(bool isShown) {
    m_scene.hasFocusRing = isShown;
    m_plot->layer(QString::fromLatin1(layers::kCursor))->replot();
}

void LossChart::refreshBadge(const ValueRange& values) {
    if (!values.hasPoints || (values.above == 0 && values.below == 0 && !m_showsAll)) return m_badge->hide();
    const auto number = [](double v) { return format::significant(v, 3); };
    QString text;
    if (m_showsAll && values.above == 0 && values.below == 0) {
        const ValueRange chosen = chooseValueRange(m_scene, keyRange(), m_isLogY);
        if (chosen.above == 0 && chosen.below == 0) return m_badge->hide();
        text = tr("all points shown");
    } else if (values.above > 0) {
        text = width() < 460 ? tr("%1 above %2").arg(format::count(static_cast<qint64>(values.above)), number(values.range.high))
                             : tr("%1 points above %2, highest %3")
                                   .arg(format::count(static_cast<qint64>(values.above)), number(values.range.high), number(values.highest));
    } else {
        text = width() < 460 ? tr("%1 below %2").arg(format::count(static_cast<qint64>(values.below)), number(values.range.low))
                             : tr("%1 points below %2, lowest %3")
                                   .arg(format::count(static_cast<qint64>(values.below)), number(values.range.low), number(values.lowest));
    }
    m_badge->setText(text);
    m_badge->setToolTip(m_showsAll ? tr("Click to go back to the chosen range") : tr("Click to zoom to all points"));
    m_badge->updateGeometry();
    m_badge->show();
}

void LossChart::refreshLegend() {
    QVector<LegendEntry> entries;
    for (const auto& line : m_scene.lines) {
        const LineSpec& spec = line->spec();
        if (!spec.isInLegend) continue;
        entries.append({spec.id, spec.label, spec.toolTip, {}, spec.colorIndex, StrokeKind::Solid, line->isVisible(), spec.opacity});
    }
    m_legend->setEntries(std::move(entries));
    m_legend->setStrokes(legendStrokes(m_plot->axisRect()->width()));
    m_legend->setValues(legendValues());
}

QVector<StrokeKind> LossChart::legendStrokes(double width) const {
    QVector<StrokeKind> strokes;
    const bool isLogX = m_plot->xAxis->scaleType() == QCPAxis::stLogarithmic;
    for (const auto& line : m_scene.lines)
        if (line->spec().isInLegend) strokes += strokeKindOf(m_scene, *line, keyRange(), isLogX, width);
    return strokes;
}

// At the cursor; without one the newest value.
QStringList LossChart::legendValues() const {
    QStringList values;
    for (const auto& line : m_scene.lines) {
        if (!line->spec().isInLegend) continue;
        const auto reading = m_scene.cursorKey ? line->readingAt(*m_scene.cursorKey, m_scene.tolerance) : line->lastReading();
        values += reading ? readingText(reading->smooth) : QString(QChar(0x2013));
    }
    return values;
}

ReadoutBox::Content LossChart::readoutContent() const {
    ReadoutBox::Content content;
    if (!m_scene.cursorKey || !m_group) return content;
    std::optional<ChartLine::Reading> lead;
    const RunAxis* leadAxis = nullptr;
    for (const auto& line : m_scene.lines) {
        if (!line->isVisible()) continue;
        const auto reading = line->readingAt(*m_scene.cursorKey, m_scene.tolerance);
        if (!reading) continue;
        content.rows.append({line->spec().label, line->isSmoothed() ? readoutText(reading->smooth) : QString(),
                             readoutText(reading->raw), line->spec().colorIndex});
        content.hasSmooth |= line->isSmoothed();
        if (!lead && reading->step >= 0) {
            lead = reading;
            leadAxis = line->spec().axis.get();
        }
    }
    const QString unit = m_scene.xUnit;
    content.title = m_scene.xKind == XKind::Time ? m_group->keyText(*m_scene.cursorKey) : unit + u' ' + m_group->keyText(*m_scene.cursorKey);
    if (!lead) return content;
    QStringList details;
    const double step = m_scene.xKind == XKind::Step ? *m_scene.cursorKey : static_cast<double>(lead->step);
    if (m_scene.xKind != XKind::Step) details += tr("step %1").arg(format::count(lead->step));
    if (m_scene.xKind != XKind::Epoch && leadAxis && leadAxis->hasEpochs())
        details += tr("epoch %1").arg(format::fixed(leadAxis->epochOf(step), 1));
    if (m_scene.xKind != XKind::Time && leadAxis && lead->wallSecs > 0 && leadAxis->startSecs > 0)
        details += format::clock(lead->wallSecs - leadAxis->startSecs);
    content.detail = details.join(QStringLiteral(", "));
    return content;
}

QRect LossChart::plotArea() const { return m_plot->axisRect()->rect().translated(m_plot->pos()); }
int LossChart::pixelOfKey(double key) const { return m_plot->x() + static_cast<int>(std::lround(m_plot->xAxis->coordToPixel(key))); }
double LossChart::keyOfPixel(int x) const { return m_plot->xAxis->pixelToCoord(x - m_plot->x()); }
AxisRange LossChart::keyRange() const { return {m_plot->xAxis->range().lower, m_plot->xAxis->range().upper}; }
AxisRange LossChart::valueRange() const { return {m_plot->yAxis->range().lower, m_plot->yAxis->range().upper}; }

bool LossChart::isLineVisible(const QString& id) const {
    const ChartLine* line = m_scene.line(id);
    return line && line->isVisible();
}

void LossChart::setLineVisible(const QString& id, bool isVisible) {
    for (const auto& line : m_scene.lines)
        if (line->spec().id == id) line->setVisible(isVisible);
    m_isDirty = true;
    refreshLegend();
    if (m_group) {
        Q_EMIT m_group->visibilityChanged();
        m_group->updateNow();
    } else {
        updateView();
    }
}

void LossChart::toggleLine(const QString& id) {
    setLineVisible(id, !isLineVisible(id));
}

void LossChart::isolateLine(const QString& id) {
    const ChartLine* chosen = m_scene.line(id);
    if (!chosen) return;
    const QString run = chosen->spec().run.isEmpty() ? id : chosen->spec().run;
    const auto runOf = [](const ChartLine& line) { return line.spec().run.isEmpty() ? line.spec().id : line.spec().run; };
    // Still isolated when no line of another run was switched on again since.
    const bool isBack = m_isolated == run && std::none_of(m_scene.lines.begin(), m_scene.lines.end(), [&](const auto& line) {
        return line->isVisible() && runOf(*line) != run;
    });
    m_isolated = isBack ? QString() : run;
    for (const auto& line : m_scene.lines) line->setVisible(isBack || runOf(*line) == run);
    setLineVisible(id, true);
}

void LossChart::setShowsAll(bool showsAll) {
    m_showsAll = showsAll;
    m_isDirty = true;
    updateView();
}

void LossChart::changeEvent(QEvent* event) {
    QWidget::changeEvent(event);
    if (event->type() == QEvent::FontChange || event->type() == QEvent::StyleChange) update();
}

void LossChart::resizeEvent(QResizeEvent* event) {
    QWidget::resizeEvent(event);
    m_isDirty = true;  // the badge says less in a small chart, and pixels of tolerance change
    if (m_group) m_group->scheduleUpdate();
}

void LossChart::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    painter.fillRect(rect(), theme().color(Color::Well));
}

}  // namespace espalier::widgets
