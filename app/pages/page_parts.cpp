#include "app/pages/page_parts.h"

#include <QLabel>
#include <QToolButton>
#include <QVBoxLayout>

#include <algorithm>

#include "app/bridge/app_context.h"
#include "app/shell/error_presenter.h"
#include "widgets/controls/chip.h"
#include "widgets/controls/controls.h"
#include "widgets/controls/page_tool_bar.h"
#include "widgets/controls/section.h"
#include "widgets/plot/chart_export.h"
#include "widgets/plot/chart_group.h"
#include "widgets/plot/loss_chart.h"
#include "widgets/theme/format.h"
#include "widgets/theme/metrics.h"

namespace espalier::app {

using namespace widgets;

namespace {

constexpr int kNameWidth = 150;

}  // namespace

const api::RecipeCard* firstRecipe(const api::RecipeRegistry& registry) {
    const auto& cards = registry.cards();
    const auto fits = std::find_if(cards.begin(), cards.end(), [](const api::RecipeCard& card) { return !card.needsParentRun; });
    return fits != cards.end() ? &*fits : cards.empty() ? nullptr : &cards.front();
}

QWidget* paddedChart(QWidget* chart, int left, int right) {
    auto* box = new QWidget;
    setGround(box, Color::Well);
    auto* layout = new QVBoxLayout(box);
    layout->setContentsMargins(left, metrics::kSpace4, right, metrics::kSpace4);
    layout->addWidget(chart);
    return box;
}

ChartTools addChartTools(PageToolBar* bar, ChartGroup* group, LossChart* chart, int dropOrder) {
    ChartTools tools;
    tools.logY = makeToggle(QStringLiteral("log-axis"), LossChart::tr("Log scale on y of the loss (L in a chart)"), false, bar);
    tools.back = makeIconButton(QStringLiteral("zoom-back"), LossChart::tr("Zoom back (Backspace in a chart)"), bar);
    tools.reset = makeIconButton(QStringLiteral("zoom-reset"), LossChart::tr("Reset zoom (0 or double click in a chart)"), bar);
    for (QToolButton* tool : {tools.logY, tools.back, tools.reset}) bar->addDroppable(tool, dropOrder);
    QObject::connect(tools.logY, &QToolButton::toggled, chart, &LossChart::setLogY);
    QObject::connect(chart, &LossChart::logYChanged, tools.logY, &QToolButton::setChecked);
    QObject::connect(tools.back, &QToolButton::clicked, group, &ChartGroup::zoomBack);
    QObject::connect(tools.reset, &QToolButton::clicked, group, &ChartGroup::zoomReset);
    const auto follow = [group, tools] {
        tools.back->setEnabled(group->canGoBack());
        tools.reset->setEnabled(group->isZoomed());
    };
    QObject::connect(group, &ChartGroup::historyChanged, tools.back, follow);
    follow();
    return tools;
}

RunTitle addRunTitle(PageToolBar* bar) {
    RunTitle title;
    title.bar = bar;
    title.swatch = new Swatch(0, true, bar);
    title.swatch->setAttribute(Qt::WA_TransparentForMouseEvents);
    title.swatch->setFocusPolicy(Qt::NoFocus);
    title.name = makeLabel({}, Type::BodyStrong, Color::Text, bar);
    bar->addDroppable(title.swatch, 4);
    bar->addDroppable(title.name, 4);
    bar->addSeparator();
    bar->endTitle();
    return title;
}

void RunTitle::show(const feed::RunInfo* run) const {
    bar->setWanted(swatch, run != nullptr);
    bar->setWanted(name, run != nullptr);
    if (!run) return;
    swatch->setColorIndex(run->colorIndex);
    name->setText(format::elideName(QFontMetrics(theme().font(Type::BodyStrong)), format::text(run->name), kNameWidth));
    name->setToolTip(format::text(run->name));
}

Section* addInspectorSection(QVBoxLayout* layout, const QString& title, QWidget* body, QWidget* parent) {
    auto* section = new Section(title, parent);
    section->setBody(body);
    section->setBodyMargins(metrics::kSpace12, 0, metrics::kSpace12, metrics::kSpace8);
    layout->addWidget(section);
    return section;
}

bool exportAndTell(AppContext& context, const Figure& figure, const QString& suggestedName, const std::function<QString(const QString& suggested)>& choose) {
    const QString path = choose(suggestedName);
    if (path.isEmpty()) return false;
    const Result<void> written = writeFigure(figure, path);
    if (context.errors) {
        if (written) context.errors->toast(LossChart::tr("Figure written"), path, QStringLiteral("export"));
        else context.errors->show(written.error());
    }
    return written.has_value();
}

}  // namespace espalier::app
