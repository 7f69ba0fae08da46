#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "engine/feed/dataset.h"

namespace espalier::intake {

inline constexpr int kThumbSide = 16;

/// What duplicates are found by: two 64-bit hashes of the coarse structure and a small colour thumbnail. Neither
/// changes much with size, compression or brightness.
struct Fingerprint {
    std::uint64_t frequencies = 0;  ///< signs of the lowest cosine coefficients
    std::uint64_t gradients = 0;    ///< signs of horizontal differences
    std::array<std::uint8_t, 3 * kThumbSide * kThumbSide> thumb{};  ///< RGB
    bool isTelling = false;         ///< false: too small or too flat to be compared
};

Fingerprint fingerprintOf(const feed::Image8& image);

/// 1 − (mean square difference of the thumbnails after mean and deviation are taken out) / 2, which is their
/// correlation, clamped to 0…1.
double thumbSimilarity(const Fingerprint& a, const Fingerprint& b);

struct NearSearch {
    std::vector<feed::NearPair> pairs;  ///< most alike first; acrossSplits is not filled here
    bool isCut = false;                 ///< more pairs than are looked for
};

/// Pairs of rows that look alike. Sub-quadratic: pigeonhole buckets over eight bytes of each hash. `isStopped` is
/// polled every few thousand comparisons.
template <class IsStopped>
NearSearch findNearPairs(const std::vector<Fingerprint>& prints, const std::vector<std::int64_t>& rows,
                         const IsStopped& isStopped);

namespace detail {
/// Compares all entries that share one byte of a hash; false when stopped.
class NearFinder {
public:
    NearFinder(const std::vector<Fingerprint>& prints, const std::vector<std::int64_t>& rows);
    void scanBand(int band);  ///< 0…15: eight bytes of either hash
    NearSearch take();
    static constexpr int kBands = 16;

private:
    void scanBucket(const std::vector<std::uint32_t>& bucket);
    void compare(std::uint32_t a, std::uint32_t b);
    const std::vector<Fingerprint>& m_prints;
    const std::vector<std::int64_t>& m_rows;
    std::vector<std::uint64_t> m_tried;  ///< candidates as (a << 32 | b), sorted out after each band
    NearSearch m_found;
};
}  // namespace detail

template <class IsStopped>
NearSearch findNearPairs(const std::vector<Fingerprint>& prints, const std::vector<std::int64_t>& rows,
                         const IsStopped& isStopped) {
    detail::NearFinder finder(prints, rows);
    for (int band = 0; band < detail::NearFinder::kBands; ++band) {
        if (isStopped()) break;
        finder.scanBand(band);
    }
    return finder.take();
}

}  // namespace espalier::intake
