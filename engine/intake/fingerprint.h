#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <vector>

#include "engine/feed/dataset.h"

namespace espalier::intake {

inline constexpr int kThumbSide = 16;

/// What near duplicates are found by: signs of the coarse structure and a small colour thumbnail. Neither changes much
/// with size, compression or brightness.
struct Fingerprint {
    static constexpr int kWeakBits = 6;
    std::uint64_t frequencies = 0;  ///< whether the 64 lowest cosine coefficients are clearly positive, lowest first, without the mean
    /// Of the lowest kKeyBits, those nearest to the limit: they may flip between two versions of one picture.
    std::array<std::uint8_t, kWeakBits> weak{};
    std::array<std::uint8_t, 3 * kThumbSide * kThumbSide> thumb{};  ///< RGB
    bool isTelling = false;         ///< false: too small or too flat to be compared
};

Fingerprint fingerprintOf(const feed::Image8& image);

/// 1 − (mean square difference of the thumbnails after mean and deviation are taken out) / 2, which is their
/// correlation, clamped to 0…1.
double thumbSimilarity(const Fingerprint& a, const Fingerprint& b);

struct NearSearch {
    std::vector<feed::NearPair> pairs;  ///< most alike first; acrossSplits is not filled here
    bool isCut = false;                 ///< there are more pairs than are looked for
};

/// Pairs of `rows` that look alike. Sub-quadratic: only pictures whose coarse signs agree, up to the weak ones, are
/// compared. `isStopped` is polled every few thousand comparisons; a stopped search returns what it has.
NearSearch findNearPairs(const std::vector<Fingerprint>& prints, const std::vector<std::int64_t>& rows,
                         const std::function<bool()>& isStopped);

}  // namespace espalier::intake
