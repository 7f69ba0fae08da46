#include "app/pages/new_run_dialog.h"

#include <QAbstractButton>
#include <QApplication>
#include <QClipboard>
#include <QHBoxLayout>
#include <QKeyEvent>
#include <QLabel>
#include <QListView>
#include <QPainter>
#include <QPushButton>
#include <QRegularExpression>
#include <QScrollArea>
#include <QScrollBar>
#include <QToolButton>
#include <QVBoxLayout>
#include <QWindow>

#include <algorithm>

#include "app/pages/new_run_form.h"
#include "app/pages/new_run_recipes.h"
#include "app/pages/new_run_target.h"
#include "app/shell/commands.h"
#include "widgets/controls/controls.h"
#include "widgets/controls/messages.h"
#include "widgets/controls/paint_help.h"
#include "widgets/controls/segmented_control.h"
#include "widgets/theme/format.h"
#include "widgets/theme/icons.h"

namespace espalier::app {

using namespace widgets;
using format::text;

namespace {

constexpr int kForecastMs = 120;
constexpr int kWidth = 1120, kNarrowWidth = 1040, kHeight = 744;
constexpr int kListWidth = 292, kNarrowListWidth = 240, kCardWidth = 316, kNarrowCardWidth = 292;
constexpr api::Scale kScales[] = {api::Scale::Smoke, api::Scale::Desk, api::Scale::Paper};

// Dims the window behind; a plain child, because some window managers do not.
class Scrim : public QWidget {
public:
    explicit Scrim(QWidget* window) : QWidget(window) {
        setObjectName(QStringLiteral("scrim"));
        setGeometry(window->rect());
        window->installEventFilter(this);
        raise();
        show();
    }

protected:
    bool eventFilter(QObject* watched, QEvent* event) override {
        if (event->type() == QEvent::Resize) setGeometry(static_cast<QWidget*>(watched)->rect());
        return false;
    }
    void paintEvent(QPaintEvent*) override { QPainter(this).fillRect(rect(), QColor(0, 0, 0, theme().isDark() ? 128 : 82)); }
};

QScrollArea* makeArea(QWidget* content, QWidget* parent) {
    auto* area = new QScrollArea(parent);
    area->setFrameShape(QFrame::NoFrame);
    area->setWidgetResizable(true);
    area->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    area->setFocusPolicy(Qt::NoFocus);
    area->setWidget(content);
    area->viewport()->setAutoFillBackground(false);
    content->setAutoFillBackground(false);
    return area;
}

QWidget* lineBelow(QWidget* parent) {
    QWidget* line = makeLine(Qt::Horizontal, parent);
    line->setFixedHeight(1);
    return line;
}

QWidget* lineBeside(QWidget* parent) {
    QWidget* line = makeLine(Qt::Vertical, parent);
    line->setFixedWidth(1);
    return line;
}

}  // namespace

QString shellQuoted(const QString& word) {
    static const QRegularExpression plain(QStringLiteral("^[A-Za-z0-9_./:=,+@%-]+$"));
    if (plain.match(word).hasMatch()) return word;
    QString inner = word;
    inner.replace(u'\'', QStringLiteral("'\\''"));
    return u'\'' + inner + u'\'';
}

/// Moves the frameless window; help and close stand at the right.
class NewRunDialog::TitleBar : public QWidget {
public:
    using QWidget::QWidget;

protected:
    void mousePressEvent(QMouseEvent* event) override {
        if (event->button() == Qt::LeftButton && window()->windowHandle()) window()->windowHandle()->startSystemMove();
    }
};

NewRunDialog::NewRunDialog(AppContext& context, QWidget* parent)
    : QDialog(parent, Qt::Dialog | Qt::FramelessWindowHint), m_context(context) {
    setWindowTitle(tr("New run"));
    setAttribute(Qt::WA_TranslucentBackground);
    setModal(true);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(1, 1, 1, 1);
    column->setSpacing(0);
    auto* bar = new TitleBar(this);
    bar->setFixedHeight(44);
    auto* title = new QHBoxLayout(bar);
    title->setContentsMargins(16, 0, 12, 0);
    title->addWidget(makeLabel(tr("New run"), Type::Title, Color::Text, bar));
    title->addStretch(1);
    QToolButton* close = makeIconButton(QStringLiteral("close"), tr("Close"), bar);
    connect(close, &QToolButton::clicked, this, &QDialog::reject);
    title->addWidget(close);
    column->addWidget(bar);
    column->addWidget(lineBelow(this));
    m_banners = new QVBoxLayout;
    m_banners->setContentsMargins(0, 0, 0, 0);
    column->addLayout(m_banners);

    auto* body = new QHBoxLayout;
    body->setSpacing(0);
    m_recipes = new RecipeList(context, this);
    m_card = new RunCard(context, this);
    m_cardArea = makeArea(m_card, this);
    body->addWidget(m_recipes);
    body->addWidget(lineBeside(this));
    body->addWidget(buildForm(), 1);
    body->addWidget(lineBeside(this));
    body->addWidget(m_cardArea);
    column->addLayout(body, 1);
    column->addWidget(lineBelow(this));
    buildFooter(column);

    m_forecastTimer.setSingleShot(true);
    m_forecastTimer.setInterval(kForecastMs);
    connect(&m_forecastTimer, &QTimer::timeout, this, &NewRunDialog::askForecast);
    connect(m_recipes, &RecipeList::chosen, this, &NewRunDialog::chooseRecipe);
    connect(m_form, &ParamForm::edited, this, &NewRunDialog::refresh);
    connect(m_target, &RunTarget::edited, this, &NewRunDialog::refresh);
    connect(m_scale, &SegmentedControl::currentChanged, this, [this](int index) { m_form->setScale(kScales[index]); });
    connect(&theme(), &Theme::changed, this, [this] {
        m_problemIcon->setPixmap(iconPixmap(QStringLiteral("error"), metrics::kIconRow, Color::Error, devicePixelRatioF()));
        update();
    });
    fitToWindow();
}

NewRunDialog::~NewRunDialog() { delete m_scrim; }

QWidget* NewRunDialog::buildForm() {
    auto* holder = new QWidget(this);
    setGround(holder, Color::Well);
    auto* column = new QVBoxLayout(holder);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    auto* top = new QHBoxLayout;
    top->setContentsMargins(20, 0, 16, 0);
    top->setSpacing(8);
    top->addWidget(makeLabel(tr("Scale"), Type::Body, Color::Text2, holder));
    m_scale = new SegmentedControl({tr("Smoke"), tr("Desk"), tr("Paper")}, holder);
    m_scale->setCurrentIndex(1);
    m_scale->setAccessibleName(tr("Scale"));
    top->addWidget(m_scale);
    m_scaleHint = new ElidedLabel(Qt::ElideRight, Type::Caption, Color::Text2, holder);
    m_scaleHint->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);
    top->addWidget(m_scaleHint, 1);
    auto* topHolder = new QWidget(holder);
    topHolder->setFixedHeight(43);
    topHolder->setLayout(top);
    column->addWidget(topHolder);
    column->addWidget(lineBelow(holder));
    auto* content = new QWidget;
    auto* rows = new QVBoxLayout(content);
    rows->setContentsMargins(20, 14, 16, 14);
    rows->setSpacing(0);
    m_form = new ParamForm(content);
    m_target = new RunTarget(m_context, content);
    rows->addWidget(m_form);
    rows->addWidget(m_target);
    rows->addWidget(m_form->runRows());
    rows->addStretch(1);
    m_formArea = makeArea(content, holder);
    column->addWidget(m_formArea, 1);
    return holder;
}

