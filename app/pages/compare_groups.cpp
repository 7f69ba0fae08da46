#include "app/pages/compare_groups.h"

#include "app/pages/paired_difference.h"

#include <QRegularExpression>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace espalier::app {
namespace {

using Curve = std::vector<std::pair<double, double>>;

bool differsOnlyInSeed(const feed::RunInfo& a, const feed::RunInfo& b) {
    if (a.recipe != b.recipe || a.datasetHash != b.datasetHash || a.parentRun != b.parentRun || a.scale != b.scale) return false;
    const auto withoutSeed = [](std::map<std::string, std::string> params) {
        params.erase("seed");
        return params;
    };
    return withoutSeed(a.params) == withoutSeed(b.params);
}

// NaN outside the curve.
double valueAt(const Curve& curve, double x) {
    const auto at = std::lower_bound(curve.begin(), curve.end(), x, [](const auto& point, double key) { return point.first < key; });
    if (at == curve.end()) return std::numeric_limits<double>::quiet_NaN();
    if (at->first == x) return at->second;
    if (at == curve.begin()) return std::numeric_limits<double>::quiet_NaN();
    const auto before = at - 1;
    const double share = (x - before->first) / (at->first - before->first);
    return before->second + share * (at->second - before->second);
}

}  // namespace

std::vector<RunGroup> groupRuns(const std::vector<feed::RunInfo>& runs, const QStringList& shortNames, bool isGrouped) {
    std::vector<RunGroup> groups;
    static const QRegularExpression seedTail(QStringLiteral("-?s\\d+$"));
    for (int i = 0; i < static_cast<int>(runs.size()); ++i) {
        const feed::RunInfo& run = runs[static_cast<std::size_t>(i)];
        const auto same = std::find_if(groups.begin(), groups.end(), [&](const RunGroup& group) {
            return isGrouped && differsOnlyInSeed(runs[static_cast<std::size_t>(group.runs.front())], run);
        });
        if (same != groups.end()) same->runs.append(i);
        else groups.push_back({shortNames.value(i), {i}, run.colorIndex});
    }
    for (RunGroup& group : groups) {
        if (group.runs.size() < 2) continue;
        QString name = group.label;
        name.remove(seedTail);
        group.label = QStringLiteral("%1, %2").arg(name.isEmpty() ? group.label : name).arg(group.runs.size());
    }
    return groups;
}

std::shared_ptr<widgets::ComputedLine> groupMean(const std::vector<Curve>& curves, BandKind band) {
    auto line = std::make_shared<widgets::ComputedLine>();
    const auto longest = std::max_element(curves.begin(), curves.end(), [](const Curve& a, const Curve& b) { return a.size() < b.size(); });
    if (longest == curves.end()) return line;
    for (const auto& [x, own] : *longest) {
        double sum = 0, squares = 0, least = INFINITY, most = -INFINITY;
        int count = 0;
        for (const Curve& curve : curves) {
            const double v = valueAt(curve, x);
            if (!std::isfinite(v)) continue;
            sum += v;
            squares += v * v;
            least = std::min(least, v), most = std::max(most, v);
            ++count;
        }
        line->keys.push_back(x);
        const double mean = count > 0 ? sum / count : std::numeric_limits<double>::quiet_NaN();
        line->values.push_back(mean);
        if (band != BandKind::Interval95) continue;
        const double deviation = count > 1 ? std::sqrt(std::max(0.0, (squares - sum * mean) / (count - 1))) : 0;
        static const std::array<double, 9> factors = [] {
            std::array<double, 9> t{};
            for (int n = 2; n < 9; ++n) t[static_cast<std::size_t>(n)] = meanHalfWidth95(1, n);
            return t;
        }();
        const double half = count < 2 ? std::numeric_limits<double>::quiet_NaN()
                            : count < 9 ? deviation * factors[static_cast<std::size_t>(count)] : meanHalfWidth95(deviation, count);
        line->low.push_back(count == 2 ? least : mean - half);
        line->high.push_back(count == 2 ? most : mean + half);
    }
    return line;
}

}  // namespace espalier::app
