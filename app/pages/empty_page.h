#pragma once

#include <QSortFilterProxyModel>
#include <QWidget>

#include "app/bridge/app_context.h"

class QLabel;
class QScrollArea;
class QStandardItemModel;
class QTreeView;

namespace espalier::widgets {
class Chip;
class FilterField;
}  // namespace espalier::widgets

namespace espalier::app {

/// What a new workspace shows instead of the pages: where to drop data, the sample, the recipes. GUI thread.
class EmptyPage : public QWidget {
    Q_OBJECT
public:
    explicit EmptyPage(AppContext& context, QWidget* parent = nullptr);
    QTreeView* recipeTable() const { return m_table; }

protected:
    void resizeEvent(QResizeEvent*) override;

private:
    QWidget* makeDropBox();
    QWidget* makeSample();
    QWidget* makeRecipes();
    void makeTable(QWidget* parent);
    void fillRecipes();
    void applyFilter();

    AppContext& m_context;
    QStandardItemModel* m_model;
    QSortFilterProxyModel* m_filtered;
    QTreeView* m_table;
    widgets::FilterField* m_search;
    QList<widgets::Chip*> m_domains;
    QString m_domain;
};

}  // namespace espalier::app
