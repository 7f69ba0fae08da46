#include "widgets/theme/color_maps.h"

#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>

#include <algorithm>
#include <cmath>
#include <vector>

#include "engine/base/assert.h"

namespace espalier::widgets {

namespace {

struct Lab {
    double l = 0, a = 0, b = 0;
};

double linearFromSrgb(double v) { return v <= 0.04045 ? v / 12.92 : std::pow((v + 0.055) / 1.055, 2.4); }
double srgbFromLinear(double v) {
    v = std::clamp(v, 0.0, 1.0);
    return v <= 0.0031308 ? v * 12.92 : 1.055 * std::pow(v, 1 / 2.4) - 0.055;
}

// Oklab, so that steps between the stops look even.
Lab labFromColor(const QColor& c) {
    const double r = linearFromSrgb(c.redF()), g = linearFromSrgb(c.greenF()), b = linearFromSrgb(c.blueF());
    const double l = std::cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
    const double m = std::cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
    const double s = std::cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
    return {0.2104542553 * l + 0.7936177850 * m - 0.0040720468 * s,
            1.9779984951 * l - 2.4285922050 * m + 0.4505937099 * s,
            0.0259040371 * l + 0.7827717662 * m - 0.8086757660 * s};
}

QRgb rgbFromLab(const Lab& c) {
    const double l = std::pow(c.l + 0.3963377774 * c.a + 0.2158037573 * c.b, 3);
    const double m = std::pow(c.l - 0.1055613458 * c.a - 0.0638541728 * c.b, 3);
    const double s = std::pow(c.l - 0.0894841775 * c.a - 1.2914855480 * c.b, 3);
    const double r = srgbFromLinear(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s);
    const double g = srgbFromLinear(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s);
    const double b = srgbFromLinear(-0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s);
    return qRgb(qRound(r * 255), qRound(g * 255), qRound(b * 255));
}

ColorMap makeMap(const QString& key) {
    QFile file(QStringLiteral(":/espalier/themes/tokens.json"));
    const bool isOpen = file.open(QIODevice::ReadOnly);
    ESPALIER_ASSERT(isOpen, "the tokens are compiled in through resources.qrc");
    const QJsonArray stops = QJsonDocument::fromJson(file.readAll())
                                 .object()[QStringLiteral("maps")]
                                 .toObject()[key]
                                 .toObject()[QStringLiteral("stops")]
                                 .toArray();
    std::vector<Lab> labs;
    for (const auto& stop : stops) labs.push_back(labFromColor(QColor(stop.toString())));
    ColorMap map{};
    const auto last = labs.size() - 1;
    for (std::size_t i = 0; i < map.size(); ++i) {
        const double t = static_cast<double>(i) / 255.0 * static_cast<double>(last);
        const auto low = std::min(static_cast<std::size_t>(t), last - 1);
        const double f = t - static_cast<double>(low);
        const Lab &a = labs[low], &b = labs[low + 1];
        map[i] = rgbFromLab({a.l + f * (b.l - a.l), a.a + f * (b.a - a.a), a.b + f * (b.b - a.b)});
    }
    return map;
}

}  // namespace

const ColorMap& viridis() {
    static const ColorMap map = makeMap(QStringLiteral("sequential"));
    return map;
}

const ColorMap& signedMap() {
    static const ColorMap map = makeMap(QStringLiteral("diverging"));
    return map;
}

QRgb mapColor(const ColorMap& map, double position) {
    if (std::isnan(position)) return qRgba(0, 0, 0, 0);
    return map[static_cast<std::size_t>(std::clamp(position, 0.0, 1.0) * 255.0 + 0.5)];
}

QImage mapImage(std::span<const float> values, int width, int height, double low, double high, const ColorMap& map) {
    ESPALIER_ASSERT(values.size() == static_cast<std::size_t>(width) * static_cast<std::size_t>(height),
                    "values fill the picture");
    QImage image(width, height, QImage::Format_ARGB32);
    const double scale = high > low ? 1.0 / (high - low) : 0.0;
    for (int y = 0; y < height; ++y) {
        auto* line = reinterpret_cast<QRgb*>(image.scanLine(y));
        for (int x = 0; x < width; ++x) {
            const double value = values[static_cast<std::size_t>(y) * static_cast<std::size_t>(width) + static_cast<std::size_t>(x)];
            line[x] = mapColor(map, (value - low) * scale);
        }
    }
    return image;
}

QColor bitsColor(double bits) {
    // 2 bits light, 8 and more dark, as in the allocation strip.
    const double position = 0.95 - std::clamp((bits - 2.0) / 6.0, 0.0, 1.0) * 0.85;
    return QColor::fromRgb(mapColor(viridis(), position));
}

}  // namespace espalier::widgets
