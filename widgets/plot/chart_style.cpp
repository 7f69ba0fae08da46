#include "widgets/plot/chart_style.h"

#include "widgets/plot/qcp.h"
#include "widgets/theme/theme.h"

#include <algorithm>
#include <cmath>

namespace espalier::widgets {
namespace {

constexpr double kGapX = 72, kGapY = 38, kLeastGapX = 42, kLeastGapY = 18;

double gapOf(const QCPAxis* axis) { return axis->orientation() == Qt::Horizontal ? kGapX : kGapY; }
double lengthOf(const QCPAxis* axis) {
    const QRect rect = axis->axisRect()->rect();
    return std::max(1, axis->orientation() == Qt::Horizontal ? rect.width() : rect.height());
}

/// Ticks and labels from the length of the axis in pixels instead of QCustomPlot's fixed count.
class LengthTicker : public QCPAxisTicker {
public:
    LengthTicker(const QCPAxis* axis, bool isLog, double leastStep) : m_axis(axis), m_isLog(isLog), m_leastStep(leastStep) {}
    void generate(const QCPRange& range, const QLocale&, QChar, int, QVector<double>& ticks, QVector<double>* subTicks,
                  QVector<QString>* labels) override {
        const double length = lengthOf(m_axis), gap = gapOf(m_axis);
        ticks = m_isLog ? logTicks(range.lower, range.upper, length, gap)
                        : fittingTicks(range.lower, range.upper, length, gap, m_axis->orientation() == Qt::Horizontal ? kLeastGapX : kLeastGapY);
        if (ticks.size() > 1 && ticks[1] - ticks[0] < m_leastStep * (1 - 1e-9))
            ticks.erase(std::remove_if(ticks.begin(), ticks.end(), [this](double tick) { return std::abs(std::remainder(tick, m_leastStep)) > 1e-6; }), ticks.end());
        if (subTicks) subTicks->clear();
        if (labels) {
            const QStringList texts = tickLabels(ticks, m_isLog);
            *labels = QVector<QString>(texts.begin(), texts.end());
        }
    }

private:
    const QCPAxis* m_axis;
    bool m_isLog;
    double m_leastStep;
};

QString withTrueMinus(QString text) {
    if (text.startsWith(u'-')) text[0] = QChar(0x2212);
    return text;
}

int decimalsFor(double step) {
    const int decimals = static_cast<int>(std::ceil(-std::log10(step) - 1e-9));
    // 0.25 needs two places, 0.5 one.
    for (int d = std::max(0, decimals); d < 12; ++d) {
        const double scaled = step * std::pow(10.0, d);
        if (std::abs(scaled - std::round(scaled)) < 1e-6 * std::max(1.0, scaled)) return d;
    }
    return std::max(0, decimals);
}

QString exponentText(double value) {
    if (value == 0) return QStringLiteral("0");
    int exponent = static_cast<int>(std::floor(std::log10(std::abs(value)) + 1e-9));
    const double mantissa = value / std::pow(10.0, exponent);
    QString text = QString::number(mantissa, 'g', 4);
    return withTrueMinus(text) + u'e' + QString::number(exponent);
}

QString suffixed(double value, double unit, int decimals, QChar suffix) {
    if (value == 0) return QStringLiteral("0");
    return withTrueMinus(QString::number(value / unit, 'f', decimals)) + suffix;
}

/// The smallest of 1, 2, 5 × 10ⁿ that puts at most this many steps into the range.
double roundStep(double low, double high, double length, double gap) {
    const double wanted = std::max(1.0, std::floor(length / gap));
    const double raw = (high - low) / wanted;
    const double decade = std::pow(10.0, std::floor(std::log10(raw)));
    for (const double m : {1.0, 2.0, 5.0})
        if (decade * m >= raw * (1 - 1e-9)) return decade * m;
    return decade * 10;
}

QVector<double> multiplesOf(double step, double low, double high) {
    QVector<double> ticks;
    const auto first = static_cast<std::int64_t>(std::ceil(low / step - 1e-6));
    const auto last = static_cast<std::int64_t>(std::floor(high / step + 1e-6));
    for (std::int64_t i = first; i <= last && ticks.size() < 200; ++i) ticks.append(static_cast<double>(i) * step);
    return ticks;
}

bool isRange(double low, double high) { return high > low && std::isfinite(low) && std::isfinite(high); }

}  // namespace

QVector<double> linearTicks(double low, double high, double length, double gap) {
    return isRange(low, high) ? multiplesOf(roundStep(low, high, length, gap), low, high) : QVector<double>{};
}

QVector<double> fittingTicks(double low, double high, double length, double gap, double leastGap) {
    constexpr qsizetype kFew = 3;
    constexpr double kTight = 0.6;  // of the least gap: better tight than one tick alone
    if (!isRange(low, high)) return {};
    double step = roundStep(low, high, length, gap);
    QVector<double> ticks = multiplesOf(step, low, high);
    while (ticks.size() < kFew) {
        // The next finer of 1, 2, 5.
        const double lead = step / std::pow(10.0, std::floor(std::log10(step) + 1e-9));
        step /= lead > 4.5 ? 2.5 : 2;
        const double apart = step / (high - low) * length;
        if (apart < (ticks.size() < 2 ? kTight * leastGap : leastGap)) break;
        ticks = multiplesOf(step, low, high);
    }
    return ticks;
}

QVector<double> logTicks(double low, double high, double length, double gap) {
    QVector<double> ticks;
    if (!(high > low) || !(low > 0) || !std::isfinite(high)) return ticks;
    const double decades = std::log10(high / low);
    if (decades < 0.7) return linearTicks(low, high, length, gap);
    const double pxPerDecade = length / decades;
    const int first = static_cast<int>(std::floor(std::log10(low)));
    const int last = static_cast<int>(std::ceil(std::log10(high)));
    std::vector<double> mantissas{1.0};
    if (pxPerDecade * 0.30 >= gap) mantissas = {1.0, 2.0, 5.0};
    else if (pxPerDecade * 0.47 >= gap) mantissas = {1.0, 3.0};
    const int every = std::max(1, static_cast<int>(std::ceil(gap / pxPerDecade)));
    for (int e = first; e <= last; ++e) {
        if (e % every != 0) continue;
        for (const double m : mantissas) {
            const double tick = m * std::pow(10.0, e);
            if (tick >= low * (1 - 1e-9) && tick <= high * (1 + 1e-9)) ticks.append(tick);
        }
    }
    return ticks;
}

QStringList tickLabels(const QVector<double>& ticks, bool isLog) {
    QStringList labels;
    double largest = 0, step = 0;
    for (const double t : ticks) largest = std::max(largest, std::abs(t));
    for (int i = 1; i < ticks.size(); ++i) {
        const double d = std::abs(ticks[i] - ticks[i - 1]);
        step = step == 0 ? d : std::min(step, d);
    }
    // A log axis of less than a decade has the ticks of a linear one.
    const auto isEven = [&] {
        for (int i = 1; i < ticks.size(); ++i)
            if (std::abs(std::abs(ticks[i] - ticks[i - 1]) - step) > 1e-6 * step) return false;
        return ticks.size() > 2 || (ticks.size() == 2 && ticks[1] < ticks[0] * 2.01);
    };
    isLog = isLog && !isEven();
    if (step == 0) step = largest > 0 ? std::pow(10.0, std::floor(std::log10(largest))) : 1;
    for (const double t : ticks) {
        const double magnitude = isLog ? std::abs(t) : largest;
        const double own = isLog ? std::pow(10.0, std::floor(std::log10(std::max(std::abs(t), 1e-300)) + 1e-9)) : step;
        if (magnitude >= 1e10) labels += exponentText(t);
        else if (magnitude >= 1e6 && own >= 1e4) labels += suffixed(t, 1e6, decimalsFor(own / 1e6), u'M');
        else if (magnitude >= 1e4 && own >= 1e2) labels += suffixed(t, 1e3, decimalsFor(own / 1e3), u'k');
        else if (magnitude >= 1e3 && own >= 1e3) labels += suffixed(t, 1e3, 0, u'k');
        else if (magnitude < 1.5e-3 || (!isLog && step < 0.9e-3 && largest < 1e-2)) labels += exponentText(t);
        else {
            const double snapped = std::abs(t) < step * 1e-6 && !isLog ? 0.0 : t;
            labels += withTrueMinus(QString::number(snapped, 'f', decimalsFor(own)));
        }
    }
    return labels;
}

void useLinearTicks(QCPAxis* axis, double leastStep) {
    axis->setScaleType(QCPAxis::stLinear);
    axis->setTicker(QSharedPointer<LengthTicker>::create(axis, false, leastStep));
}

void useLogTicks(QCPAxis* axis) {
    axis->setScaleType(QCPAxis::stLogarithmic);
    axis->setTicker(QSharedPointer<LengthTicker>::create(axis, true, 0.0));
}

void useTextTicks(QCPAxis* axis, const QVector<double>& positions, const QStringList& labels) {
    auto ticker = QSharedPointer<QCPAxisTickerText>::create();
    for (int i = 0; i < positions.size() && i < labels.size(); ++i) ticker->addTick(positions[i], labels[i]);
    axis->setTicker(ticker);
}

void initChart(QCustomPlot* plot, const ChartMargins& margins) {
    plot->setAutoAddPlottableToLegend(false);
    QCPAxisRect* rect = plot->axisRect();
    rect->setAutoMargins(QCP::msNone);
    rect->setMargins(QMargins(margins.left, margins.top, margins.right, margins.bottom));
    plot->plotLayout()->setAutoMargins(QCP::msNone);
    plot->plotLayout()->setMargins({});
    // grid < raw < band < smooth < (QCustomPlot's main, axes) < events < cursor
    QString below = QStringLiteral("grid");
    for (const char* name : {layers::kRaw, layers::kBand, layers::kSmooth}) {
        plot->addLayer(QString::fromLatin1(name), plot->layer(below), QCustomPlot::limAbove);
        below = QString::fromLatin1(name);
    }
    below = QStringLiteral("axes");
    for (const char* name : {layers::kEvents, layers::kCursor}) {
        plot->addLayer(QString::fromLatin1(name), plot->layer(below), QCustomPlot::limAbove);
        below = QString::fromLatin1(name);
    }
    plot->layer(QString::fromLatin1(layers::kCursor))->setMode(QCPLayer::lmBuffered);
    plot->setNoAntialiasingOnDrag(false);
    for (QCPAxis* axis : {plot->xAxis, plot->yAxis}) {
        useLinearTicks(axis);
        axis->setSubTicks(false);
        axis->setTickLabelPadding(axis == plot->xAxis ? 3 : 5);
    }
    applyChartTheme(plot);
}

void applyChartTheme(QCustomPlot* plot) { applyChartLook(plot, ChartLook::ofTheme()); }

void applyChartLook(QCustomPlot* plot, const ChartLook& look) {
    plot->setBackground(QBrush(look.color(Color::Well)));
    for (QCPAxis* axis : {plot->xAxis, plot->yAxis}) {
        axis->setNumberFormat(QStringLiteral("g"));  // QCustomPlot would paint 8e-4 as a power, wider than the margin
        axis->setTickLabelFont(theme().font(Type::Caption));
        axis->setTickLabelColor(look.color(Color::Text3));
        axis->setLabelFont(theme().font(Type::Caption));
        axis->setLabelColor(look.color(Color::Text3));
        axis->grid()->setZeroLinePen(Qt::NoPen);
        axis->grid()->setSubGridVisible(false);
    }
    const QPen axisPen = look.line(Color::Axis);
    plot->xAxis->setBasePen(axisPen);
    plot->xAxis->setTickPen(axisPen);
    plot->xAxis->setTickLength(0, 4);
    plot->xAxis->grid()->setVisible(false);
    plot->yAxis->setBasePen(Qt::NoPen);
    plot->yAxis->setTickPen(Qt::NoPen);
    plot->yAxis->setTickLength(0, 0);
    plot->yAxis->grid()->setVisible(true);
    plot->yAxis->grid()->setPen(look.line(Color::Grid));
    plot->yAxis->grid()->setAntialiased(false);
}

}  // namespace espalier::widgets
