#include "engine/intake/fingerprint.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include <opencv2/imgproc.hpp>

namespace espalier::intake {
namespace {

constexpr int kMinSide = 16;           ///< smaller pictures have no structure worth hashing
constexpr double kMinDeviation = 3.0;  ///< of grey levels; below it a picture is a plain area
constexpr int kMaxDistance = 7;        ///< eight bands of a byte find every pair within seven bits
constexpr double kMinSimilarity = 0.96;
constexpr std::size_t kMaxBucketReach = 2048;
constexpr std::size_t kMaxPairs = 200'000;

cv::Mat shrunk(const cv::Mat& source, int width, int height) {
    cv::Mat small;
    const bool isSmaller = source.cols < width || source.rows < height;
    cv::resize(source, small, cv::Size(width, height), 0, 0, isSmaller ? cv::INTER_LINEAR : cv::INTER_AREA);
    return small;
}

std::uint64_t frequencySigns(const cv::Mat& grey) {
    cv::Mat values, spectrum;
    shrunk(grey, 32, 32).convertTo(values, CV_32F);
    cv::dct(values, spectrum);
    std::uint64_t bits = 0;
    int bit = 0;
    for (int v = 0; v < 8; ++v)
        for (int u = 0; u < 8; ++u, ++bit)
            if ((u != 0 || v != 0) && spectrum.at<float>(v, u) > 0) bits |= std::uint64_t(1) << bit;
    return bits;
}

std::uint64_t gradientSigns(const cv::Mat& grey) {
    const cv::Mat small = shrunk(grey, 9, 8);
    std::uint64_t bits = 0;
    int bit = 0;
    for (int y = 0; y < 8; ++y)
        for (int x = 0; x < 8; ++x, ++bit)
            if (small.at<std::uint8_t>(y, x) < small.at<std::uint8_t>(y, x + 1)) bits |= std::uint64_t(1) << bit;
    return bits;
}

}  // namespace

Fingerprint fingerprintOf(const feed::Image8& image) {
    Fingerprint print;
    if (image.width < kMinSide || image.height < kMinSide) return print;
    const cv::Mat source(image.height, image.width, image.channels == 1 ? CV_8UC1 : CV_8UC3,
                         const_cast<std::uint8_t*>(image.pixels.data()));
    cv::Mat grey = source, color = source;
    if (image.channels == 3)
        cv::cvtColor(source, grey, cv::COLOR_RGB2GRAY);
    const cv::Mat small = shrunk(color, kThumbSide, kThumbSide);
    for (std::size_t i = 0; i < std::size_t(kThumbSide) * kThumbSide; ++i) {
        const std::uint8_t* pixel = small.data + i * small.elemSize();
        for (std::size_t c = 0; c < 3; ++c) print.thumb[3 * i + c] = image.channels == 1 ? pixel[0] : pixel[c];
    }
    cv::Scalar mean, deviation;
    cv::meanStdDev(grey, mean, deviation);
    print.isTelling = deviation[0] >= kMinDeviation;
    if (!print.isTelling) return print;
    print.frequencies = frequencySigns(grey);
    print.gradients = gradientSigns(grey);
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

namespace detail {

NearFinder::NearFinder(const std::vector<Fingerprint>& prints, const std::vector<std::int64_t>& rows)
    : m_prints(prints), m_rows(rows) {}

void NearFinder::compare(std::uint32_t a, std::uint32_t b) {
    const Fingerprint &x = m_prints[a], &y = m_prints[b];
    if (std::popcount(x.frequencies ^ y.frequencies) > kMaxDistance &&
        std::popcount(x.gradients ^ y.gradients) > kMaxDistance)
        return;
    m_tried.push_back((std::uint64_t(a) << 32) | b);
}

void NearFinder::scanBucket(const std::vector<std::uint32_t>& bucket) {
    for (std::size_t i = 0; i < bucket.size(); ++i) {
        const std::size_t end = std::min(bucket.size(), i + 1 + kMaxBucketReach);
        for (std::size_t j = i + 1; j < end; ++j) compare(bucket[i], bucket[j]);
    }
}

void NearFinder::scanBand(int band) {
    std::array<std::vector<std::uint32_t>, 256> buckets;
    for (std::uint32_t i = 0; i < m_prints.size(); ++i) {
        if (!m_prints[i].isTelling) continue;
        const std::uint64_t hash = band < 8 ? m_prints[i].frequencies : m_prints[i].gradients;
        buckets[(hash >> (8 * (band % 8))) & 0xFF].push_back(i);
    }
    for (const auto& bucket : buckets) scanBucket(bucket);
    std::sort(m_tried.begin(), m_tried.end());
    m_tried.erase(std::unique(m_tried.begin(), m_tried.end()), m_tried.end());
}

NearSearch NearFinder::take() {
    for (const std::uint64_t pair : m_tried) {
        const auto a = static_cast<std::uint32_t>(pair >> 32), b = static_cast<std::uint32_t>(pair);
        const double similarity = thumbSimilarity(m_prints[a], m_prints[b]);
        if (similarity < kMinSimilarity) continue;
        if (m_found.pairs.size() >= kMaxPairs) {
            m_found.isCut = true;
            break;
        }
        m_found.pairs.push_back({m_rows[a], m_rows[b], similarity, false});
    }
    std::stable_sort(m_found.pairs.begin(), m_found.pairs.end(),
                     [](const feed::NearPair& x, const feed::NearPair& y) { return x.similarity > y.similarity; });
    return std::move(m_found);
}

}  // namespace detail
}  // namespace espalier::intake
