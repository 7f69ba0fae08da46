#include "app/pages/compare_table.h"

#include "widgets/theme/format.h"

#include <algorithm>
#include <cmath>
#include <iterator>

namespace espalier::app {

namespace format = widgets::format;

namespace {

bool endsWith(const QString& name, const char* tail) { return name.endsWith(QString::fromLatin1(tail)); }
bool isFraction(const QString& name) { return name.contains(QStringLiteral("top1")) || name.contains(QStringLiteral("top5")); }

// Series that say how a run went, not how well; they have charts.
bool isLeftOut(const QString& name) {
    return name.contains(QStringLiteral("attn_")) || endsWith(name, "/epoch") || endsWith(name, "/lr") ||
           endsWith(name, "grad_norm") || name.contains(QStringLiteral("pool_entropy")) || name.startsWith(QStringLiteral("recon/"));
}

CompareRow section(const QString& name, const QString& caption) {
    CompareRow row;
    row.kind = CompareRow::Kind::Section;
    row.name = name;
    row.caption = caption;
    return row;
}

// Adds a row when the values are not all the same; returns whether they differ.
bool addIfDifferent(std::vector<CompareRow>& rows, const QString& name, const QStringList& values, int baseline) {
    if (std::all_of(values.begin(), values.end(), [&](const QString& v) { return v == values.front(); })) return false;
    CompareRow row;
    row.name = name;
    for (const QString& value : values) {
        CompareCell cell;
        cell.text = value.isEmpty() ? QString(QChar(0x2013)) : value;
        cell.copyText = value;
        cell.isFaint = value == values[baseline];
        row.cells.push_back(std::move(cell));
    }
    rows.push_back(std::move(row));
    return true;
}

QString differenceText(const QString& name, double value, double base) {
    if (isFraction(name)) return format::signedFixed(100 * (value - base), 2);
    if (base == 0) return {};
    constexpr double kMostPercent = 1000;  // beyond, people think in times
    if (value / base * 100 > kMostPercent) return QStringLiteral("%1×").arg(format::significant(value / base, 2));
    const double percent = 100 * (value - base) / std::abs(base);
    return format::signedFixed(percent, std::abs(percent) < 10 ? 1 : 0) + QStringLiteral(" %");
}

void markBest(CompareRow& row, const std::vector<double>& values, int direction) {
    int count = 0, best = -1;
    bool isUnequal = false;
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (!std::isfinite(values[i])) continue;
        ++count;
        if (best >= 0) isUnequal |= values[i] != values[static_cast<std::size_t>(best)];
        if (best < 0 || direction * values[i] > direction * values[static_cast<std::size_t>(best)]) best = static_cast<int>(i);
    }
    if (count < 2 || !isUnequal || direction == 0) return;
    for (std::size_t i = 0; i < values.size(); ++i) row.cells[i].isBest = values[i] == values[static_cast<std::size_t>(best)];
}

CompareRow metricRow(const std::vector<feed::RunInfo>& runs, int baseline, const QString& name) {
    const std::string key = name.toStdString();
    const bool isBestOfRun = name.startsWith(QStringLiteral("valid/"));
    const int direction = metricDirection(name);
    std::vector<double> values;
    for (const feed::RunInfo& run : runs) {
        const auto at = run.summary.find(key);
        const double none = std::numeric_limits<double>::quiet_NaN();
        values.push_back(at == run.summary.end() ? none : isBestOfRun ? at->second.best : at->second.last);
    }
    CompareRow row;
    row.kind = CompareRow::Kind::Metric;
    row.name = isBestOfRun ? name + QStringLiteral(", best") : name;
    const double base = values[static_cast<std::size_t>(baseline)];
    for (std::size_t i = 0; i < values.size(); ++i) {
        CompareCell cell;
        cell.text = format::metric(name, values[i]);
        cell.copyText = std::isfinite(values[i]) ? format::copyText(values[i]) : QString();
        if (static_cast<int>(i) != baseline && std::isfinite(values[i]) && std::isfinite(base)) {
            cell.difference = differenceText(name, values[i], base);
            const double gain = direction * (values[i] - base);
            if (gain != 0) cell.trend = gain > 0 ? CompareCell::Trend::Better : CompareCell::Trend::Worse;
        }
        row.cells.push_back(std::move(cell));
    }
    markBest(row, values, direction);
    return row;
}

/// The rows of parameters alone: behind them stand the facts that differ, under words that parameters may have too.
std::vector<feed::RunDiff::Row> parameterRows(const std::vector<feed::RunInfo>& runs, const feed::RunDiff& diff) {
    const auto differ = [&](auto value) {
        return std::any_of(runs.begin(), runs.end(), [&](const feed::RunInfo& run) { return value(run) != value(runs.front()); });
    };
    const std::pair<const char*, bool> facts[] = {
        {"device", differ([](const auto& r) { return r.device; })},
        {"data", differ([](const auto& r) { return r.datasetHash.empty() ? r.datasetName : r.datasetHash; })},
        {"recipe", differ([](const auto& r) { return r.recipe; })},
        {"seed", differ([](const auto& r) { return std::to_string(r.seed); })}};
    std::vector<feed::RunDiff::Row> rows = diff.rows;
    for (const auto& [key, isThere] : facts)
        if (isThere && !rows.empty() && rows.back().key == key) rows.pop_back();
    return rows;
}

void addParameters(std::vector<CompareRow>& rows, const std::vector<feed::RunInfo>& runs, const feed::RunDiff& diff, int baseline) {
    const std::size_t at = rows.size();
    rows.push_back(section(QStringLiteral("Only what differs"), {}));
    const auto each = [&](auto text) {
        QStringList values;
        for (const feed::RunInfo& run : runs) values += text(run);
        return values;
    };
    QStringList same;
    const auto fact = [&](const QString& name, const QString& word, auto text) {
        if (!addIfDifferent(rows, name, each(text), baseline)) same += word;
    };
    addIfDifferent(rows, QStringLiteral("recipe"), each([](const auto& r) { return format::text(r.recipe); }), baseline);
    const auto parameters = parameterRows(runs, diff);
    bool hasSeed = false;
    for (const feed::RunDiff::Row& row : parameters) {
        QStringList values;
        for (const auto& value : row.values) values += value ? format::text(*value) : QString();
        addIfDifferent(rows, format::text(row.key), values, baseline);
        hasSeed = hasSeed || row.key == "seed";
    }
    if (!hasSeed) addIfDifferent(rows, QStringLiteral("seed"), each([](const auto& r) { return QString::number(r.seed); }), baseline);
    fact(QStringLiteral("data"), QStringLiteral("data hash"), [](const auto& r) { return format::text(r.datasetName) + u' ' + format::shortHash(format::text(r.datasetHash)); });
    fact(QStringLiteral("parent"), QStringLiteral("parent"), [](const auto& r) { return format::text(r.parentRun); });
    fact(QStringLiteral("scale"), QStringLiteral("scale"), [](const auto& r) { return format::text(r.scale); });
    fact(QStringLiteral("device"), QStringLiteral("device"), [](const auto& r) { return format::text(r.device) + (r.threads > 0 ? QStringLiteral(", %1 threads").arg(r.threads) : QString()); });
    QString caption = QStringLiteral("%1 of %2 parameters").arg(format::count(std::ssize(parameters)), format::count(static_cast<std::int64_t>(diff.paramKeys)));
    if (!same.isEmpty()) {
        const QString last = same.takeLast();
        const QString facts = same.isEmpty() ? QString(last + QStringLiteral(" is"))
                                             : QString(same.join(QStringLiteral(", ")) + QStringLiteral(" and ") + last + QStringLiteral(" are"));
        caption += QStringLiteral("; ") + facts + QStringLiteral(" the same");
    }
    rows[at].caption = runs.size() > 1 ? caption : QStringLiteral("one run differs from nothing");
}

void addTimes(std::vector<CompareRow>& rows, const std::vector<feed::RunInfo>& runs) {
    CompareRow time;
    time.kind = CompareRow::Kind::Time;
    time.name = QStringLiteral("time");
    std::vector<double> secs;
    for (const feed::RunInfo& run : runs) {
        CompareCell cell;
        cell.text = run.activeSecs > 0 ? format::clock(run.activeSecs) : QString(QChar(0x2013));
        cell.copyText = run.activeSecs > 0 ? QString::number(run.activeSecs, 'f', 1) : QString();
        secs.push_back(run.activeSecs > 0 && feed::isFinal(run.state) ? run.activeSecs : std::numeric_limits<double>::quiet_NaN());
        time.cells.push_back(std::move(cell));
    }
    markBest(time, secs, -1);
    rows.push_back(std::move(time));
    CompareRow size;
    size.kind = CompareRow::Kind::Time;
    size.name = QStringLiteral("model parameters");
    bool hasAny = false;
    for (const feed::RunInfo& run : runs) {
        CompareCell cell;
        hasAny |= run.params_count > 0;
        cell.text = run.params_count > 0 ? format::si(static_cast<double>(run.params_count)) : QString(QChar(0x2013));
        cell.copyText = QString::number(run.params_count);
        size.cells.push_back(std::move(cell));
    }
    if (hasAny) rows.push_back(std::move(size));
}

QString latexText(QString text) {
    text.replace(u'\\', QStringLiteral("\\textbackslash{}"));
    for (const char16_t c : {u'&', u'%', u'$', u'#', u'_', u'{', u'}'}) {
        if (c == u'{' || c == u'}') continue;
        text.replace(QChar(c), QStringLiteral("\\") + QChar(c));
    }
    text.replace(QChar(0x2212), QStringLiteral("$-$"));
    text.replace(QChar(0x2013), QStringLiteral("--"));
    return text;
}

QString csvField(const QString& text) {
    if (!text.contains(u',') && !text.contains(u'"')) return text;
    return u'"' + QString(text).replace(u'"', QStringLiteral("\"\"")) + u'"';
}

}  // namespace

