#include "app/shell/command_palette.h"

#include <QKeyEvent>
#include <QListView>
#include <QMenu>
#include <QPainter>
#include <QStandardItemModel>
#include <QVBoxLayout>

#include <algorithm>

#include "app/shell/commands.h"
#include "widgets/controls/paint_help.h"
#include "widgets/table/row_delegates.h"
#include "widgets/theme/format.h"
#include "widgets/theme/icons.h"

namespace espalier::app {

namespace metrics = widgets::metrics;
using widgets::Color;
using widgets::Type;

namespace {

constexpr int kMostEntries = 12;

class PopupFrame : public QFrame {
public:
    using QFrame::QFrame;

protected:
    void paintEvent(QPaintEvent*) override {
        QPainter painter(this);
        widgets::paintBox(painter, rect(), metrics::kRadiusCard, widgets::theme().color(Color::Popup),
                          widgets::theme().color(Color::Border));
    }
};

}  // namespace

int fuzzyScore(const QString& typed, const QString& text) {
    if (typed.isEmpty()) return 1;
    const QString haystack = text.toLower();
    int score = 1000;
    for (const QString& word : typed.toLower().split(u' ', Qt::SkipEmptyParts)) {
        const qsizetype at = haystack.indexOf(word);
        if (at >= 0) {
            const bool isWordStart = at == 0 || !haystack[at - 1].isLetterOrNumber();
            score += (isWordStart ? 200 : 60) - static_cast<int>(std::min<qsizetype>(at, 50));
            continue;
        }
        // Letters in order, each gap costs.
        qsizetype from = 0;
        int gaps = 0;
        for (const QChar c : word) {
            const qsizetype found = haystack.indexOf(c, from);
            if (found < 0) return 0;
            gaps += static_cast<int>(found - from);
            from = found + 1;
        }
        score -= 200 + gaps * 4;
    }
    return std::max(1, score - static_cast<int>(std::min<qsizetype>(haystack.size(), 60)));
}

CommandField::CommandField(AppContext& context, QWidget* window) : m_context(context), m_window(window) {
    setPlaceholderText(tr("Run, recipe, data set, command"));
    setAccessibleName(tr("Command palette"));
    setFixedSize(300, 24);
    setTextMargins(20, 0, 46, 0);
    setProperty("size", QStringLiteral("small"));
    setFocusPolicy(Qt::ClickFocus);

    m_popup = new PopupFrame(window);
    m_popup->hide();
    auto* layout = new QVBoxLayout(m_popup);
    layout->setContentsMargins(4, 4, 4, 4);
    m_list = new QListView(m_popup);
    m_list->setFocusPolicy(Qt::NoFocus);
    m_list->setMouseTracking(true);
    m_list->setUniformItemSizes(true);
    m_list->setAccessibleName(tr("Found"));
    m_model = new QStandardItemModel(this);
    m_list->setModel(m_model);
    m_list->setItemDelegate(new widgets::IconRowDelegate(
        [](const QModelIndex& index) {
            return widgets::IconRowLook{index.data(Qt::UserRole + 1).toString(), index.data().toString(),
                                        index.data(Qt::UserRole + 2).toString()};
        },
        m_list));
    layout->addWidget(m_list);
    connect(this, &QLineEdit::textChanged, this, &CommandField::refresh);
    connect(m_list, &QListView::clicked, this, [this](const QModelIndex& index) { run(index.row()); });
}

void CommandField::open() {
    setFocus(Qt::ShortcutFocusReason);
    selectAll();
    refresh();
}

bool CommandField::isListOpen() const { return m_popup->isVisible(); }

QStringList CommandField::shownTexts() const {
    QStringList texts;
    for (int row = 0; row < m_model->rowCount(); ++row) texts << m_model->item(row)->text();
    return texts;
}

std::vector<PaletteEntry> CommandField::collect() const {
    std::vector<PaletteEntry> entries;
    for (const QAction* action : m_actions) {
        if (!action->isEnabled() || action->text().isEmpty() || action->menu()) continue;
        QString words = action->text();
        words.remove(u'&');
        entries.push_back({words, action->shortcut().toString(QKeySequence::NativeText), QStringLiteral("command"),
                           [action = const_cast<QAction*>(action)] { action->trigger(); }});
    }
    for (const feed::RunInfo& run : m_context.bridge->runs().runs())
        entries.push_back({QString::fromStdString(run.name), tr("run"), QStringLiteral("runs"),
                           [this, id = QString::fromStdString(run.id)] {
                               m_context.selection->setCurrentRun(id);
                               m_context.commands->openPage(QStringLiteral("train"));
                           }});
    for (const feed::DatasetSummary& set : m_context.bridge->datasets().datasets())
        entries.push_back({QString::fromStdString(set.name), tr("data set"), QStringLiteral("dataset"),
                           [this, id = QString::fromStdString(set.id)] {
                               m_context.selection->setCurrentDataset(id);
                               m_context.commands->openPage(QStringLiteral("data"));
                           }});
    for (const api::RecipeCard& card : m_context.registry->cards())
        entries.push_back({tr("New run: %1").arg(QString::fromStdString(card.id).section(u'-', 0, 0) + u' ' + QString::fromStdString(card.name)), tr("recipe"),
                           QStringLiteral("recipe"), [this, id = QString::fromStdString(card.id)] { m_context.commands->newRun(id); }});
    return entries;
}

void CommandField::refresh() {
    if (!hasFocus()) return;
    std::vector<std::pair<int, std::size_t>> ranked;
    std::vector<PaletteEntry> all = collect();
    const QString typed = text().trimmed();
    for (std::size_t i = 0; i < all.size(); ++i)
        if (const int score = fuzzyScore(typed, all[i].text); score > 0) ranked.emplace_back(score, i);
    std::stable_sort(ranked.begin(), ranked.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
    m_entries.clear();
    m_model->clear();
    for (std::size_t i = 0; i < ranked.size() && i < kMostEntries; ++i) {
        PaletteEntry& entry = all[ranked[i].second];
        auto* item = new QStandardItem(entry.text);
        item->setData(entry.iconName, Qt::UserRole + 1);
        item->setData(entry.detail, Qt::UserRole + 2);
        m_model->appendRow(item);
        m_entries.push_back(std::move(entry));
    }
    m_list->setCurrentIndex(m_model->index(0, 0));
    place();
}

void CommandField::place() {
    if (m_entries.empty()) {
        m_popup->hide();
        return;
    }
    const int width = 420;
    const QPoint corner = mapTo(m_window, QPoint(this->width() - width, height() + 4));
    m_popup->setGeometry(std::max(4, corner.x()), corner.y(), width, static_cast<int>(m_entries.size()) * widgets::theme().scaled(metrics::kRowMenu) + 10);
    m_popup->show();
    m_popup->raise();
}

void CommandField::run(int row) {
    if (row < 0 || row >= static_cast<int>(m_entries.size())) return;
    const auto act = m_entries[static_cast<std::size_t>(row)].act;
    close();
    act();
}

void CommandField::close() {
    m_popup->hide();
    clear();
    clearFocus();
}

void CommandField::keyPressEvent(QKeyEvent* event) {
    const int row = m_list->currentIndex().row();
    switch (event->key()) {
        case Qt::Key_Escape: close(); return;
        case Qt::Key_Return:
        case Qt::Key_Enter: run(row); return;
        case Qt::Key_Down:
        case Qt::Key_Up: {
            const int step = event->key() == Qt::Key_Down ? 1 : -1;
            const int rows = m_model->rowCount();
            if (rows > 0) m_list->setCurrentIndex(m_model->index((row + step + rows) % rows, 0));
            return;
        }
        default: QLineEdit::keyPressEvent(event);
    }
}

void CommandField::focusInEvent(QFocusEvent* event) {
    QLineEdit::focusInEvent(event);
    refresh();
}

void CommandField::focusOutEvent(QFocusEvent* event) {
    QLineEdit::focusOutEvent(event);
    m_popup->hide();
}

void CommandField::paintEvent(QPaintEvent* event) {
    QLineEdit::paintEvent(event);
    QPainter painter(this);
    widgets::Theme& look = widgets::theme();
    widgets::paintIcon(painter, QStringLiteral("search"), QRect(8, (height() - 14) / 2, 14, 14), look.color(Color::Text3));
    const QString key = tr("Ctrl K");
    painter.setFont(look.font(Type::Caption));
    const int wide = painter.fontMetrics().horizontalAdvance(key) + 10;
    const QRect box(width() - wide - 4, 4, wide, height() - 8);
    widgets::paintBox(painter, box, metrics::kRadiusBadge, look.color(Color::Raised), look.color(Color::Border));
    painter.setPen(look.color(Color::Text2));
    painter.drawText(box, Qt::AlignCenter, key);
}

}  // namespace espalier::app
