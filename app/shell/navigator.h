#pragma once

#include <QJsonObject>
#include <QListView>
#include <QTimer>
#include <QWidget>

#include "app/bridge/app_context.h"

class QLabel;
class QMenu;

namespace espalier::widgets {
class FilterField;
class RunRowDelegate;
class Section;
}  // namespace espalier::widgets

namespace espalier::app {

class FilteredRuns;

/// Left dock: filter line, runs, data sets, recipes. Writes the selection.
class Navigator : public QWidget {
    Q_OBJECT
public:
    explicit Navigator(AppContext& context, QWidget* parent = nullptr);

    void focusFilter();
    void focusList();  ///< the list with the selected thing
    void setFilter(const QString& expression);
    const QLabel* filterProblem() const { return m_problem; }
    QString filter() const;
    QStringList selectedRuns() const;
    QListView* runView() const { return m_runView; }
    QListView* datasetView() const { return m_datasetView; }
    QListView* recipeView() const { return m_recipeView; }
    widgets::Section* runSection() const { return m_runSection; }
    /// Without sparklines, for narrow windows.
    void setCompact(bool isCompact);

    QJsonObject saveState() const;
    void restoreState(const QJsonObject& state);

    void renameCurrent();
    void trashSelected();
    void tagSelected();

protected:
    void resizeEvent(QResizeEvent*) override;
    void contextMenuEvent(QContextMenuEvent*) override;

private:
    void buildRuns();
    void buildDatasets();
    void buildRecipes();
    void applyFilter();
    void showProblem(const QString& sentence);  ///< of the filter; empty: it is right
    void readSparks();
    void updateCounts();
    void fitLists();
    void selectCurrent();
    void showRunMenu(const QPoint& global);
    void showDatasetMenu(const QPoint& global);
    void showRecipeMenu(const QPoint& global);
    void addRunActions(QMenu& menu, const QStringList& ids);
    void chooseSort(const QPoint& global);
    void sortBy(const QString& key);  ///< of the filter language, "-key" descending; empty: newest first
    void sortByNextOrder();           ///< of the values beside the names
    void showOrder();
    void chooseValue(const QPoint& global);
    QString runAt(const QModelIndex& index) const;

    AppContext& m_context;
    widgets::FilterField* m_filter;
    widgets::Section *m_runSection, *m_datasetSection, *m_recipeSection;
    QListView *m_runView = nullptr, *m_datasetView = nullptr, *m_recipeView = nullptr;
    widgets::RunRowDelegate* m_runDelegate = nullptr;
    FilteredRuns* m_filtered = nullptr;
    QLabel* m_problem = nullptr;
    QWidget *m_noRuns = nullptr, *m_noDatasets = nullptr;
    QString m_sort;
    QTimer m_sparkTimer;  ///< rows that are only scrolled past cost no read
    bool m_isSelecting = false;
};

}  // namespace espalier::app
