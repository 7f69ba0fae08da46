#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

/// Makes small picture files for tests.
namespace picturefiles {
namespace fs = std::filesystem;

inline std::string encoded(const cv::Mat& bgr, const std::string& suffix, const std::vector<int>& options = {}) {
    std::vector<std::uint8_t> bytes;
    cv::imencode(suffix, bgr, bytes, options);
    return std::string(bytes.begin(), bytes.end());
}

/// Four areas: red top left, green top right, blue bottom left, yellow bottom right.
inline cv::Mat quarters(int width, int height) {
    cv::Mat mat(height, width, CV_8UC3, cv::Scalar(40, 200, 200));
    mat(cv::Rect(0, 0, width / 2, height / 2)) = cv::Scalar(20, 20, 220);
    mat(cv::Rect(width / 2, 0, width - width / 2, height / 2)) = cv::Scalar(20, 200, 20);
    mat(cv::Rect(0, height / 2, width / 2, height - height / 2)) = cv::Scalar(220, 20, 20);
    return mat;
}

/// Smooth blobs that differ with every seed: no two look alike.
inline cv::Mat blobs(int seed, int side = 32) {
    cv::Mat mat(side, side, CV_8UC3);
    const auto wave = [&](int x, int y, int c) {
        const double fx = 1 + (seed * 7 + c * 3) % 5, fy = 1 + (seed * 11 + c * 5) % 4, phase = seed * 1.7 + c;
        return 127 + 120 * std::sin(6.28 * fx * x / side + phase) * std::cos(6.28 * fy * y / side + 0.6 * seed);
    };
    for (int y = 0; y < side; ++y)
        for (int x = 0; x < side; ++x)
            for (int c = 0; c < 3; ++c) mat.at<cv::Vec3b>(y, x)[c] = static_cast<std::uint8_t>(wave(x, y, c));
    return mat;
}

inline void write(const fs::path& path, const std::string& bytes) {
    fs::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

inline void put(std::string& out, std::uint64_t value, int bytes, bool isBig = false) {
    for (int i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8 * (isBig ? bytes - 1 - i : i)));
}

/// The JPEG with an EXIF segment that says how it is turned.
inline std::string withOrientation(const std::string& jpeg, int orientation) {
    std::string body("Exif\0\0MM\0*", 10);
    put(body, 8, 4, true), put(body, 1, 2, true), put(body, 0x0112, 2, true), put(body, 3, 2, true), put(body, 1, 4, true);
    put(body, static_cast<std::uint64_t>(orientation), 2, true), put(body, 0, 2, true), put(body, 0, 4, true);
    std::string segment = "\xFF\xE1";
    put(segment, body.size() + 2, 2, true);
    return jpeg.substr(0, 2) + segment + body + jpeg.substr(2);
}

/// GIF of 3 × 2 pixels, indices 0 1 2 / 2 1 0, palette red green blue white. Codes of 3 bits, cleared before each pixel
/// pair, so no table is needed to write it.
inline std::string gif(int transparent = -1, bool hasSecondFrame = false) {
    std::string out = "GIF89a";
    put(out, 3, 2), put(out, 2, 2), put(out, 0x81, 1), put(out, 0, 2);
    out += std::string("\xFF\0\0\0\xFF\0\0\0\xFF\xFF\xFF\xFF", 12);
    const auto frame = [&](const std::vector<int>& indices) {
        put(out, 0x21, 1), put(out, 0xF9, 1), put(out, 4, 1), put(out, transparent >= 0 ? 1 : 0, 1), put(out, 0, 2);
        put(out, static_cast<std::uint64_t>(std::max(0, transparent)), 1), put(out, 0, 1);
        put(out, 0x2C, 1), put(out, 0, 4), put(out, 3, 2), put(out, 2, 2), put(out, 0, 1), put(out, 2, 1);
        std::uint64_t bits = 0;
        int held = 0;
        std::string data;
        const auto code = [&](std::uint64_t value) {
            bits |= value << held;
            held += 3;
            while (held >= 8) data += static_cast<char>(bits), bits >>= 8, held -= 8;
        };
        for (std::size_t i = 0; i < indices.size(); ++i) {
            if (i % 2 == 0) code(4);
            code(static_cast<std::uint64_t>(indices[i]));
        }
        code(5);
        data += static_cast<char>(bits);
        put(out, data.size(), 1);
        out += data;
        put(out, 0, 1);
    };
    frame({0, 1, 2, 2, 1, 0});
    if (hasSecondFrame) frame({3, 3, 3, 3, 3, 3});
    return out + "\x3B";
}

}  // namespace picturefiles