void NewRunDialog::buildFooter(QVBoxLayout* column) {
    auto* footer = new QWidget(this);
    footer->setFixedHeight(52);
    auto* row = new QHBoxLayout(footer);
    row->setContentsMargins(16, 0, 16, 0);
    row->setSpacing(8);
    m_command = new ElidedLabel(Qt::ElideRight, Type::Mono, Color::Text2, footer);
    m_command->setSizePolicy(QSizePolicy::Preferred, QSizePolicy::Preferred);
    m_command->setAccessibleName(tr("The same run on the command line"));
    row->addWidget(m_command);
    QToolButton* copy = makeIconButton(QStringLiteral("copy"), tr("Copy the command line"), footer, ControlSize::Small);
    connect(copy, &QToolButton::clicked, this, [this] { QApplication::clipboard()->setText(commandLine()); });
    row->addWidget(copy);
    row->addStretch(1);
    m_problemIcon = new QLabel(footer);
    m_problemIcon->setPixmap(iconPixmap(QStringLiteral("error"), metrics::kIconRow, Color::Error, devicePixelRatioF()));
    m_problems = makeLabel({}, Type::Body, Color::Error, footer);
    row->addWidget(m_problemIcon);
    row->addWidget(m_problems);
    row->addSpacing(8);
    m_cancel = makeButton(tr("Cancel"), {}, ButtonKind::Normal, ControlSize::Large, footer);
    m_start = makeButton(tr("Start"), QStringLiteral("run"), ButtonKind::Primary, ControlSize::Large, footer);
    row->addWidget(m_cancel);
    row->addWidget(m_start);
    column->addWidget(footer);
    connect(m_cancel, &QPushButton::clicked, this, &QDialog::reject);
    connect(m_start, &QPushButton::clicked, this, &NewRunDialog::start);
}

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

