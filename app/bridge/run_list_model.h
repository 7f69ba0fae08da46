#pragma once

#include <QAbstractTableModel>
#include <QHash>
#include <QSet>
#include <QString>
#include <QStringList>

#include <vector>

#include "engine/feed/run_info.h"

namespace espalier::app {

/// Runs of the workspace as last read, in the order that filter and sort gave. GUI thread; values only.
/// Column 0 is the name; further columns are series names (their best value) or "param:KEY", set by setColumns().
class RunListModel : public QAbstractTableModel {
    Q_OBJECT
public:
    enum Role { IdRole = Qt::UserRole + 1, StateRole, ColorRole, ShownRole, SparkRole, ValueRole, TagsRole };

    using QAbstractTableModel::QAbstractTableModel;

    int rowCount(const QModelIndex& parent = {}) const override;
    int columnCount(const QModelIndex& parent = {}) const override;
    QVariant data(const QModelIndex& index, int role = Qt::DisplayRole) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role = Qt::DisplayRole) const override;
    bool setData(const QModelIndex& index, const QVariant& value, int role = Qt::EditRole) override;
    Qt::ItemFlags flags(const QModelIndex& index) const override;

    const std::vector<feed::RunInfo>& runs() const { return m_runs; }
    const feed::RunInfo* at(int row) const;
    const feed::RunInfo* find(const QString& id) const;
    int rowOf(const QString& id) const;

    void setRuns(std::vector<feed::RunInfo> runs);
    /// One run changed (state, name, summary); added at the front when new.
    void update(const feed::RunInfo& run);
    void setState(const QString& id, feed::JobState state, const QString& sentence);
    void setShownRuns(const QStringList& ids);
    void setSpark(const QString& id, std::vector<float> values);
    bool hasSpark(const QString& id) const { return m_sparks.contains(id); }
    void dropSpark(const QString& id) { m_sparks.remove(id); }
    /// The series whose value stands at the right of a row and whose curve is the sparkline ("valid/top1").
    void setValueSeries(const QString& series);
    QString valueSeries() const { return m_valueSeries; }
    /// Newest value of the series for a run that is training; wins over the catalog's summary until that is newer.
    void setLiveValue(const QString& id, double value);
    void setColumns(const QStringList& columns);

Q_SIGNALS:
    /// A user typed a new name (F2); whoever owns the undo history renames.
    void renameRequested(const QString& id, const QString& name);

private:
    double valueOf(const feed::RunInfo& run) const;

    std::vector<feed::RunInfo> m_runs;
    QHash<QString, int> m_rowOf;
    QSet<QString> m_shown;
    QHash<QString, std::vector<float>> m_sparks;
    QHash<QString, double> m_live;
    QString m_valueSeries = QStringLiteral("valid/top1");
    QStringList m_columns;
};

}  // namespace espalier::app

Q_DECLARE_METATYPE(std::vector<float>)
