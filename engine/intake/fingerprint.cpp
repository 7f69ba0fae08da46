#include "engine/intake/fingerprint.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <utility>

#include <opencv2/imgproc.hpp>

namespace espalier::intake {
namespace {

constexpr int kMinSide = 16;           ///< smaller pictures have no structure worth hashing
constexpr double kMinDeviation = 3.0;  ///< of grey levels; below it a picture is a plain area
constexpr int kKeyBits = 24;           ///< signs that two alike pictures share, but for weak ones
constexpr double kDeadZone = 0.03;      ///< of all coefficients' length
constexpr int kMaxDistance = 20;       ///< of the 64 signs; beyond it the thumbnails are not even compared
constexpr double kMinSimilarity = 0.96;
constexpr std::size_t kMaxBucketReach = 1024;
constexpr std::size_t kMaxCandidates = 20'000'000;
constexpr std::uint32_t kParts = 8;
constexpr std::size_t kMaxPairs = 200'000;

cv::Mat shrunk(const cv::Mat& source, int width, int height) {
    cv::Mat small;
    const bool isSmaller = source.cols < width || source.rows < height;
    cv::resize(source, small, cv::Size(width, height), 0, 0, isSmaller ? cv::INTER_LINEAR : cv::INTER_AREA);
    return small;
}

/// Coefficients by rising frequency, the mean left out.
std::array<std::pair<int, int>, 64> lowestFrequencies() {
    std::vector<std::pair<int, int>> all;
    for (int v = 0; v < kThumbSide; ++v)
        for (int u = 0; u < kThumbSide; ++u)
            if (u + v > 0) all.emplace_back(u, v);
    std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) {
        const int x = a.first * a.first + a.second * a.second, y = b.first * b.first + b.second * b.second;
        return x != y ? x < y : a < b;
    });
    std::array<std::pair<int, int>, 64> lowest;
    std::copy_n(all.begin(), 64, lowest.begin());
    return lowest;
}

void hashFrequencies(const cv::Mat& smallGrey, Fingerprint& print) {
    static const auto order = lowestFrequencies();
    cv::Mat values, spectrum;
    smallGrey.convertTo(values, CV_32F);
    cv::dct(values, spectrum);
    spectrum.at<float>(0, 0) = 0;  // the mean is no structure
    // Compared with a little more than zero: in drawn pictures most coefficients are noise about zero, whose sign
    // would be a matter of chance.
    const auto threshold = static_cast<float>(kDeadZone * cv::norm(spectrum));
    std::array<std::pair<float, std::uint8_t>, kKeyBits> strengths;
    for (std::size_t bit = 0; bit < order.size(); ++bit) {
        const float value = spectrum.at<float>(order[bit].second, order[bit].first) - threshold;
        if (value > 0) print.frequencies |= std::uint64_t(1) << bit;
        if (bit < kKeyBits) strengths[bit] = {std::abs(value), static_cast<std::uint8_t>(bit)};
    }
    std::sort(strengths.begin(), strengths.end());
    for (std::size_t i = 0; i < print.weak.size(); ++i) print.weak[i] = strengths[i].second;
}

}  // namespace

Fingerprint fingerprintOf(const feed::Image8& image) {
    Fingerprint print;
    if (image.width < kMinSide || image.height < kMinSide) return print;
    const cv::Mat source(image.height, image.width, image.channels == 1 ? CV_8UC1 : CV_8UC3,
                         const_cast<std::uint8_t*>(image.pixels.data()));
    const cv::Mat small = shrunk(source, kThumbSide, kThumbSide);
    cv::Mat grey = small;
    if (image.channels == 3) cv::cvtColor(small, grey, cv::COLOR_RGB2GRAY);
    for (std::size_t i = 0; i < std::size_t(kThumbSide) * kThumbSide; ++i) {
        const std::uint8_t* pixel = small.data + i * small.elemSize();
        for (std::size_t c = 0; c < 3; ++c) print.thumb[3 * i + c] = image.channels == 1 ? pixel[0] : pixel[c];
    }
    cv::Scalar mean, deviation;
    cv::meanStdDev(grey, mean, deviation);
    print.isTelling = deviation[0] >= kMinDeviation;
    if (!print.isTelling) return print;
    hashFrequencies(grey, print);
    return print;
}

