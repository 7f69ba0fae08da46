// The menus of the navigator; the rest stands in navigator.cpp.
#include <QApplication>
#include <QClipboard>
#include <QContextMenuEvent>
#include <QDesktopServices>
#include <QInputDialog>
#include <QMenu>
#include <QSet>
#include <QUrl>

#include <algorithm>

#include "app/bridge/edits.h"
#include "app/shell/commands.h"
#include "app/shell/error_presenter.h"
#include "app/shell/navigator.h"
#include "widgets/controls/section.h"
#include "widgets/theme/format.h"
#include "widgets/theme/icons.h"

namespace espalier::app {

using widgets::format::text;

void Navigator::contextMenuEvent(QContextMenuEvent* event) {
    const auto isIn = [&](QListView* view) {
        if (event->reason() == QContextMenuEvent::Keyboard) return view->hasFocus();
        return view->isVisible() && view->rect().contains(view->mapFromGlobal(event->globalPos()));
    };
    if (isIn(m_runView))
        showRunMenu(event->globalPos());
    else if (isIn(m_datasetView))
        showDatasetMenu(event->globalPos());
    else if (isIn(m_recipeView))
        showRecipeMenu(event->globalPos());
}

void Navigator::showRunMenu(const QPoint& global) {
    const QStringList ids = selectedRuns();
    if (ids.isEmpty()) return;
    auto* menu = new QMenu(this);
    menu->setAttribute(Qt::WA_DeleteOnClose);
    addRunActions(*menu, ids);
    menu->popup(global);
}

void Navigator::addRunActions(QMenu& menu, const QStringList& ids) {
    Selection& selection = *m_context.selection;
    const feed::RunInfo* first = m_context.bridge->run(ids.front());
    if (!first) return;
    const bool isOne = ids.size() == 1;
    const QString id = ids.front(), name = text(first->name), folder = text(first->folder);
    const auto add = [&](const QString& iconName, const QString& words, auto act) {
        QAction* action = menu.addAction(widgets::icon(iconName), words, this, act);
        return action;
    };
    const bool areAllShown = std::all_of(ids.begin(), ids.end(), [&](const QString& run) { return selection.isShown(run); });
    add(areAllShown ? QStringLiteral("eye-off") : QStringLiteral("eye"), areAllShown ? tr("Hide in charts") : tr("Show in charts"),
        [this, ids, areAllShown] {
            for (const QString& run : ids) m_context.selection->setShown(run, !areAllShown);
        });
    add(QStringLiteral("compare"), tr("Compare only these"), [this, ids] {
        m_context.selection->setShownRuns(ids);
        m_context.commands->openPage(QStringLiteral("compare"));
    });
    menu.addSeparator();
    if (isOne) {
        add(QStringLiteral("rename"), tr("Rename"), &Navigator::renameCurrent)->setShortcut(Qt::Key_F2);
        if (feed::canContinue(first->state))
            add(QStringLiteral("resume"), tr("Continue from the last checkpoint"), [this, id] {
                if (auto job = m_context.engine->resumeRun(id.toStdString()); !job) m_context.errors->show(job.error());
            });
        if (first->state == feed::JobState::Completed || first->state == feed::JobState::Stopped)
            add(QStringLiteral("quantize"), tr("Quantize…"), [this, id] {
                QString quantizer;
                for (const api::RecipeCard& card : m_context.registry->cards())
                    if (card.needsParentRun && quantizer.isEmpty()) quantizer = text(card.id);
                m_context.commands->newRun(quantizer, {}, id);
            });
        add(QStringLiteral("run"), tr("New run with these settings…"),
            [this, recipe = text(first->recipe), data = text(first->datasetId)] { m_context.commands->newRun(recipe, data); });
    }
    add(QStringLiteral("tag"), tr("Tag…"), &Navigator::tagSelected);
    if (isOne && !first->tags.empty()) {
        QMenu* remove = menu.addMenu(tr("Remove tag"));
        for (const std::string& tag : first->tags)
            remove->addAction(text(tag), this, [this, ids, tag = text(tag)] { m_context.edits->setTags(ids, {}, tag); });
    }
    menu.addSeparator();
    if (isOne) {
        add(QStringLiteral("copy"), tr("Copy id"), [id] { QApplication::clipboard()->setText(id); });
        add(QStringLiteral("folder"), tr("Open folder"), [folder] { QDesktopServices::openUrl(QUrl::fromLocalFile(folder)); });
    }
    add(QStringLiteral("trash"), tr("Move to trash"), &Navigator::trashSelected)->setShortcut(Qt::Key_Delete);
}

void Navigator::showDatasetMenu(const QPoint& global) {
    const QString id = m_datasetView->currentIndex().data(DatasetListModel::IdRole).toString();
    if (id.isEmpty()) return;
    auto* menu = new QMenu(this);
    menu->setAttribute(Qt::WA_DeleteOnClose);
    const QString name = m_datasetView->currentIndex().data().toString();
    menu->addAction(widgets::icon(QStringLiteral("samples")), tr("Show"), this, [this, id] {
        m_context.selection->setCurrentDataset(id);
        m_context.commands->openPage(QStringLiteral("data"));
    });
    menu->addAction(widgets::icon(QStringLiteral("run")), tr("Train on this…"), this, [this, id] { m_context.commands->newRun({}, id); });
    menu->addAction(widgets::icon(QStringLiteral("rename")), tr("Rename"), this,
                    [this] { m_datasetView->edit(m_datasetView->currentIndex()); });
    menu->addAction(widgets::icon(QStringLiteral("filter")), tr("Runs with this data"), this,
                    [this, name] { setFilter(QStringLiteral("dataset = \"%1\"").arg(name)); });
    menu->addSeparator();
    menu->addAction(widgets::icon(QStringLiteral("trash")), tr("Move to trash"), this, [this, id] { m_context.edits->trashDataset(id); });
    menu->popup(global);
}

void Navigator::showRecipeMenu(const QPoint& global) {
    const QString id = m_recipeView->currentIndex().data(Qt::UserRole).toString();
    if (id.isEmpty()) return;
    auto* menu = new QMenu(this);
    menu->setAttribute(Qt::WA_DeleteOnClose);
    menu->addAction(widgets::icon(QStringLiteral("run")), tr("New run…"), this, [this, id] { m_context.commands->newRun(id); });
    menu->addAction(widgets::icon(QStringLiteral("filter")), tr("Runs of this recipe"), this,
                    [this, id] { setFilter(QStringLiteral("recipe = \"%1\"").arg(id)); });
    menu->popup(global);
}

void Navigator::renameCurrent() {
    if (m_datasetView->hasFocus())
        m_datasetView->edit(m_datasetView->currentIndex());
    else if (m_runView->currentIndex().isValid())
        m_runView->edit(m_runView->currentIndex());
}

void Navigator::trashSelected() {
    if (m_datasetView->hasFocus())
        m_context.edits->trashDataset(m_datasetView->currentIndex().data(DatasetListModel::IdRole).toString());
    else
        m_context.edits->trashRuns(selectedRuns());
}

void Navigator::tagSelected() {
    const QStringList ids = selectedRuns();
    if (ids.isEmpty()) return;
    auto* dialog = new QInputDialog(this);
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setWindowTitle(tr("Tag"));
    dialog->setLabelText(tr("Tag for %n run(s)", nullptr, static_cast<int>(ids.size())));
    connect(dialog, &QInputDialog::textValueSelected, this, [this, ids](const QString& tag) {
        if (!tag.trimmed().isEmpty()) m_context.edits->setTags(ids, tag.trimmed(), {});
    });
    dialog->open();
}

void Navigator::chooseSort(const QPoint& global) {
    auto* menu = new QMenu(this);
    menu->setAttribute(Qt::WA_DeleteOnClose);
    const QString value = m_context.bridge->runs().valueSeries();
    const std::pair<QString, QString> choices[] = {{tr("Newest first"), QString()},
                                                   {tr("Oldest first"), QStringLiteral("created")},
                                                   {tr("Name"), QStringLiteral("name")},
                                                   {tr("%1, highest first").arg(value), u'-' + value},
                                                   {tr("%1, lowest first").arg(value), value},
                                                   {tr("State"), QStringLiteral("state")}};
    for (const auto& [words, key] : choices) {
        QAction* action = menu->addAction(words, this, [this, key = key] { sortBy(key); });
        action->setCheckable(true);
        action->setChecked(key == m_sort);
    }
    menu->popup(global);
}

void Navigator::sortBy(const QString& key) {
    m_sort = key;
    showOrder();
    applyFilter();
}

void Navigator::sortByNextOrder() {
    const QString value = m_context.bridge->runs().valueSeries();
    sortBy(m_sort == u'-' + value ? value : m_sort == value ? QString() : u'-' + value);
}

void Navigator::showOrder() {
    using Order = widgets::Section::Order;
    const QString value = m_context.bridge->runs().valueSeries();
    const bool hasRuns = m_context.bridge->runs().rowCount() > 0;
    m_runSection->setTrailingOrder(!hasRuns ? Order::None : m_sort == value ? Order::Ascending : m_sort == u'-' + value ? Order::Descending : Order::None);
}

void Navigator::chooseValue(const QPoint& global) {
    auto* menu = new QMenu(this);
    menu->setAttribute(Qt::WA_DeleteOnClose);
    QSet<QString> names;
    for (const feed::RunInfo& run : m_context.bridge->runs().runs())
        for (const auto& entry : run.summary) names.insert(text(entry.first));
    QStringList sorted(names.begin(), names.end());
    sorted.sort();
    if (sorted.isEmpty()) sorted << m_context.bridge->runs().valueSeries();
    for (const QString& name : sorted) {
        if (name.contains(QLatin1String("attn_"))) continue;  // hundreds of them; the Attend page has them
        QAction* action = menu->addAction(name, this, [this, name] {
            // An order by the values goes along with them.
            const QString before = m_context.bridge->runs().valueSeries();
            m_context.bridge->runs().setValueSeries(name);
            if (m_sort == before) sortBy(name);
            else if (m_sort == u'-' + before) sortBy(u'-' + name);
            updateCounts();
        });
        action->setCheckable(true);
        action->setChecked(name == m_context.bridge->runs().valueSeries());
    }
    menu->popup(global);
}

}  // namespace espalier::app