int metricDirection(const QString& series) {
    if (endsWith(series, "loss") || endsWith(series, "ece")) return -1;
    if (isFraction(series) || endsWith(series, "img_per_s")) return 1;
    return 0;
}

std::vector<CompareRow> compareRows(const std::vector<feed::RunInfo>& runs, const feed::RunDiff& diff, int baseline, const QStringList& shortNames) {
    std::vector<CompareRow> rows;
    if (runs.empty()) return rows;
    baseline = std::clamp(baseline, 0, static_cast<int>(runs.size()) - 1);
    addParameters(rows, runs, diff, baseline);
    rows.push_back(section(QStringLiteral("Final metrics"), runs.size() > 1 ? QStringLiteral("difference from baseline ") + shortNames.value(baseline) : QString()));
    QStringList metrics;
    for (const feed::RunInfo& run : runs) {
        for (const auto& [name, entry] : run.summary) {
            const QString text = format::text(name);
            if (!metrics.contains(text) && !isLeftOut(text)) metrics += text;
        }
    }
    const auto rank = [](const QString& name) {
        const int split = name.startsWith(QStringLiteral("test/")) ? 0 : name.startsWith(QStringLiteral("valid/")) ? 1 : 2;
        const int kind = endsWith(name, "top1") ? 0 : endsWith(name, "loss") ? 1 : endsWith(name, "ece") ? 2 : 3;
        return split * 10 + kind;
    };
    std::stable_sort(metrics.begin(), metrics.end(), [&](const QString& a, const QString& b) { return rank(a) < rank(b); });
    for (const QString& name : metrics) rows.push_back(metricRow(runs, baseline, name));
    addTimes(rows, runs);
    return rows;
}

