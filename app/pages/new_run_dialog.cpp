#include "app/pages/new_run_dialog.h"

#include <QAbstractButton>
#include <QKeyEvent>
#include <QLabel>
#include <QListView>
#include <QPushButton>
#include <QScrollArea>
#include <QScrollBar>
#include <QVBoxLayout>

#include <algorithm>

#include "app/pages/new_run_forecast.h"
#include "app/pages/new_run_form.h"
#include "app/pages/new_run_recipes.h"
#include "app/pages/new_run_target.h"
#include "app/shell/commands.h"
#include "widgets/controls/controls.h"
#include "widgets/controls/messages.h"
#include "widgets/controls/segmented_control.h"
#include "widgets/theme/format.h"
#include "widgets/theme/icons.h"
#include "widgets/theme/metrics.h"

namespace espalier::app {

using namespace widgets;
using format::text;

namespace {

constexpr int kForecastMs = 120;
constexpr api::Scale kScales[] = {api::Scale::Smoke, api::Scale::Desk, api::Scale::Paper};

}  // namespace

NewRunDialog::NewRunDialog(AppContext& context, QWidget* parent)
    : QDialog(parent, Qt::Dialog | Qt::FramelessWindowHint), m_context(context) {
    buildFrame();
    m_forecastTimer.setSingleShot(true);
    m_forecastTimer.setInterval(kForecastMs);
    connect(&m_forecastTimer, &QTimer::timeout, this, &NewRunDialog::askForecast);
    connect(m_recipes, &RecipeList::chosen, this, &NewRunDialog::chooseRecipe);
    connect(m_form, &ParamForm::edited, this, &NewRunDialog::refresh);
    connect(m_target, &RunTarget::edited, this, &NewRunDialog::refresh);
    connect(m_scale, &SegmentedControl::currentChanged, this, [this](int index) { m_form->setScale(kScales[index]); });
    connect(&theme(), &Theme::changed, this, [this] {
        m_problemIcon->setPixmap(iconPixmap(QStringLiteral("error"), metrics::kIconRow, Color::Error, devicePixelRatioF()));
        fitToWindow();
        update();
    });
    fitToWindow();
}

NewRunDialog::~NewRunDialog() { delete m_scrim; }

void NewRunDialog::preset(const QString& recipe, const QString& dataset, const QString& parentRun) {
    const auto& cards = m_context.registry->cards();
    const api::RecipeCard* card = m_context.registry->find(recipe.toStdString());
    const auto firstThat = [&](auto fits) {
        if (card) return;
        const auto it = std::find_if(cards.begin(), cards.end(), fits);
        if (it != cards.end()) card = &*it;
    };
    if (!parentRun.isEmpty()) firstThat([](const api::RecipeCard& each) { return each.needsParentRun; });
    firstThat([&](const api::RecipeCard& each) { return text(each.id) == m_context.selection->currentRecipe() && !each.needsParentRun; });
    firstThat([](const api::RecipeCard& each) { return !each.needsParentRun; });
    if (!card && !cards.empty()) card = &cards.front();
    if (card) {
        chooseRecipe(text(card->id));
        m_recipes->setCurrent(text(card->id));
    }
    QString data = dataset, parent = parentRun;
    if (card && card->needsParentRun && parent.isEmpty()) parent = m_context.selection->currentRun();
    if (data.isEmpty() && !(card && card->needsParentRun)) data = m_context.selection->currentDataset();
    m_target->choose(data, parent);
    m_formArea->verticalScrollBar()->setValue(0);
    m_recipes->view()->setFocus();
}

void NewRunDialog::chooseRecipe(const QString& recipe) {
    const api::RecipeCard* card = m_context.registry->find(recipe.toStdString());
    if (!card || card == m_recipe) return;
    m_recipe = card;
    m_trouble.clear();
    m_forecast.reset();
    m_form->setSchema(card->schema, kScales[m_scale->currentIndex()]);
    m_target->setCard(*card);
    m_card->setCard(*card);
    m_formArea->verticalScrollBar()->setValue(0);
    m_cardArea->verticalScrollBar()->setValue(0);
    refresh();
}

runtime::RunRequest NewRunDialog::request() const {
    runtime::RunRequest request;
    if (m_recipe) request.recipe = m_recipe->id;
    request.dataset = m_target->dataset().toStdString();
    request.from = m_target->parentRun().toStdString();
    request.scale = m_form->scale();
    request.params = m_form->changed();
    request.device = m_target->device().toStdString();
    const auto seeds = m_target->seeds();
    request.seed = seeds.empty() ? 0 : seeds.front();
    request.name = m_target->name().toStdString();
    for (const QString& tag : m_target->tags()) request.tags.push_back(tag.toStdString());
    return request;
}

QString NewRunDialog::problemText() const { return m_problems->isHidden() ? QString() : m_problems->text(); }

bool NewRunDialog::isSettled() const {
    return !m_forecastTimer.isActive() && !m_isForecastStale && m_context.bridge->reads().isIdle(this) && !m_isStarting;
}

void NewRunDialog::refresh() {
    if (!m_recipe) return;
    m_form->clearRecipeProblems();
    m_trouble.clear();
    m_isForecastStale = true;
    m_forecastTimer.start();
    const QString hints[] = {tr("a few steps, to see that all of it works"), tr("minutes on two cores"), tr("as in the paper")};
    QString hint = hints[m_scale->currentIndex()];
    if (m_form->scale() == api::Scale::Desk && !m_recipe->deskTime.empty()) hint = tr("measured %1 on two cores").arg(text(m_recipe->deskTime));
    m_scaleHint->setText(hint);
    const feed::DatasetSummary* set = m_context.bridge->dataset(m_target->dataset());
    m_recipes->setDataKind(set ? text(set->kind) : QString());
    m_command->setText(commandLine());
    showTrouble({});
}

void NewRunDialog::showTrouble(const QString& sentence) {
    m_trouble = sentence;
    const int problems = m_form->problemCount() + m_target->problemCount();
    const auto runs = static_cast<int>(std::max<std::size_t>(1, m_target->seeds().size()));
    const bool isWrong = problems > 0 || !sentence.isEmpty();
    m_problems->setText(problems == 1 ? tr("1 value to correct") : problems > 1 ? tr("%1 values to correct").arg(problems) : tr("cannot start like this"));
    m_problems->setVisible(isWrong);
    m_problemIcon->setVisible(isWrong);
    m_start->setText(m_isStarting ? tr("Starting…") : runs == 1 ? tr("Start run") : tr("Start %1 runs").arg(runs));
    m_start->setEnabled(m_recipe && !isWrong && !m_isStarting);
    m_card->setForecast(m_forecast, runs, sentence);
}

void NewRunDialog::askForecast() {
    m_isForecastStale = false;
    if (!m_recipe || m_form->problemCount() > 0) {
        m_forecast.reset();
        return showTrouble(m_trouble);
    }
    runtime::RunRequest asked = request();
    // A quantizer's size is its parent's, its cost that of the parent's data.
    std::optional<feed::RunInfo> parent;
    if (const feed::RunInfo* run = m_recipe->needsParentRun ? m_context.bridge->run(m_target->parentRun()) : nullptr) parent = *run;
    if (parent && asked.dataset.empty()) asked.dataset = parent->datasetId;
    std::vector<feed::RunInfo> earlier;
    if (parent)
        for (const feed::RunInfo& run : m_context.bridge->runs().runs())
            if (run.recipe == m_recipe->id && run.state == feed::JobState::Completed) earlier.push_back(run);
    m_context.bridge->reads().run(
        this, QStringLiteral("forecast"),
        [engine = m_context.engine, asked, parent, earlier]() -> Result<RunForecast> {
            RunForecast forecast;
            const runtime::MachineReport machine = engine->machine();
            forecast.memoryOfMachine = machine.memoryBytes;
            forecast.devices = machine.devices;
            ESPALIER_TRY(forecast.cost, engine->forecast(asked));
            forecast.secsPerItem = engine->secondsEstimate(asked, forecast.cost);
            if (parent) completeFromParent(forecast, *parent, earlier, [&](const feed::RunInfo& run) { return forecastAgain(*engine, run); });
            return forecast;
        },
        [this](Result<RunForecast> forecast) { takeForecast(std::move(forecast)); });
}

void NewRunDialog::takeForecast(Result<RunForecast> forecast) {
    if (m_isForecastStale) return;  // another value was typed meanwhile; its forecast follows
    if (!forecast) {
        m_forecast.reset();
        const Error& error = forecast.error();
        QString sentence = text(error.what);
        if (!sentence.isEmpty()) sentence[0] = sentence[0].toUpper();
        if (!error.remedy.empty()) sentence += QStringLiteral(". ") + text(error.remedy);
        if (m_form->setRecipeProblem(text(error.where), sentence + u'.')) return showTrouble({});
        return showTrouble(text(error.sentence()));
    }
    m_forecast = std::move(*forecast);
    const QSignalBlocker quiet(m_target);
    m_target->setDevices(m_forecast->devices);
    if (!m_forecast->cost.modelText.empty())
        if (ParamField* variant = m_form->field(QStringLiteral("variant"))) variant->setHint(text(m_forecast->cost.modelText));
    showTrouble({});
}

void NewRunDialog::start() {
    if (!m_start->isEnabled()) {
        FormRow* wrong = m_form->firstWrong() ? static_cast<FormRow*>(m_form->firstWrong()) : m_target->firstWrong();
        if (wrong) {
            m_formArea->ensureWidgetVisible(wrong);
            wrong->setFocus();
        }
        return;
    }
    m_isStarting = true;
    showTrouble({});
    std::vector<runtime::RunRequest> requests;
    const auto seeds = m_target->seeds();
    for (const auto seed : seeds) {
        runtime::RunRequest each = request();
        each.seed = seed;
        if (!each.name.empty() && seeds.size() > 1) each.name += "-s" + std::to_string(seed);
        requests.push_back(std::move(each));
    }
    // Run folder and catalog row are written before submit() returns: not on the GUI thread.
    m_context.bridge->reads().run(
        this, QStringLiteral("start"),
        [engine = m_context.engine, requests]() -> Started {
            Started result;
            for (const auto& each : requests) {
                auto job = engine->submit(each);
                if (!job) {
                    result.error = job.error();
                    break;
                }
                result.jobs << *job;
            }
            return result;
        },
        [this, seeds](const Started& result) { takeStarted(result, seeds); });
}

void NewRunDialog::takeStarted(const Started& result, const std::vector<std::int64_t>& seeds) {
    m_isStarting = false;
    showTrouble({});
    if (!result.jobs.isEmpty()) {
        followFirst(result.jobs.front());
        Q_EMIT started(result.jobs);
    }
    if (!result.error) return accept();
    const auto done = static_cast<std::size_t>(result.jobs.size());
    QString what = tr("The run was not started");
    if (done > 0) {
        // Those that are queued must not be asked for again: only the rest stays in the field.
        m_target->setSeeds({seeds.begin() + static_cast<std::ptrdiff_t>(done), seeds.end()});
        what = done == 1 ? tr("Only the run of seed %1 was started; the field holds the other seeds").arg(seeds.front())
                         : tr("Only the first %1 of %2 runs were started; the field holds the other seeds").arg(done).arg(seeds.size());
    }
    while (QLayoutItem* old = m_banners->takeAt(0)) {
        if (old->widget()) old->widget()->deleteLater();
        delete old;
    }
    auto* banner = new Banner(Banner::Kind::Error, what, text(result.error->sentence()), this);
    banner->setCopyText(text(result.error->sentence()));
    m_banners->addWidget(banner);
}

void NewRunDialog::followFirst(quint64 job) {
    // The window shows the new run as soon as the catalog holds it; this dialog is gone by then.
    EngineBridge* bridge = m_context.bridge;
    Selection* selection = m_context.selection;
    Commands* commands = m_context.commands;
    const QString page = m_recipe->needsParentRun ? QStringLiteral("quantize") : QStringLiteral("train");
    auto* once = new QObject(bridge);
    const auto look = [bridge, selection, commands, job, page, once] {
        const JobRow* row = bridge->jobs().find(job);
        if (!row || row->runId.isEmpty() || !bridge->run(row->runId)) return false;
        selection->setShown(row->runId, true);
        selection->setCurrentRun(row->runId);
        if (commands) commands->openPage(page);
        // Both signals may come before the deletion; a second look would pull the user back to the page.
        bridge->disconnect(once);
        once->deleteLater();
        return true;
    };
    if (look()) return;
    QObject::connect(bridge, &EngineBridge::catalogChanged, once, look);
    QObject::connect(bridge, &EngineBridge::jobAdded, once, look);
}

void NewRunDialog::keyPressEvent(QKeyEvent* event) {
    if (event->key() == Qt::Key_Return || event->key() == Qt::Key_Enter) {
        event->accept();
        // On a button Enter means that button: Cancel must not start.
        if (auto* button = qobject_cast<QAbstractButton*>(focusWidget())) return button->click();
        return start();
    }
    QDialog::keyPressEvent(event);
}

}  // namespace espalier::app