double thumbSimilarity(const Fingerprint& a, const Fingerprint& b) {
    std::int64_t sumA = 0, sumB = 0, squareA = 0, squareB = 0, product = 0;
    for (std::size_t i = 0; i < a.thumb.size(); ++i) {
        const int x = a.thumb[i], y = b.thumb[i];
        sumA += x;
        sumB += y;
        squareA += x * x;
        squareB += y * y;
        product += x * y;
    }
    const double n = double(a.thumb.size());
    const double varA = double(squareA) - double(sumA) * double(sumA) / n;
    const double varB = double(squareB) - double(sumB) * double(sumB) / n;
    if (varA <= 0 || varB <= 0) return a.thumb == b.thumb ? 1.0 : 0.0;
    const double covariance = double(product) - double(sumA) * double(sumB) / n;
    return std::clamp(covariance / std::sqrt(varA * varB), 0.0, 1.0);
}

namespace {

/// Every print under its own key and under those that its weak signs could have given: key << 32 | index, sorted.
/// Only keys that end in `part`, so that the work comes in pieces between which a search can stop.
std::vector<std::uint64_t> keysOf(const std::vector<Fingerprint>& prints, std::uint32_t part) {
    constexpr unsigned kVariants = 1u << Fingerprint::kWeakBits;
    std::vector<std::uint64_t> keys;
    keys.reserve(prints.size() * kVariants / kParts * 2);
    for (std::uint32_t i = 0; i < prints.size(); ++i) {
        if (!prints[i].isTelling) continue;
        const auto base = static_cast<std::uint32_t>(prints[i].frequencies & ((1u << kKeyBits) - 1));
        for (unsigned variant = 0; variant < kVariants; ++variant) {
            std::uint32_t key = base;
            for (unsigned bit = 0; bit < Fingerprint::kWeakBits; ++bit)
                if (variant >> bit & 1) key ^= 1u << prints[i].weak[bit];
            if (key % kParts == part) keys.push_back(std::uint64_t(key) << 32 | i);
        }
    }
    std::sort(keys.begin(), keys.end());
    return keys;
}

void collectCandidates(const std::vector<Fingerprint>& prints, const std::vector<std::uint64_t>& keys,
                       std::vector<std::uint64_t>& candidates) {
    for (std::size_t i = 0; i < keys.size() && candidates.size() < 2 * kMaxCandidates; ++i) {
        const std::size_t end = std::min(keys.size(), i + 1 + kMaxBucketReach);
        for (std::size_t j = i + 1; j < end && keys[j] >> 32 == keys[i] >> 32; ++j) {
            const auto a = static_cast<std::uint32_t>(keys[i]), b = static_cast<std::uint32_t>(keys[j]);
            if (std::popcount(prints[a].frequencies ^ prints[b].frequencies) <= kMaxDistance)
                candidates.push_back(std::uint64_t(a) << 32 | b);
        }
    }
    std::sort(candidates.begin(), candidates.end());
    candidates.erase(std::unique(candidates.begin(), candidates.end()), candidates.end());
}

}  // namespace

NearSearch findNearPairs(const std::vector<Fingerprint>& prints, const std::vector<std::int64_t>& rows,
                         const std::function<bool()>& isStopped) {
    NearSearch found;
    std::vector<std::uint64_t> candidates;
    for (std::uint32_t part = 0; part < kParts && !found.isCut; ++part) {
        if (isStopped()) return found;
        collectCandidates(prints, keysOf(prints, part), candidates);
        found.isCut = candidates.size() > kMaxCandidates;
    }
    for (std::size_t i = 0; i < candidates.size(); ++i) {
        if ((i & 4095) == 0 && isStopped()) break;
        const auto a = static_cast<std::uint32_t>(candidates[i] >> 32), b = static_cast<std::uint32_t>(candidates[i]);
        const double similarity = thumbSimilarity(prints[a], prints[b]);
        if (similarity < kMinSimilarity) continue;
        found.isCut = found.isCut || found.pairs.size() >= kMaxPairs;
        if (found.pairs.size() >= kMaxPairs) break;
        found.pairs.push_back({rows[a], rows[b], similarity, false});
    }
    std::stable_sort(found.pairs.begin(), found.pairs.end(),
                     [](const feed::NearPair& x, const feed::NearPair& y) { return x.similarity > y.similarity; });
    return found;
}

}  // namespace espalier::intake