QString latexTable(const std::vector<CompareRow>& rows, const QStringList& shortNames) {
    QString text = QStringLiteral("\\begin{tabular}{l") + QString(shortNames.size(), u'r') + QStringLiteral("}\n\\toprule\n");
    for (const QString& name : shortNames) text += QStringLiteral(" & ") + latexText(name);
    text += QStringLiteral(" \\\\\n");
    for (const CompareRow& row : rows) {
        if (row.kind == CompareRow::Kind::Section) {
            text += QStringLiteral("\\midrule\n");
            continue;
        }
        text += latexText(row.name);
        for (const CompareCell& cell : row.cells)
            text += QStringLiteral(" & ") + (cell.isBest ? QStringLiteral("\\textbf{%1}").arg(latexText(cell.text)) : latexText(cell.text));
        text += QStringLiteral(" \\\\\n");
    }
    return text + QStringLiteral("\\bottomrule\n\\end{tabular}\n");
}

QString csvTable(const std::vector<CompareRow>& rows, const QStringList& names) {
    QString text = QStringLiteral("name");
    for (const QString& name : names) text += u',' + csvField(name);
    text += u'\n';
    for (const CompareRow& row : rows) {
        if (row.kind == CompareRow::Kind::Section) continue;
        text += csvField(row.name);
        for (const CompareCell& cell : row.cells) text += u',' + csvField(cell.copyText);
        text += u'\n';
    }
    return text;
}

int CompareModel::rowCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : static_cast<int>(m_rows.size()); }
int CompareModel::columnCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : static_cast<int>(m_heads.size()) + 1; }

QVariant CompareModel::data(const QModelIndex& index, int role) const {
    if (!index.isValid() || index.row() >= rowCount()) return {};
    const CompareRow& row = m_rows[static_cast<std::size_t>(index.row())];
    if (role == RowRole) return QVariant::fromValue(static_cast<const void*>(&row));
    if (role != Qt::DisplayRole && role != Qt::ToolTipRole && role != Qt::AccessibleTextRole) return {};
    if (index.column() == 0) return role == Qt::ToolTipRole ? row.name + u' ' + row.caption : row.name;
    if (index.column() > static_cast<int>(row.cells.size())) return {};
    const CompareCell& cell = row.cells[static_cast<std::size_t>(index.column()) - 1];
    if (role == Qt::DisplayRole) return cell.text;
    return cell.difference.isEmpty() ? cell.text : cell.text + QStringLiteral(" (") + cell.difference + u')';
}

QVariant CompareModel::headerData(int section, Qt::Orientation orientation, int role) const {
    if (orientation != Qt::Horizontal) return {};
    if (section == 0) return role == Qt::DisplayRole ? QVariant(m_heads.size() == 1 ? tr("1 run") : tr("%1 runs").arg(m_heads.size())) : QVariant();
    if (section > m_heads.size()) return {};
    const Head& head = m_heads[section - 1];
    if (role == Qt::DisplayRole) return head.shortName;
    if (role == Qt::ToolTipRole) return head.name;
    return {};
}

Qt::ItemFlags CompareModel::flags(const QModelIndex& index) const {
    if (!index.isValid() || m_rows[static_cast<std::size_t>(index.row())].kind == CompareRow::Kind::Section) return Qt::ItemIsEnabled;
    return Qt::ItemIsEnabled | Qt::ItemIsSelectable | Qt::ItemNeverHasChildren;
}

void CompareModel::setTable(QVector<Head> heads, std::vector<CompareRow> rows) {
    beginResetModel();
    m_heads = std::move(heads);
    m_rows = std::move(rows);
    endResetModel();
}

}  // namespace espalier::app
