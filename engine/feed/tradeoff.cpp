#include "engine/feed/tradeoff.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

namespace espalier::feed {

double metricLoss(const TradeoffJob& job, const TradeoffPoint& point) {
    return job.metricDir * (job.baseMetric - point.metric);
}

void markFront(const TradeoffJob& job, std::vector<TradeoffPoint>& points) {
    std::vector<std::size_t> order;
    for (std::size_t i = 0; i < points.size(); ++i) {
        points[i].onFront = 0;
        if (!std::isnan(points[i].metric)) order.push_back(i);
    }
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        const auto &p = points[a], &q = points[b];
        if (p.bytesTotal != q.bytesTotal) return p.bytesTotal < q.bytesTotal;
        const double dp = metricLoss(job, p), dq = metricLoss(job, q);
        if (dp != dq) return dp < dq;
        return p.pointId < q.pointId;
    });
    double best = std::numeric_limits<double>::infinity();
    for (const auto i : order) {
        const double loss = metricLoss(job, points[i]);
        if (loss < best) {
            points[i].onFront = 1;
            best = loss;
        }
    }
}

double hypervolume(const TradeoffJob& job, const std::vector<TradeoffPoint>& points, double chanceMetric) {
    constexpr double kMaxX = 5.0;  // 32 times smaller
    const double yRef = std::abs(job.baseMetric - chanceMetric);
    if (!(yRef > 0.0) || job.baseBytes <= 0) return 0.0;
    struct Corner {
        double x, y;
    };
    std::vector<Corner> corners;
    for (const auto& point : points) {
        if (std::isnan(point.metric) || point.bytesTotal <= 0) continue;
        const double x = std::log2(double(job.baseBytes) / double(point.bytesTotal));
        const double y = std::clamp(1.0 - metricLoss(job, point) / yRef, 0.0, 1.0);
        if (x > 0.0) corners.push_back({std::min(x, kMaxX), y});
    }
    // From the smallest model to the largest: the staircase keeps the best height seen so far.
    std::sort(corners.begin(), corners.end(), [](const Corner& a, const Corner& b) { return a.x > b.x; });
    double area = 0.0, height = 0.0;
    for (std::size_t i = 0; i < corners.size(); ++i) {
        height = std::max(height, corners[i].y);
        const double nextX = i + 1 < corners.size() ? corners[i + 1].x : 0.0;
        area += height * (corners[i].x - nextX);
    }
    return area / kMaxX;
}

std::int64_t bytesAt(const TradeoffJob& job, const std::vector<TradeoffPoint>& points, double d) {
    std::int64_t least = kNullInt;
    for (const auto& point : points)
        if (!std::isnan(point.metric) && metricLoss(job, point) <= d && (least == kNullInt || point.bytesTotal < least))
            least = point.bytesTotal;
    return least;
}

double metricAt(const TradeoffJob& job, const std::vector<TradeoffPoint>& points, std::int64_t bytes) {
    double best = kNullReal;
    for (const auto& point : points) {
        if (std::isnan(point.metric) || point.bytesTotal > bytes) continue;
        if (std::isnan(best) || job.metricDir * (point.metric - best) > 0) best = point.metric;
    }
    return best;
}

std::vector<TradeoffChoice> resolvedChoices(const TradeoffTables& tables, int pointId) {
    std::map<int, const TradeoffPoint*> byId;
    for (const auto& point : tables.points) byId[point.pointId] = &point;
    std::map<int, TradeoffChoice> resolved;
    std::int64_t current = pointId;
    // Walk up the parent chain; a row found nearer to the point wins. The length bound ends hostile cycles.
    for (std::size_t hops = 0; hops <= tables.points.size() && current != kNullInt; ++hops) {
        for (const auto& choice : tables.choices)
            if (choice.pointId == current) resolved.emplace(choice.layerIx, choice);
        const auto found = byId.find(static_cast<int>(current));
        if (found == byId.end()) break;
        current = found->second->parentPointId;
    }
    std::vector<TradeoffChoice> rows;
    for (auto& [layer, choice] : resolved) rows.push_back(std::move(choice));
    return rows;
}

}  // namespace espalier::feed
