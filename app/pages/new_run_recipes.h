#pragma once

#include <QWidget>

#include "app/bridge/app_context.h"

class QListView;
class QStandardItemModel;
class QLabel;

namespace espalier::widgets {
class Chip;
class FilterField;
class FlowLayout;
}  // namespace espalier::widgets

namespace espalier::app {

/// Left part of the New-run window: all recipes with a search line and a chip a domain.
class RecipeList : public QWidget {
    Q_OBJECT
public:
    explicit RecipeList(AppContext& context, QWidget* parent = nullptr);
    QString current() const;
    void setCurrent(const QString& recipe);
    /// Of images, tables or texts: how many recipes take it stands above the list.
    void setDataKind(const QString& kind);
    widgets::FilterField* search() const { return m_search; }
    QListView* view() const { return m_view; }

Q_SIGNALS:
    void chosen(const QString& recipe);

private:
    void refill();
    AppContext& m_context;
    widgets::FilterField* m_search;
    QList<widgets::Chip*> m_chips;
    QLabel* m_count;
    QListView* m_view;
    QStandardItemModel* m_model;
    QString m_domain, m_kind;
    bool m_isFilling = false;
};

}  // namespace espalier::app
