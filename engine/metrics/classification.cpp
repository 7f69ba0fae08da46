#include "engine/metrics/classification.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

namespace espalier::metrics {

ClassificationMeter::ClassificationMeter(std::int64_t classes, int bins)
    : m_classes(classes), m_bins(bins), m_confusion(std::size_t(classes * classes)), m_binCount(std::size_t(bins)),
      m_binConfidence(std::size_t(bins)), m_binCorrect(std::size_t(bins)) {}

void ClassificationMeter::add(std::span<const float> logits, std::span<const std::int64_t> labels) {
    const auto width = std::size_t(m_classes);
    for (std::size_t item = 0; item < labels.size(); ++item) {
        const auto label = labels[item];
        if (label < 0 || label >= m_classes) continue;
        const auto row = logits.subspan(item * width, width);
        const auto largest = std::max_element(row.begin(), row.end());
        const auto predicted = std::int64_t(largest - row.begin());
        double sum = 0;
        for (const float value : row) sum += std::exp(double(value) - double(*largest));
        const double own = double(row[std::size_t(label)]);
        m_lossSum += std::log(sum) + double(*largest) - own;
        // Rank with ties to the lowest index: classes before it that are at least as good, after it that are better.
        std::int64_t rank = 0;
        for (std::size_t k = 0; k < width; ++k)
            rank += double(row[k]) > own || (double(row[k]) == own && std::int64_t(k) < label);
        m_top1 += rank == 0;
        m_top5 += rank < 5;
        m_isCorrect.push_back(rank == 0);
        ++m_confusion[std::size_t(label * m_classes + predicted)];
        const double confidence = 1.0 / sum;
        const auto bin = std::size_t(std::min<int>(m_bins - 1, int(confidence * m_bins)));
        ++m_binCount[bin];
        m_binConfidence[bin] += confidence;
        m_binCorrect[bin] += predicted == label;
    }
}

Classification ClassificationMeter::result() const {
    Classification scores;
    scores.items = std::int64_t(m_isCorrect.size());
    scores.confusion = m_confusion;
    scores.isCorrect = m_isCorrect;
    if (scores.items == 0) return scores;
    const double n = double(scores.items);
    scores.loss = m_lossSum / n;
    scores.top1 = double(m_top1) / n;
    scores.top5 = double(m_top5) / n;
    for (std::size_t bin = 0; bin < m_binCount.size(); ++bin)
        scores.ece += std::abs(m_binCorrect[bin] - m_binConfidence[bin]) / n;
    return scores;
}

Interval bootstrapInterval(std::span<const std::uint8_t> isCorrect, int resamples, std::uint64_t seed) {
    if (isCorrect.empty()) return {};
    // The sum of n draws with replacement from 0/1 outcomes is binomial: no need to draw items one by one.
    const double share = double(std::accumulate(isCorrect.begin(), isCorrect.end(), std::int64_t(0))) / double(isCorrect.size());
    std::mt19937_64 random(seed);
    std::binomial_distribution<std::int64_t> draw(std::int64_t(isCorrect.size()), share);
    std::vector<double> means;
    for (int i = 0; i < resamples; ++i) means.push_back(double(draw(random)) / double(isCorrect.size()));
    std::sort(means.begin(), means.end());
    const auto at = [&](double q) { return means[std::size_t(q * double(means.size() - 1) + 0.5)]; };
    return {at(0.025), at(0.975)};
}

}  // namespace espalier::metrics
