#include "app/pages/compare_inspector.h"

#include "app/pages/page_parts.h"
#include "widgets/controls/chip.h"
#include "widgets/controls/controls.h"
#include "widgets/controls/key_value_list.h"
#include "widgets/controls/section.h"
#include "widgets/plot/chart_style.h"
#include "widgets/theme/format.h"
#include "widgets/theme/icons.h"
#include "widgets/theme/metrics.h"

#include <QHBoxLayout>
#include <QKeyEvent>
#include <QLabel>
#include <QMouseEvent>
#include <QPainter>
#include <QPushButton>
#include <QVBoxLayout>

#include <algorithm>
#include <cmath>

namespace espalier::app {

using namespace widgets;

/// The compared runs; a click compares that run with the baseline, a double click makes it the baseline.
class CompareInspector::RunRows : public QWidget {
public:
    explicit RunRows(CompareInspector* owner) : QWidget(owner), m_owner(owner) {
        setFocusPolicy(Qt::TabFocus);
        setAccessibleName(CompareInspector::tr("Compared runs"));
        connect(&theme(), &Theme::changed, this, qOverload<>(&QWidget::update));
    }
    void setRuns(const std::vector<feed::RunInfo>& runs, int baseline, int chosen) {
        m_runs = runs;
        m_baseline = baseline;
        m_chosen = chosen;
        setFixedHeight(std::max(1, static_cast<int>(runs.size())) * metrics::kRowTree);
        update();
    }

protected:
    void paintEvent(QPaintEvent*) override {
        QPainter painter(this);
        const Theme& look = theme();
        for (int i = 0; i < static_cast<int>(m_runs.size()); ++i) {
            const feed::RunInfo& run = m_runs[static_cast<std::size_t>(i)];
            const QRect row(0, i * metrics::kRowTree, width(), metrics::kRowTree);
            const bool isChosen = i == m_chosen;
            if (isChosen) painter.fillRect(row, look.color(hasFocus() ? Color::Selection : Color::SelectionInactive));
            const int middle = row.center().y() + 1;
            Swatch::paint(painter, QRect(12, middle - metrics::kSwatch / 2, metrics::kSwatch, metrics::kSwatch), run.colorIndex, true, isChosen && hasFocus());
            const StateLook state = look.stateLook(run.state);
            paintIcon(painter, state.icon, QRect(30, middle - metrics::kIconRow / 2, metrics::kIconRow, metrics::kIconRow), look.color(state.color));
            int right = width() - 12;
            painter.setFont(look.font(Type::Caption));
            if (i == m_baseline) {
                const QString word = CompareInspector::tr("baseline");
                const int wordWidth = painter.fontMetrics().horizontalAdvance(word) + 12;
                const QRect box(right - wordWidth, row.top() + 3, wordWidth, 18);
                painter.setPen(look.line(Color::Border));
                painter.setRenderHint(QPainter::Antialiasing);
                painter.drawRoundedRect(QRectF(box).adjusted(0.5, 0.5, -0.5, -0.5), metrics::kRadiusBadge, metrics::kRadiusBadge);
                painter.setRenderHint(QPainter::Antialiasing, false);
                painter.setPen(look.color(Color::Text2));
                painter.drawText(box, Qt::AlignCenter, word);
                right -= wordWidth + metrics::kSpace6;
            }
            painter.setFont(look.font(Type::Body));
            painter.setPen(look.color(isChosen && hasFocus() ? Color::OnSelection : Color::Text));
            const QString name = format::elideName(painter.fontMetrics(), format::text(run.name), right - 52);
            painter.drawText(QRect(52, row.top(), right - 52, row.height()), Qt::AlignLeft | Qt::AlignVCenter, name);
        }
    }
    void mousePressEvent(QMouseEvent* event) override { choose(event->pos().y() / metrics::kRowTree); }
    void mouseDoubleClickEvent(QMouseEvent* event) override {
        const int row = event->pos().y() / metrics::kRowTree;
        if (row >= 0 && row < static_cast<int>(m_runs.size())) Q_EMIT m_owner->baselineChosen(row);
    }
    void keyPressEvent(QKeyEvent* event) override {
        if (event->key() == Qt::Key_Up) choose(m_chosen - 1);
        else if (event->key() == Qt::Key_Down) choose(m_chosen + 1);
        else if (event->key() == Qt::Key_Return || event->key() == Qt::Key_Enter) Q_EMIT m_owner->baselineChosen(m_chosen);
        else QWidget::keyPressEvent(event);
    }

private:
    void choose(int row) {
        if (row >= 0 && row < static_cast<int>(m_runs.size())) Q_EMIT m_owner->runChosen(row);
    }
    CompareInspector* m_owner;
    std::vector<feed::RunInfo> m_runs;
    int m_baseline = 0, m_chosen = -1;
};

/// Interval on an axis through zero.
class CompareInspector::IntervalView : public QWidget {
public:
    explicit IntervalView(QWidget* parent) : QWidget(parent) {
        setFixedHeight(40);
        connect(&theme(), &Theme::changed, this, qOverload<>(&QWidget::update));
    }
    void setValues(double low, double middle, double high) {
        m_low = low;
        m_middle = middle;
        m_high = high;
        setAccessibleName(CompareInspector::tr("95 % interval %1 to %2 points").arg(format::signedFixed(low, 2), format::signedFixed(high, 2)));
        update();
    }

protected:
    void paintEvent(QPaintEvent*) override {
        QPainter painter(this);
        const Theme& look = theme();
        const double reach = std::max({std::abs(m_low), std::abs(m_high), 0.05});
        const double low = std::min(-0.15 * reach, m_low - 0.1 * reach), high = std::max(0.15 * reach, m_high + 0.1 * reach);
        const double left = 8, span = width() - 16;
        const auto x = [&](double v) { return left + (v - low) / (high - low) * span; };
        const double y = 13;
        painter.setPen(look.line(Color::Axis));
        painter.drawLine(QPointF(left, y), QPointF(left + span, y));
        const QVector<double> ticks = linearTicks(low, high, span, 44);
        const QStringList labels = tickLabels(ticks);
        painter.setFont(look.font(Type::Caption));
        for (int i = 0; i < ticks.size(); ++i) {
            const bool isZero = std::abs(ticks[i]) < 1e-12;
            painter.setPen(look.line(isZero ? Color::Text2 : Color::Axis));
            painter.drawLine(QPointF(std::floor(x(ticks[i])) + 0.5, isZero ? 2 : y), QPointF(std::floor(x(ticks[i])) + 0.5, isZero ? 24 : y + 4));
            painter.setPen(look.color(Color::Text3));
            painter.drawText(QRectF(x(ticks[i]) - 30, 24, 60, 14), Qt::AlignCenter, labels[i]);
        }
        painter.setRenderHint(QPainter::Antialiasing);
        painter.setPen(QPen(look.color(Color::Text), 2));
        painter.drawLine(QPointF(x(m_low), y), QPointF(x(m_high), y));
        painter.setPen(Qt::NoPen);
        painter.setBrush(look.color(Color::Text));
        painter.drawEllipse(QPointF(x(m_middle), y), 4, 4);
    }

private:
    double m_low = 0, m_middle = 0, m_high = 0;
};

CompareInspector::CompareInspector(QWidget* parent) : QWidget(parent) {
    setGround(this, Color::Panel);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 8, 0, 0);
    layout->setSpacing(0);
    m_title = makeLabel({}, Type::Title, Color::Text, this);
    m_title->setContentsMargins(12, 4, 12, 2);
    m_grouping = makeLabel({}, Type::Caption, Color::Text2, this);
    m_grouping->setContentsMargins(12, 0, 12, 8);
    m_grouping->setWordWrap(true);
    layout->addWidget(m_title);
    layout->addWidget(m_grouping);
    m_rows = new RunRows(this);
    layout->addWidget(m_rows);
    layout->addSpacing(metrics::kSpace8);
    auto* body = new QWidget;
    auto* inner = new QVBoxLayout(body);
    inner->setContentsMargins(0, 0, 0, 0);
    inner->setSpacing(metrics::kSpace4);
    auto* line = new QHBoxLayout;
    m_value = makeLabel({}, Type::Figure, Color::Text, body);
    line->addWidget(m_value);
    line->addWidget(makeLabel(tr("points"), Type::Body, Color::Text2, body), 0, Qt::AlignBottom);
    line->addStretch(1);
    line->addWidget(makeLabel(tr("95 % interval"), Type::Caption, Color::Text3, body), 0, Qt::AlignBottom);
    auto* head = new QWidget(body);
    head->setLayout(line);
    line->setContentsMargins(0, 0, 0, 0);
    inner->addWidget(head);
    m_interval = new IntervalView(body);
    inner->addWidget(m_interval);
    m_facts = new KeyValueList(body);
    inner->addWidget(m_facts);
    m_sentence = makeLabel({}, Type::Caption, Color::Text2, body);
    m_sentence->setWordWrap(true);
    inner->addWidget(m_sentence);
    m_differenceSection = addInspectorSection(layout, tr("Difference"), body, this);
    auto* buttons = new QWidget;
    auto* row = new QHBoxLayout(buttons);
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(metrics::kSpace8);
    auto* exporting = makeButton(tr("Export figure"), QStringLiteral("export"), ButtonKind::Normal, ControlSize::Normal, buttons);
    exporting->setToolTip(tr("PDF, SVG or PNG with text as text; CSV with every point"));
    auto* latex = makeButton(tr("LaTeX"), QStringLiteral("table"), ButtonKind::Normal, ControlSize::Normal, buttons);
    latex->setToolTip(tr("Copies the table for a paper"));
    row->addWidget(exporting, 1);
    row->addWidget(latex);
    exporting->setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    addInspectorSection(layout, tr("Figure"), buttons, this);
    layout->addStretch(1);
    connect(exporting, &QPushButton::clicked, this, &CompareInspector::exportFigureClicked);
    connect(latex, &QPushButton::clicked, this, &CompareInspector::latexClicked);
}

