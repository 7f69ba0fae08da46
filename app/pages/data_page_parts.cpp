// What stands where on the Data page.
#include <QActionGroup>
#include <QGridLayout>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QLabel>
#include <QMenu>
#include <QPainter>
#include <QPushButton>
#include <QScrollArea>
#include <QSpinBox>
#include <QSplitter>
#include <QStackedWidget>
#include <QStandardItemModel>
#include <QStyledItemDelegate>
#include <QToolButton>
#include <QTreeView>
#include <QVBoxLayout>

#include "app/pages/data_page.h"
#include "widgets/controls/bars.h"
#include "widgets/controls/chip.h"
#include "widgets/controls/controls.h"
#include "widgets/controls/messages.h"
#include "widgets/controls/page_tool_bar.h"
#include "widgets/controls/section.h"
#include "widgets/controls/segmented_control.h"
#include "widgets/table/row_delegates.h"
#include "widgets/theme/format.h"
#include "widgets/theme/icons.h"
#include "widgets/theme/metrics.h"

namespace espalier::app {

using namespace widgets;

namespace {

// File with its icon by outcome in mono, reason, result at the right; a line below each row.
class WarningDelegate : public QStyledItemDelegate {
public:
    explicit WarningDelegate(QTreeView* view) : QStyledItemDelegate(view), m_view(view) {}
    // A reason takes the lines it needs: it is a sentence to act on.
    QSize sizeHint(const QStyleOptionViewItem&, const QModelIndex& index) const override {
        const int line = theme().lineHeight(Type::Body);
        if (index.column() != 1) return {80, line + 6};
        const QFontMetrics body(theme().font(Type::Body));
        const QRect text = body.boundingRect(QRect(0, 0, std::max(60, m_view->columnWidth(1) - 8), 400), Qt::TextWordWrap, index.data().toString());
        return {80, std::max(line, text.height()) + 6};
    }
    void paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const override {
        painter->save();
        const RowInk ink = paintRowGround(*painter, option);
        const Theme& look = theme();
        const auto outcome = static_cast<Outcome>(index.data(Qt::UserRole).toInt());
        QRect rect = option.rect;
        painter->fillRect(QRect(rect.x(), rect.bottom(), rect.width(), 1), look.color(Color::Line));
        const QString words = index.data().toString();
        if (index.column() == 0) {
            const QString name = outcome == Outcome::Skipped ? QStringLiteral("error") : outcome == Outcome::Kept ? QStringLiteral("warning") : QStringLiteral("info");
            const Color role = outcome == Outcome::Skipped ? Color::Error : outcome == Outcome::Kept ? Color::Warning : Color::Info;
            paintIcon(*painter, name, QRect(rect.x(), rect.y() + (rect.height() - 14) / 2, 14, 14), ink.isOnContrastSelection ? ink.text : look.color(role));
            rect.adjust(20, 0, -8, 0);
            painter->setFont(look.font(Type::Mono));
            painter->setPen(ink.text);
            painter->drawText(rect, Qt::AlignVCenter | Qt::AlignLeft, format::elidePath(painter->fontMetrics(), words, rect.width()));
        } else {
            painter->setFont(look.font(Type::Body));
            painter->setPen(index.column() == 1 ? ink.text : ink.text2);
            if (index.column() == 1) rect.adjust(0, 0, -8, 0);
            painter->drawText(rect, Qt::AlignVCenter | Qt::TextWordWrap | (index.column() == 2 ? Qt::AlignRight : Qt::AlignLeft), words);
        }
        painter->restore();
    }

private:
    QTreeView* m_view;
};

// Paints the swatch of a split before its count in the legend.
class SplitSwatch : public QWidget {
public:
    SplitSwatch(feed::Split split, QWidget* parent) : QWidget(parent), m_split(split) {
        setFixedSize(10, 10);
        connect(&theme(), &Theme::changed, this, qOverload<>(&QWidget::update));
    }

protected:
    void paintEvent(QPaintEvent*) override { QPainter(this).fillRect(rect(), theme().splitColor(m_split)); }

private:
    feed::Split m_split;
};

QVBoxLayout* column(QWidget* holder, int left = 14, int right = 14) {
    auto* layout = new QVBoxLayout(holder);
    layout->setContentsMargins(left, 0, right, 8);
    layout->setSpacing(0);
    return layout;
}

QScrollArea* scrolled(QWidget* content, QWidget* parent) {
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

QWidget* line(Qt::Orientation orientation, QWidget* parent) {
    QWidget* result = makeLine(orientation, parent);
    orientation == Qt::Horizontal ? result->setFixedHeight(1) : result->setFixedWidth(1);
    return result;
}

QLabel* note(const QString& words, QWidget* parent) {
    QLabel* label = makeLabel(words, Type::Body, Color::Text2, parent);
    label->setAlignment(Qt::AlignTop | Qt::AlignLeft);
    label->setWordWrap(true);
    label->setContentsMargins(0, 4, 0, 0);
    return label;
}

}  // namespace

void DataPage::buildToolBar() {
    m_bar = new PageToolBar(this);
    m_name = makeLabel({}, Type::BodyStrong, Color::Text, m_bar);
    m_count = makeLabel({}, Type::Body, Color::Text2, m_bar);
    m_lock = new QLabel(m_bar);
    m_hash = makeLabel({}, Type::Mono, Color::Text2, m_bar);
    m_copyHash = makeIconButton(QStringLiteral("copy"), tr("Copy the content hash"), m_bar, ControlSize::Small);
    m_add = makeButton(tr("Add files"), QStringLiteral("import"), ButtonKind::Normal, ControlSize::Normal, m_bar);
    m_export = makeButton(tr("Export"), QStringLiteral("export"), ButtonKind::Normal, ControlSize::Normal, m_bar);
    m_export->setToolTip(tr("Write the list of samples as CSV"));
    m_train = makeButton(tr("Train on this"), QStringLiteral("run"), ButtonKind::Primary, ControlSize::Normal, m_bar);
    m_bar->add(m_name);
    m_bar->addDroppable(m_count, 2);
    m_bar->addSeparator();
    m_bar->addDroppable(m_lock, 3);
    m_bar->addDroppable(m_hash, 3);
    m_bar->addDroppable(m_copyHash, 3);
    m_bar->addStretch();
    m_bar->add(m_add);
    m_bar->add(m_export);
    m_bar->add(m_train);
    const auto drawLock = [this] { m_lock->setPixmap(iconPixmap(QStringLiteral("lock"), metrics::kIconRow, Color::Text2, devicePixelRatioF())); };
    drawLock();
    m_lock->setToolTip(tr("Content, labels and split under one hash; every run keeps it"));
    connect(&theme(), &Theme::changed, this, drawLock);
}

QWidget* DataPage::buildSplit() {
    auto* holder = new QWidget(this);
    auto* rows = new QVBoxLayout(holder);
    rows->setContentsMargins(14, 6, 14, 10);
    rows->setSpacing(6);
    auto* head = new QHBoxLayout;
    head->setSpacing(6);
    head->addWidget(makeLabel(tr("Split"), Type::BodyStrong, Color::Text, holder));
    head->addSpacing(6);
    for (std::size_t i = 0; i < 3; ++i) {
        const auto split = static_cast<feed::Split>(i);
        head->addWidget(new SplitSwatch(split, holder));
        head->addWidget(makeLabel(QString::fromLatin1(feed::splitName(split)), Type::Body, Color::Text2, holder));
        m_splitCounts[i] = makeLabel({}, Type::Body, Color::Text, holder);
        head->addWidget(m_splitCounts[i]);
        head->addSpacing(8);
    }
    m_splitHint = new ElidedLabel(Qt::ElideRight, Type::Caption, Color::Text2, holder);
    head->addStretch(1);
    head->addWidget(m_splitHint);
    head->addSpacing(6);
    m_seedLabel = makeLabel(tr("seed"), Type::Caption, Color::Text2, holder);
    m_seed = new QSpinBox(holder);
    m_seed->setRange(0, 999999);
    m_seed->setKeyboardTracking(false);  // a number is dealt with when it is whole
    m_seed->setFixedWidth(72);
    m_seed->setAccessibleName(tr("Seed of the split"));
    m_seed->setToolTip(tr("Another seed deals the same shares anew"));
    head->addWidget(m_seedLabel);
    head->addWidget(m_seed);
    rows->addLayout(head);
    m_split = new SplitBar(holder);
    rows->addWidget(m_split);
    return holder;
}

QWidget* DataPage::buildSamples() {
    auto* holder = new QWidget(this);
    auto* rows = column(holder);
    auto* head = new QHBoxLayout;
    head->setContentsMargins(0, 2, 0, 4);
    head->setSpacing(4);
    m_samplesTitle = makeLabel(tr("Samples"), Type::BodyStrong, Color::Text, holder);
    head->addWidget(m_samplesTitle);
    head->addSpacing(6);
    m_chipHolder = new QWidget(holder);
    m_chipHolder->setFixedHeight(24);
    m_chipHolder->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Fixed);
    auto* chips = new QHBoxLayout(m_chipHolder);
    chips->setContentsMargins(0, 0, 0, 0);
    chips->setSpacing(6);
    chips->setSizeConstraint(QLayout::SetNoConstraint);
    head->addWidget(m_chipHolder, 1);
    m_order = makeIconButton(QStringLiteral("sort"), tr("Order of the samples"), holder);
    auto* menu = new QMenu(m_order);
    auto* group = new QActionGroup(menu);
    const std::pair<QString, SampleGrid::Order> orders[] = {{tr("As stored"), SampleGrid::Order::Stored}, {tr("By class"), SampleGrid::Order::ByClass},
                                                            {tr("By split"), SampleGrid::Order::BySplit}, {tr("Largest file first"), SampleGrid::Order::BySize}};
    for (const auto& [words, order] : orders) {
        QAction* action = menu->addAction(words, this, [this, order = order] { m_grid->setOrder(order); });
        action->setCheckable(true);
        action->setChecked(order == SampleGrid::Order::Stored);
        group->addAction(action);
    }
    m_order->setMenu(menu);
    m_order->setPopupMode(QToolButton::InstantPopup);
    m_large = makeToggle(QStringLiteral("zoom-box"), tr("Large pictures"), false, holder);
    connect(m_large, &QToolButton::toggled, this, [this](bool isOn) { m_grid->setLarge(isOn); });
    head->addWidget(m_order);
    head->addWidget(m_large);
    rows->addLayout(head);
    m_sampleStack = new QStackedWidget(holder);
    m_grid = new SampleGrid(context(), m_sampleStack);
    m_columns = new QTreeView(m_sampleStack);
    m_columns->setRootIsDecorated(false);
    m_columns->setUniformRowHeights(true);
    m_columns->setEditTriggers(QAbstractItemView::NoEditTriggers);
    m_columns->setItemDelegate(new TableCellDelegate(m_columns));
    m_columns->setModel(new QStandardItemModel(m_columns));
    m_columns->setAccessibleName(tr("Columns"));
    m_sampleStack->addWidget(m_grid);
    m_sampleStack->addWidget(m_columns);
    rows->addWidget(m_sampleStack, 1);
    return holder;
}

QWidget* DataPage::buildWarnings() {
    auto* holder = new QWidget(this);
    auto* rows = column(holder);
    auto* head = new QHBoxLayout;
    head->setContentsMargins(0, 2, 0, 2);
    head->setSpacing(8);
    head->addWidget(makeLabel(tr("Warnings"), Type::BodyStrong, Color::Text, holder));
    m_skipped = makeLabel({}, Type::Body, Color::Error, holder);
    m_changed = makeLabel({}, Type::Body, Color::Warning, holder);
    head->addWidget(m_skipped);
    head->addWidget(m_changed);
    head->addStretch(1);
    m_warningNote = makeLabel(tr("none stops the import"), Type::Caption, Color::Text2, holder);
    head->addWidget(m_warningNote);
    QToolButton* copy = makeIconButton(QStringLiteral("copy"), tr("Copy the warnings"), holder);
    copy->setObjectName(QStringLiteral("copyWarnings"));
    head->addWidget(copy);
    rows->addLayout(head);
    m_warnings = new WarningModel(this);
    m_warningView = new QTreeView(holder);
    m_warningView->setModel(m_warnings);
    m_warningView->setItemDelegate(new WarningDelegate(m_warningView));
    m_warningView->setRootIsDecorated(false);
    m_warningView->setIndentation(0);
    m_warningView->header()->setStretchLastSection(false);
    m_warningView->header()->setSectionResizeMode(1, QHeaderView::Stretch);
    m_warningView->header()->setSectionResizeMode(2, QHeaderView::Fixed);
    m_warningView->header()->resizeSection(0, 168);
    m_warningView->header()->resizeSection(2, 72);
    m_warningView->header()->setMinimumSectionSize(60);
    m_warningView->header()->setStyleSheet(QStringLiteral("QHeaderView::section { padding: 0; }"));
    connect(m_warningView->header(), &QHeaderView::sectionResized, m_warningView, [this] { m_warningView->doItemsLayout(); });
    m_warningView->setAccessibleName(tr("Warnings"));
    m_warningStack = new QStackedWidget(holder);
    m_warningStack->addWidget(m_warningView);
    m_warningStack->addWidget(note(tr("Every file was taken as it is."), m_warningStack));
    rows->addWidget(m_warningStack, 1);
    return holder;
}

QWidget* DataPage::buildDuplicates() {
    auto* holder = new QWidget(this);
    auto* rows = column(holder, 10, 14);
    m_duplicateHeader = new ChartHeader(tr("Duplicates"), {}, holder);
    rows->addWidget(m_duplicateHeader);
    m_duplicates = new DuplicateList(context(), holder);
    m_duplicateStack = new QStackedWidget(holder);
    m_duplicateStack->addWidget(scrolled(m_duplicates, m_duplicateStack));
    m_duplicateStack->addWidget(note(tr("No two samples are the same or look alike."), m_duplicateStack));
    rows->addWidget(m_duplicateStack, 1);
    return holder;
}

QWidget* DataPage::buildRight() {
    auto* holder = new QWidget(this);
    auto* rows = column(holder, 10, 14);
    m_classHeader = new ChartHeader(tr("Classes"), {}, holder);
    rows->addWidget(m_classHeader);
    m_classBars = new BarList(holder);
    auto* bars = new QWidget(holder);
    auto* barRows = new QVBoxLayout(bars);
    barRows->setContentsMargins(0, 0, 0, 0);
    barRows->addWidget(m_classBars);
    barRows->addStretch(1);
    m_classArea = scrolled(bars, holder);
    rows->addWidget(m_classArea, 1000);
    rows->addSpacing(6);
    m_sizeHeader = new ChartHeader(tr("File size"), {}, holder);
    m_sizeKind = new SegmentedControl({tr("Bytes"), tr("Pixels")}, holder);
    m_sizeHeader->addRight(m_sizeKind);
    rows->addWidget(m_sizeHeader);
    m_histogram = new SizeHistogram(holder);
    m_histogram->setFixedHeight(116);
    rows->addWidget(m_histogram);
    rows->addStretch(1);
    connect(m_sizeKind, &SegmentedControl::currentChanged, this, &DataPage::refreshHistogram);
    return holder;
}

QWidget* DataPage::buildBody() {
    auto* body = new QWidget(this);
    auto* rows = new QVBoxLayout(body);
    rows->setContentsMargins(0, 0, 0, 0);
    rows->setSpacing(0);
    rows->addWidget(buildSplit());
    rows->addWidget(line(Qt::Horizontal, body));
    auto* grid = new QGridLayout;
    grid->setContentsMargins(0, 0, 0, 0);
    grid->setSpacing(0);
    grid->addWidget(buildSamples(), 0, 0);
    grid->addWidget(line(Qt::Vertical, body), 0, 1, 3, 1);
    grid->addWidget(buildRight(), 0, 2);
    grid->addWidget(line(Qt::Horizontal, body), 1, 0);
    grid->addWidget(line(Qt::Horizontal, body), 1, 2);
    grid->addWidget(m_warningPart = buildWarnings(), 2, 0);
    grid->addWidget(m_duplicatePart = buildDuplicates(), 2, 2);
    grid->setRowStretch(0, 60);
    grid->setRowStretch(2, 40);
    grid->setColumnStretch(0, 64);
    grid->setColumnStretch(2, 36);
    rows->addLayout(grid, 1);
    return body;
}

}  // namespace espalier::app
