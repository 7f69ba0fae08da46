#include "widgets/heatmap/heat_image.h"

#include <QPainter>

#include <algorithm>
#include <cmath>

#include "widgets/theme/color_maps.h"
#include "widgets/theme/format.h"

namespace espalier::widgets {
namespace {

/// Below this share of the range the image shows alone; the square root above lifts middling weights.
constexpr double kFaint = 0.06;

double alphaOf(double position, bool isSigned) {
    const double share = isSigned ? std::abs(2 * position - 1) : position;
    return std::sqrt(std::clamp((share - kFaint) / (1 - kFaint), 0.0, 1.0));
}

}  // namespace

HeatRange HeatRange::of(std::span<const float> values, bool isSigned) {
    HeatRange range{0, 0, isSigned};
    bool isFirst = true;
    for (const float value : values) {
        if (!std::isfinite(value)) continue;
        if (isSigned) {
            range.high = std::max(range.high, std::abs(static_cast<double>(value)));
        } else {
            range.low = isFirst ? value : std::min<double>(range.low, value);
            range.high = isFirst ? value : std::max<double>(range.high, value);
            isFirst = false;
        }
    }
    if (isSigned) range.low = -range.high;
    return range;
}

void HeatRange::include(const HeatRange& other) {
    low = std::min(low, other.low);
    high = std::max(high, other.high);
}

QImage heatImage(std::span<const float> values, const TokenGrid& grid, QSize image, const HeatRange& range,
                 Sampling sampling, double scale) {
    const auto pixels = sampleTokens(values, grid, image.width(), image.height(), sampling, scale);
    const int width = std::max(1, static_cast<int>(std::lround(image.width() * scale)));
    const int height = static_cast<int>(pixels.size()) / width;
    QImage picture(width, height, QImage::Format_RGB32);
    const ColorMap& map = range.isSigned ? signedMap() : viridis();
    for (int y = 0; y < height; ++y) {
        auto* line = reinterpret_cast<QRgb*>(picture.scanLine(y));
        for (int x = 0; x < width; ++x)
            line[x] = mapColor(map, range.position(pixels[static_cast<std::size_t>(y) * static_cast<std::size_t>(width) + static_cast<std::size_t>(x)])) | 0xff000000u;
    }
    return picture;
}

QImage overlayImage(const QImage& image, std::span<const float> values, const TokenGrid& grid, const HeatRange& range,
                    Sampling sampling, double opacity, double scale) {
    const int width = std::max(1, static_cast<int>(std::lround(image.width() * scale)));
    const int height = std::max(1, static_cast<int>(std::lround(image.height() * scale)));
    QImage picture = image.convertToFormat(QImage::Format_RGB32).scaled(width, height, Qt::IgnoreAspectRatio, Qt::FastTransformation);
    if (values.empty() || opacity <= 0) return picture;
    const auto pixels = sampleTokens(values, grid, image.width(), image.height(), sampling, scale);
    const ColorMap& map = range.isSigned ? signedMap() : viridis();
    for (int y = 0; y < height; ++y) {
        auto* line = reinterpret_cast<QRgb*>(picture.scanLine(y));
        for (int x = 0; x < width; ++x) {
            const double position = range.position(pixels[static_cast<std::size_t>(y) * static_cast<std::size_t>(width) + static_cast<std::size_t>(x)]);
            if (std::isnan(position)) continue;
            const QRgb over = mapColor(map, position), under = line[x];
            const double alpha = opacity * alphaOf(position, range.isSigned);
            const auto mix = [alpha](int a, int b) { return static_cast<int>(std::lround(a + alpha * (b - a))); };
            line[x] = qRgb(mix(qRed(under), qRed(over)), mix(qGreen(under), qGreen(over)), mix(qBlue(under), qBlue(over)));
        }
    }
    return picture;
}

void paintColorBar(QPainter& painter, const QRect& rect, bool isSigned) {
    const ColorMap& map = isSigned ? signedMap() : viridis();
    QImage bar(256, 1, QImage::Format_RGB32);
    for (int x = 0; x < 256; ++x) bar.setPixel(x, 0, map[static_cast<std::size_t>(x)]);
    painter.drawImage(rect, bar);
}

QString heatText(double value, bool isSigned, double scale, int figures) {
    if (value == 0) return QStringLiteral("0");
    const double amount = scale > 0 ? scale : std::abs(value);
    const int digits = std::clamp(static_cast<int>(std::ceil(-std::log10(amount))) + 1, 0, 6);
    return isSigned ? format::signedFixed(value, digits) : format::fixed(value, std::min(6, digits + figures - 2));
}

}  // namespace espalier::widgets
