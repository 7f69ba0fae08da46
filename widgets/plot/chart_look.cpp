#include "widgets/plot/chart_look.h"

#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>

#include <algorithm>

namespace espalier::widgets {
namespace {

QColor colorFromToken(const QString& text) {
    // Tokens are #RRGGBB or #RRGGBBAA; QColor reads the latter as #AARRGGBB.
    if (text.size() != 9) return QColor(text);
    QColor color(text.left(7));
    color.setAlpha(text.mid(7).toInt(nullptr, 16));
    return color;
}

ChartLook readPaper() {
    ChartLook look = ChartLook::ofTheme();
    look.isPaper = true;
    QFile file(QStringLiteral(":/espalier/themes/tokens.json"));
    if (!file.open(QIODevice::ReadOnly)) return look;
    const QJsonObject root = QJsonDocument::fromJson(file.readAll()).object();
    const QJsonObject light = root[QStringLiteral("themes")].toObject()[QStringLiteral("light")].toObject();
    const QJsonObject colors = light[QStringLiteral("colors")].toObject();
    for (int i = 0; i < kColorCount; ++i) {
        const QColor color = colorFromToken(colors[Theme::colorName(static_cast<Color>(i))].toString());
        if (color.isValid()) look.colors[static_cast<std::size_t>(i)] = color;
    }
    const QJsonArray order = root[QStringLiteral("runColorOrder")].toArray();
    const QJsonObject runs = light[QStringLiteral("runColors")].toObject();
    for (int i = 0; i < 8; ++i) look.runs[static_cast<std::size_t>(i)] = colorFromToken(runs[order[i].toString()].toString());
    return look;
}

}  // namespace

ChartLook ChartLook::ofTheme() {
    ChartLook look;
    for (int i = 0; i < kColorCount; ++i) look.colors[static_cast<std::size_t>(i)] = theme().color(static_cast<Color>(i));
    for (int i = 0; i < 8; ++i) look.runs[static_cast<std::size_t>(i)] = theme().runColor(i);
    return look;
}

ChartLook ChartLook::forPaper() {
    static const ChartLook look = readPaper();
    return look;
}

QColor ChartLook::color(Color role, qreal alpha) const {
    QColor result = color(role);
    result.setAlphaF(static_cast<float>(result.alphaF() * alpha));
    return result;
}

QPen ChartLook::line(Color role, qreal width) const { return QPen(color(role), width); }

QColor ChartLook::runColor(int index) const { return runs[static_cast<std::size_t>(std::max(0, index) % 8)]; }

void setDash(QPen& pen, QVector<qreal> pixels) {
    if (pixels.isEmpty()) return;
    const qreal width = pen.widthF() > 0 ? pen.widthF() : 1;
    for (qreal& length : pixels) length /= width;
    pen.setDashPattern(pixels);
    pen.setCapStyle(Qt::FlatCap);
}

}  // namespace espalier::widgets
