#include "app/bridge/run_list_model.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "widgets/theme/format.h"
#include "widgets/theme/theme.h"

namespace espalier::app {

using widgets::format::text;

int RunListModel::rowCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : static_cast<int>(m_runs.size()); }
int RunListModel::columnCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : 1 + static_cast<int>(m_columns.size());
}

double RunListModel::valueOf(const feed::RunInfo& run) const {
    const auto live = m_live.constFind(text(run.id));
    if (live != m_live.constEnd() && !feed::isFinal(run.state)) return *live;
    const auto it = run.summary.find(m_valueSeries.toStdString());
    return it == run.summary.end() ? std::numeric_limits<double>::quiet_NaN() : it->second.best;
}

QVariant RunListModel::data(const QModelIndex& index, int role) const {
    if (!checkIndex(index, CheckIndexOption::IndexIsValid)) return {};
    const feed::RunInfo& run = m_runs[static_cast<std::size_t>(index.row())];
    const QString id = text(run.id);
    switch (role) {
        case IdRole: return id;
        case StateRole: return static_cast<int>(run.state);
        case ColorRole: return run.colorIndex;
        case ShownRole: return m_shown.contains(id);
        case SparkRole: return QVariant::fromValue(m_sparks.value(id));
        case ValueRole: return valueOf(run);
        case TagsRole: {
            QStringList tags;
            for (const std::string& tag : run.tags) tags << text(tag);
            return tags;
        }
        case Qt::ToolTipRole: {
            const QString state = widgets::theme().stateLook(run.state).label;
            const QString line = text(run.name) + QStringLiteral(", ") + state;
            return run.stateDetail.empty() ? line : QString(line + u'\n' + text(run.stateDetail));
        }
        case Qt::AccessibleTextRole:
            return QStringLiteral("%1, %2, %3").arg(text(run.name), widgets::theme().stateLook(run.state).label,
                                                    widgets::format::metric(m_valueSeries, valueOf(run)));
        default: break;
    }
    if (role != Qt::DisplayRole && role != Qt::EditRole) return {};
    if (index.column() == 0) return text(run.name);
    const QString column = m_columns[index.column() - 1];
    if (column.startsWith(QLatin1String("param:"))) {
        const auto it = run.params.find(column.mid(6).toStdString());
        return it == run.params.end() ? QVariant() : text(it->second);
    }
    const auto it = run.summary.find(column.toStdString());
    if (it == run.summary.end()) return role == Qt::DisplayRole ? QVariant(QStringLiteral("–")) : QVariant();
    return role == Qt::DisplayRole ? QVariant(widgets::format::metric(column, it->second.best)) : QVariant(it->second.best);
}

QVariant RunListModel::headerData(int section, Qt::Orientation orientation, int role) const {
    if (orientation != Qt::Horizontal || role != Qt::DisplayRole) return {};
    if (section == 0) return tr("Run");
    const QString column = m_columns.value(section - 1);
    return column.startsWith(QLatin1String("param:")) ? column.mid(6) : column;
}

Qt::ItemFlags RunListModel::flags(const QModelIndex& index) const {
    const Qt::ItemFlags flags = QAbstractTableModel::flags(index);
    return index.isValid() && index.column() == 0 ? flags | Qt::ItemIsEditable : flags;
}

bool RunListModel::setData(const QModelIndex& index, const QVariant& value, int role) {
    if (role != Qt::EditRole || !checkIndex(index, CheckIndexOption::IndexIsValid) || index.column() != 0) return false;
    const QString name = value.toString().trimmed();
    const feed::RunInfo& run = m_runs[static_cast<std::size_t>(index.row())];
    if (name.isEmpty() || name == text(run.name)) return false;
    Q_EMIT renameRequested(text(run.id), name);
    return true;
}

const feed::RunInfo* RunListModel::at(int row) const {
    return row < 0 || row >= static_cast<int>(m_runs.size()) ? nullptr : &m_runs[static_cast<std::size_t>(row)];
}
const feed::RunInfo* RunListModel::find(const QString& id) const { return at(rowOf(id)); }
int RunListModel::rowOf(const QString& id) const { return m_rowOf.value(id, -1); }

void RunListModel::setRuns(std::vector<feed::RunInfo> runs) {
    const bool isSameOrder =
        runs.size() == m_runs.size() &&
        std::equal(runs.begin(), runs.end(), m_runs.begin(), [](const auto& a, const auto& b) { return a.id == b.id; });
    if (isSameOrder) {
        // No reset: views keep their selection, scroll position and open editor.
        m_runs = std::move(runs);
        if (!m_runs.empty()) Q_EMIT dataChanged(index(0, 0), index(rowCount() - 1, columnCount() - 1));
        return;
    }
    beginResetModel();
    m_runs = std::move(runs);
    m_rowOf.clear();
    for (std::size_t i = 0; i < m_runs.size(); ++i) m_rowOf.insert(text(m_runs[i].id), static_cast<int>(i));
    endResetModel();
}

void RunListModel::update(const feed::RunInfo& run) {
    const int row = rowOf(text(run.id));
    if (row >= 0) {
        m_runs[static_cast<std::size_t>(row)] = run;
        Q_EMIT dataChanged(index(row, 0), index(row, columnCount() - 1));
        return;
    }
    beginInsertRows({}, 0, 0);
    m_runs.insert(m_runs.begin(), run);
    m_rowOf.clear();
    for (std::size_t i = 0; i < m_runs.size(); ++i) m_rowOf.insert(text(m_runs[i].id), static_cast<int>(i));
    endInsertRows();
}

void RunListModel::setState(const QString& id, feed::JobState state, const QString& sentence) {
    const int row = rowOf(id);
    if (row < 0) return;
    m_runs[static_cast<std::size_t>(row)].state = state;
    m_runs[static_cast<std::size_t>(row)].stateDetail = sentence.toStdString();
    Q_EMIT dataChanged(index(row, 0), index(row, 0));
}

void RunListModel::setShownRuns(const QStringList& ids) {
    m_shown = QSet<QString>(ids.begin(), ids.end());
    if (!m_runs.empty()) Q_EMIT dataChanged(index(0, 0), index(rowCount() - 1, 0), {ShownRole});
}

void RunListModel::setSpark(const QString& id, std::vector<float> values) {
    m_sparks.insert(id, std::move(values));
    if (const int row = rowOf(id); row >= 0) Q_EMIT dataChanged(index(row, 0), index(row, 0), {SparkRole});
}

void RunListModel::setValueSeries(const QString& series) {
    if (series == m_valueSeries) return;
    m_valueSeries = series;
    m_sparks.clear();
    m_live.clear();
    if (!m_runs.empty()) Q_EMIT dataChanged(index(0, 0), index(rowCount() - 1, 0), {ValueRole, SparkRole});
}

void RunListModel::setLiveValue(const QString& id, double value) {
    m_live.insert(id, value);
    if (const int row = rowOf(id); row >= 0) Q_EMIT dataChanged(index(row, 0), index(row, 0), {ValueRole});
}

void RunListModel::setColumns(const QStringList& columns) {
    beginResetModel();
    m_columns = columns;
    endResetModel();
}

}  // namespace espalier::app
