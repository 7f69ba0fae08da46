#include "app/bridge/dataset_list_model.h"

#include <algorithm>

#include "widgets/theme/format.h"

namespace espalier::app {

using widgets::format::text;

int DatasetListModel::rowCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : static_cast<int>(m_datasets.size());
}

QVariant DatasetListModel::data(const QModelIndex& index, int role) const {
    if (!checkIndex(index, CheckIndexOption::IndexIsValid)) return {};
    const feed::DatasetSummary& set = m_datasets[static_cast<std::size_t>(index.row())];
    switch (role) {
        case Qt::DisplayRole:
        case Qt::EditRole: return text(set.name);
        case IdRole: return text(set.id);
        case SamplesRole: return QVariant::fromValue<qlonglong>(set.samples);
        case KindRole: return text(set.kind);
        case Qt::ToolTipRole: return QString(text(set.name) + u'\n' + text(set.source));
        case Qt::AccessibleTextRole: return tr("%1, %2 samples").arg(text(set.name), widgets::format::count(set.samples));
        default: return {};
    }
}

bool DatasetListModel::setData(const QModelIndex& index, const QVariant& value, int role) {
    if (role != Qt::EditRole || !checkIndex(index, CheckIndexOption::IndexIsValid)) return false;
    const QString name = value.toString().trimmed();
    const feed::DatasetSummary& set = m_datasets[static_cast<std::size_t>(index.row())];
    if (name.isEmpty() || name == text(set.name)) return false;
    Q_EMIT renameRequested(text(set.id), name);
    return true;
}

Qt::ItemFlags DatasetListModel::flags(const QModelIndex& index) const {
    const Qt::ItemFlags flags = QAbstractListModel::flags(index);
    return index.isValid() ? flags | Qt::ItemIsEditable : flags;
}

const feed::DatasetSummary* DatasetListModel::at(int row) const {
    return row < 0 || row >= static_cast<int>(m_datasets.size()) ? nullptr : &m_datasets[static_cast<std::size_t>(row)];
}

int DatasetListModel::rowOf(const QString& id) const {
    const std::string wanted = id.toStdString();
    for (std::size_t i = 0; i < m_datasets.size(); ++i)
        if (m_datasets[i].id == wanted) return static_cast<int>(i);
    return -1;
}

const feed::DatasetSummary* DatasetListModel::find(const QString& id) const { return at(rowOf(id)); }

void DatasetListModel::setDatasets(std::vector<feed::DatasetSummary> datasets) {
    const bool isSameOrder = datasets.size() == m_datasets.size() &&
                             std::equal(datasets.begin(), datasets.end(), m_datasets.begin(),
                                        [](const auto& a, const auto& b) { return a.id == b.id; });
    if (isSameOrder) {
        m_datasets = std::move(datasets);
        if (!m_datasets.empty()) Q_EMIT dataChanged(index(0), index(rowCount() - 1));
        return;
    }
    beginResetModel();
    m_datasets = std::move(datasets);
    endResetModel();
}

}  // namespace espalier::app
