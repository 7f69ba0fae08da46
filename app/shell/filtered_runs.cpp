#include "app/shell/filtered_runs.h"

#include "app/bridge/run_list_model.h"

namespace espalier::app {

void FilteredRuns::setAll() {
    m_isFiltered = false;
    m_rank.clear();
    sort(-1);
    invalidate();
}

void FilteredRuns::setMatches(const QStringList& ids) {
    m_isFiltered = true;
    m_rank.clear();
    for (int i = 0; i < ids.size(); ++i) m_rank.insert(ids[i], i);
    invalidate();
    sort(0);
}

bool FilteredRuns::filterAcceptsRow(int row, const QModelIndex& parent) const {
    return !m_isFiltered || m_rank.contains(sourceModel()->index(row, 0, parent).data(RunListModel::IdRole).toString());
}

bool FilteredRuns::lessThan(const QModelIndex& left, const QModelIndex& right) const {
    return m_rank.value(left.data(RunListModel::IdRole).toString()) < m_rank.value(right.data(RunListModel::IdRole).toString());
}

}  // namespace espalier::app
