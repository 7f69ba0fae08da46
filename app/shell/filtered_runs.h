#pragma once

#include <QHash>
#include <QSortFilterProxyModel>
#include <QStringList>

namespace espalier::app {

/// Runs that the workspace's filter language let through, in its order. GUI thread.
class FilteredRuns : public QSortFilterProxyModel {
    Q_OBJECT
public:
    using QSortFilterProxyModel::QSortFilterProxyModel;
    void setAll();
    void setMatches(const QStringList& ids);
    bool isFiltered() const { return m_isFiltered; }

protected:
    bool filterAcceptsRow(int row, const QModelIndex& parent) const override;
    bool lessThan(const QModelIndex& left, const QModelIndex& right) const override;

private:
    QHash<QString, int> m_rank;
    bool m_isFiltered = false;
};

}  // namespace espalier::app