void CompareInspector::setRuns(const std::vector<feed::RunInfo>& runs, const std::vector<RunGroup>& groups, int baseline, int chosen) {
    const int count = static_cast<int>(runs.size());
    const bool isGrouped = groups.size() < runs.size();
    const auto number = [](int n, const QString& one, const QString& many) { return n == 1 ? one : many.arg(n); };
    const QString runText = number(count, tr("1 run"), tr("%1 runs"));
    const QString groupText = number(static_cast<int>(groups.size()), tr("1 group"), tr("%1 groups"));
    m_title->setText(isGrouped ? QString(runText + QStringLiteral(", ") + groupText) : runText);
    const bool hasPair = std::any_of(groups.begin(), groups.end(), [](const RunGroup& group) { return group.runs.size() == 2; });
    m_grouping->setText(count < 2    ? tr("show a second one to compare: click its swatch")
                        : !isGrouped ? tr("no two differ in the seed alone")
                        : hasPair  ? tr("seeds of equal parameters are one group; the band of two is their range")
                                   : tr("seeds of equal parameters are one group"));
    m_rows->setRuns(runs, baseline, chosen);
}

void CompareInspector::setDifference(const QString& title, const QString& metric, const std::optional<PairedDifference>& paired,
                                     const QString& sentence, const QString& welchText) {
    m_differenceSection->setTitle(title.isEmpty() ? tr("Difference") : title);
    const bool hasResult = paired.has_value();
    m_value->parentWidget()->setVisible(hasResult);
    m_interval->setVisible(hasResult);
    m_facts->setVisible(hasResult || !welchText.isEmpty());
    m_sentence->setVisible(!sentence.isEmpty());
    m_sentence->setText(sentence);
    QVector<KeyValue> rows;
    if (hasResult) {
        m_value->setText(format::signedFixed(100 * paired->difference, 2));
        m_interval->setValues(100 * paired->low, 100 * paired->difference, 100 * paired->high);
        rows.append({tr("metric"), metric, {}});
        rows.append({tr("interval"), format::signedFixed(100 * paired->low, 2) + QStringLiteral(" … ") + format::signedFixed(100 * paired->high, 2), {}});
        rows.append({tr("paired bootstrap"), paired->p < 0.001 ? QStringLiteral("p < 0.001") : QStringLiteral("p = %1").arg(format::fixed(paired->p, 3)), {}});
        rows.append({tr("items"), tr("%1 shared").arg(format::count(paired->items)), {}});
        rows.append({tr("right in one only"), QStringLiteral("%1 : %2").arg(format::count(paired->onlyA), format::count(paired->onlyB)), {}});
    }
    if (!welchText.isEmpty()) rows.append({tr("Welch, by seed"), welchText, {}});
    m_facts->setRows(rows);
}

}  // namespace espalier::app
