#pragma once

#include <QAbstractTableModel>
#include <QString>
#include <QStringList>
#include <QVector>

#include <vector>

#include "engine/feed/run_diff.h"
#include "engine/feed/run_info.h"

namespace espalier::app {

/// One value of the comparison with its distance from the baseline.
struct CompareCell {
    enum class Trend { None, Better, Worse };
    QString text, difference, copyText;
    Trend trend = Trend::None;
    bool isBest = false;   ///< underlined
    bool isFaint = false;  ///< same as the baseline
};

struct CompareRow {
    enum class Kind { Section, Parameter, Metric, Time };
    Kind kind = Kind::Parameter;
    QString name, caption;
    std::vector<CompareCell> cells;  ///< one a run
};

/// Only what differs (`diff` is of the same runs in the same order), then the final metrics with their distance from the
/// baseline: signs always, better or worse in colour only where the metric has a direction. Pure: same runs, same rows.
std::vector<CompareRow> compareRows(const std::vector<feed::RunInfo>& runs, const feed::RunDiff& diff, int baseline, const QStringList& shortNames);

/// +1 higher is better, −1 lower is better, 0 neither.
int metricDirection(const QString& series);

/// Booktabs table of the rows, for a paper.
QString latexTable(const std::vector<CompareRow>& rows, const QStringList& shortNames);
QString csvTable(const std::vector<CompareRow>& rows, const QStringList& names);

/// The rows as a model: column 0 names, then one column a run. GUI thread.
class CompareModel : public QAbstractTableModel {
    Q_OBJECT
public:
    enum Role { RowRole = Qt::UserRole + 1 };
    struct Head {
        QString id, name, shortName;
        int colorIndex = 0;
        feed::JobState state = feed::JobState::Completed;
    };

    using QAbstractTableModel::QAbstractTableModel;
    int rowCount(const QModelIndex& parent = {}) const override;
    int columnCount(const QModelIndex& parent = {}) const override;
    QVariant data(const QModelIndex& index, int role = Qt::DisplayRole) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;
    Qt::ItemFlags flags(const QModelIndex& index) const override;

    void setTable(QVector<Head> heads, std::vector<CompareRow> rows);
    const std::vector<CompareRow>& rows() const { return m_rows; }
    const QVector<Head>& heads() const { return m_heads; }

private:
    QVector<Head> m_heads;
    std::vector<CompareRow> m_rows;
};

}  // namespace espalier::app
