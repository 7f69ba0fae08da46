#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace espalier::metrics {

/// Scores of one evaluation of a classifier.
struct Classification {
    double loss = 0;   ///< mean natural-log cross entropy
    double top1 = 0, top5 = 0, ece = 0;
    std::vector<std::int64_t> confusion;   ///< [K·K], rows true, columns predicted
    std::vector<std::uint8_t> isCorrect;   ///< a byte an item, in order
    std::int64_t items = 0;
};

/// Feed it logits batch by batch. Argmax and top-k take the lowest index among equal scores. ECE: `bins` equal bins
/// [k/B, (k+1)/B) of the confidence (Guo et al. 2017, eq. 3).
class ClassificationMeter {
public:
    explicit ClassificationMeter(std::int64_t classes, int bins = 15);
    /// logits [items, classes] row-major; labels out of range are ignored.
    void add(std::span<const float> logits, std::span<const std::int64_t> labels);
    Classification result() const;

private:
    std::int64_t m_classes;
    int m_bins;
    double m_lossSum = 0;
    std::int64_t m_top1 = 0, m_top5 = 0;
    std::vector<std::int64_t> m_confusion, m_binCount;
    std::vector<double> m_binConfidence, m_binCorrect;
    std::vector<std::uint8_t> m_isCorrect;
};

/// 95 % interval of a mean of 0/1 outcomes by bootstrap over items.
struct Interval {
    double low = 0, high = 0;
};
Interval bootstrapInterval(std::span<const std::uint8_t> isCorrect, int resamples, std::uint64_t seed);

}  // namespace espalier::metrics
