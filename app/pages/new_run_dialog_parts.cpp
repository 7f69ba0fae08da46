// What stands where in the New-run window, its frame, and the same run as a command line.
#include <QApplication>
#include <QClipboard>
#include <QHBoxLayout>
#include <QLabel>
#include <QMouseEvent>
#include <QPainter>
#include <QPushButton>
#include <QRegularExpression>
#include <QScrollArea>
#include <QStackedWidget>
#include <QTabBar>
#include <QToolButton>
#include <QVBoxLayout>
#include <QWhatsThis>
#include <QWindow>

#include <algorithm>

#include "app/pages/new_run_dialog.h"
#include "app/pages/new_run_form.h"
#include "app/pages/new_run_recipes.h"
#include "app/pages/new_run_target.h"
#include "widgets/controls/controls.h"
#include "widgets/controls/paint_help.h"
#include "widgets/controls/segmented_control.h"
#include "widgets/theme/format.h"
#include "widgets/theme/icons.h"
#include "widgets/theme/metrics.h"

namespace espalier::app {

using namespace widgets;
using format::text;

namespace {

constexpr int kWidth = 1120, kNarrowWidth = 1040, kHeight = 744;
constexpr int kListWidth = 292, kNarrowListWidth = 240, kLeastListWidth = 180, kCardWidth = 316, kNarrowCardWidth = 292;
constexpr int kCardTabWidth = 960;

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

void NewRunDialog::buildFrame() {
    setWindowTitle(tr("New run"));
    setAttribute(Qt::WA_TranslucentBackground);
    setModal(true);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(1, 1, 1, 1);
    column->setSpacing(0);
    auto* bar = new TitleBar(this);
    setTextHeight(bar, 44);
    auto* title = new QHBoxLayout(bar);
    title->setContentsMargins(16, 0, 12, 0);
    title->addWidget(makeLabel(tr("New run"), Type::Title, Color::Text, bar));
    title->addStretch(1);
    QToolButton* help = makeIconButton(QStringLiteral("help"), tr("Then click a field: what it means"), bar);
    connect(help, &QToolButton::clicked, this, [] { QWhatsThis::enterWhatsThisMode(); });
    title->addWidget(help);
    QToolButton* close = makeIconButton(QStringLiteral("close"), tr("Close"), bar);
    connect(close, &QToolButton::clicked, this, &QDialog::reject);
    title->addWidget(close);
    column->addWidget(bar);
    column->addWidget(lineBelow(this));
    m_banners = new QVBoxLayout;
    m_banners->setContentsMargins(0, 0, 0, 0);
    column->addLayout(m_banners);

    m_body = new QHBoxLayout;
    m_body->setSpacing(0);
    m_recipes = new RecipeList(m_context, this);
    m_card = new RunCard(m_context, this);
    m_cardArea = makeArea(m_card, this);
    m_body->addWidget(m_recipes);
    m_body->addWidget(lineBeside(this));
    m_body->addWidget(buildForm(), 1);
    m_body->addWidget(m_cardLine = lineBeside(this));
    m_body->addWidget(m_cardArea);
    column->addLayout(m_body, 1);
    column->addWidget(lineBelow(this));
    buildFooter(column);
}

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
    setTextHeight(topHolder, 43);
    topHolder->setLayout(top);
    column->addWidget(topHolder);
    column->addWidget(lineBelow(holder));
    // Without room for three columns the card stands behind a tab.
    m_cardTabs = new QTabBar(holder);
    m_cardTabs->addTab(tr("Form"));
    m_cardTabs->addTab(tr("Paper and forecast"));
    m_cardTabs->setDrawBase(false);
    m_cardTabs->setExpanding(false);
    m_cardTabs->setFocusPolicy(Qt::TabFocus);
    m_cardTabs->setAccessibleName(tr("Form or paper"));
    m_cardTabs->hide();
    connect(m_cardTabs, &QTabBar::currentChanged, this, [this](int index) {
        if (m_isCardInTab) m_formStack->setCurrentIndex(index);
    });
    column->addWidget(m_cardTabs);
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
    m_formStack = new QStackedWidget(holder);
    m_formStack->addWidget(m_formArea);
    column->addWidget(m_formStack, 1);
    return holder;
}

void NewRunDialog::buildFooter(QVBoxLayout* column) {
    auto* footer = new QWidget(this);
    setTextHeight(footer, 52);
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

void NewRunDialog::fitToWindow() {
    const QSize window = parentWidget() ? parentWidget()->window()->size() : QSize(1440, 900);
    const bool isNarrow = window.width() < 1360;
    const auto scaled = [](int px) { return theme().scaled(px); };
    m_recipes->setFixedWidth(scaled(window.width() < 840 ? kLeastListWidth : isNarrow ? kNarrowListWidth : kListWidth));
    resize(std::min(scaled(isNarrow ? kNarrowWidth : kWidth), std::max(640, window.width() - 48)),
           std::min(scaled(kHeight), std::max(400, window.height() - 24)));
    placeCard();
}

void NewRunDialog::placeCard() {
    const int cardWidth = theme().scaled(width() < kWidth ? kNarrowCardWidth : kCardWidth);
    const bool isInTab = width() < theme().scaled(kCardTabWidth);
    m_cardArea->setMinimumWidth(isInTab ? 0 : cardWidth);
    m_cardArea->setMaximumWidth(isInTab ? QWIDGETSIZE_MAX : cardWidth);
    if (isInTab == m_isCardInTab) return;
    m_isCardInTab = isInTab;
    if (isInTab) {
        m_body->removeWidget(m_cardArea);
        m_formStack->addWidget(m_cardArea);
        m_formStack->setCurrentIndex(m_cardTabs->currentIndex());
    } else {
        m_formStack->removeWidget(m_cardArea);
        m_body->addWidget(m_cardArea);
        m_cardArea->show();
        m_formStack->setCurrentIndex(0);
    }
    m_cardLine->setVisible(!isInTab);
    m_cardTabs->setVisible(isInTab);
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
    placeCard();
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
