#pragma once

#include <QAbstractListModel>

#include <vector>

#include "engine/feed/dataset.h"

namespace espalier::app {

/// Data sets of the workspace as last read. GUI thread; values only.
class DatasetListModel : public QAbstractListModel {
    Q_OBJECT
public:
    enum Role { IdRole = Qt::UserRole + 1, SamplesRole, KindRole };

    using QAbstractListModel::QAbstractListModel;

    int rowCount(const QModelIndex& parent = {}) const override;
    QVariant data(const QModelIndex& index, int role = Qt::DisplayRole) const override;
    bool setData(const QModelIndex& index, const QVariant& value, int role = Qt::EditRole) override;
    Qt::ItemFlags flags(const QModelIndex& index) const override;

    const std::vector<feed::DatasetSummary>& datasets() const { return m_datasets; }
    const feed::DatasetSummary* at(int row) const;
    const feed::DatasetSummary* find(const QString& id) const;
    int rowOf(const QString& id) const;
    void setDatasets(std::vector<feed::DatasetSummary> datasets);

Q_SIGNALS:
    void renameRequested(const QString& id, const QString& name);

private:
    std::vector<feed::DatasetSummary> m_datasets;
};

}  // namespace espalier::app