QString NewRunDialog::commandLine() const {
    if (!m_recipe) return {};
    QStringList words{QStringLiteral("espalier-cli"), QStringLiteral("run"), text(m_recipe->id).section(u'-', 0, 0)};
    const auto add = [&](const QString& flag, const QString& value) {
        if (!value.isEmpty()) words << flag << shellQuoted(value);
    };
    add(QStringLiteral("--data"), m_target->datasetName());
    add(QStringLiteral("--from"), m_target->parentName());
    add(QStringLiteral("--scale"), text(api::scaleName(m_form->scale())));
    QStringList seeds;
    for (const auto seed : m_target->seeds()) seeds << QString::number(seed);
    add(QStringLiteral("--seed"), seeds.join(u','));
    if (m_target->device() != QStringLiteral("auto")) add(QStringLiteral("--device"), m_target->device());
    add(QStringLiteral("--name"), m_target->name());
    for (const QString& tag : m_target->tags()) add(QStringLiteral("--tag"), tag);
    for (const auto& [key, value] : m_form->changed()) words << QStringLiteral("--") + text(key) << shellQuoted(text(value));
    return words.join(u' ');
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
    // A quantizer's cost is that of its parent's data.
    if (asked.dataset.empty())
        if (const feed::RunInfo* parent = m_context.bridge->run(m_target->parentRun())) asked.dataset = parent->datasetId;
    m_context.bridge->reads().run(
        this, QStringLiteral("forecast"),
        [engine = m_context.engine, asked]() -> Result<RunForecast> {
            RunForecast forecast;
            const runtime::MachineReport machine = engine->machine();
            forecast.memoryOfMachine = machine.memoryBytes;
            forecast.devices = machine.devices;
            ESPALIER_TRY(forecast.cost, engine->forecast(asked));
            forecast.secsPerItem = engine->secondsEstimate(asked, forecast.cost);
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
    using Started = std::pair<QList<quint64>, std::optional<Error>>;
    m_context.bridge->reads().run(
        this, QStringLiteral("start"),
        [engine = m_context.engine, requests]() -> Started {
            Started result;
            for (const auto& each : requests) {
                auto job = engine->submit(each);
                if (!job) {
                    result.second = job.error();
                    break;
                }
                result.first << *job;
            }
            return result;
        },
        [this](Started result) {
            m_isStarting = false;
            showTrouble({});
            if (!result.first.isEmpty()) {
                followFirst(result.first.front());
                Q_EMIT started(result.first);
            }
            if (!result.second) return accept();
            auto* banner = new Banner(Banner::Kind::Error, result.first.isEmpty() ? tr("The run was not started") : tr("Only %1 of the runs were started").arg(result.first.size()),
                                      text(result.second->sentence()), this);
            banner->setCopyText(text(result.second->sentence()));
            m_banners->addWidget(banner);
        });
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

void NewRunDialog::fitToWindow() {
    const QSize window = parentWidget() ? parentWidget()->window()->size() : QSize(1440, 900);
    const bool isNarrow = window.width() < 1360;
    m_recipes->setFixedWidth(isNarrow ? kNarrowListWidth : kListWidth);
    m_cardArea->setFixedWidth(isNarrow ? kNarrowCardWidth : kCardWidth);
    resize(std::min(isNarrow ? kNarrowWidth : kWidth, std::max(720, window.width() - 48)), std::min(kHeight, std::max(420, window.height() - 40)));
}

void NewRunDialog::showEvent(QShowEvent* event) {
    fitToWindow();
    if (QWidget* window = parentWidget() ? parentWidget()->window() : nullptr) {
        move(window->mapToGlobal(QPoint((window->width() - width()) / 2, (window->height() - height()) / 2)));
        if (!m_scrim) m_scrim = new Scrim(window);
    }
    QDialog::showEvent(event);
}

void NewRunDialog::hideEvent(QHideEvent* event) {
    delete m_scrim;
    QDialog::hideEvent(event);
}

void NewRunDialog::resizeEvent(QResizeEvent* event) {
    QDialog::resizeEvent(event);
    m_cardArea->setVisible(width() >= 900);
}

bool NewRunDialog::event(QEvent* event) {
    const bool isHandled = QDialog::event(event);
    // The style sheet would fill the square behind the round corners.
    if (event->type() == QEvent::Polish || event->type() == QEvent::StyleChange) setAttribute(Qt::WA_StyledBackground, false);
    return isHandled;
}

void NewRunDialog::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    paintBox(painter, rect(), metrics::kRadiusCard, theme().color(Color::Panel), theme().color(Color::Border));
}

}  // namespace espalier::app
