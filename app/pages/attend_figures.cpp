#include "app/pages/attend_figures.h"

#include <QPainter>

#include <algorithm>
#include <memory>

#include "widgets/theme/format.h"
#include "widgets/theme/metrics.h"
#include "widgets/theme/theme.h"

namespace espalier::app {

using namespace widgets;

namespace {

constexpr int kHeader = 26, kScale = 24, kThumb = 64, kGap = 4, kLabel = 26;

void paintHeader(QPainter& painter, int width, const QString& title, const QString& caption) {
    painter.setFont(theme().font(Type::BodyStrong));
    painter.setPen(theme().color(Color::Text));
    painter.drawText(QRect(0, 0, width, kHeader), Qt::AlignLeft | Qt::AlignVCenter, title);
    const int used = painter.fontMetrics().horizontalAdvance(title) + 10;
    painter.setFont(theme().font(Type::Caption));
    painter.setPen(theme().color(Color::Text3));
    painter.drawText(QRect(used, 0, width - used, kHeader), Qt::AlignLeft | Qt::AlignVCenter, caption);
}

QString tokenLine(const TokenGrid& grid, int token, float value) {
    const QPointF at = grid.center(token);
    return QStringLiteral("%1,%2,%3,%4,%5\n").arg(grid.rowOf(token)).arg(grid.colOf(token)).arg(format::copyText(at.x()), format::copyText(at.y()), format::copyText(value));
}

}  // namespace

Figure mapFigure(MapPicture given) {
    const auto picture = std::make_shared<MapPicture>(std::move(given));
    Figure figure;
    figure.title = picture->title;
    const QSize map(384, 384 * picture->overlay.height() / std::max(1, picture->overlay.width()));
    figure.size = {map.width(), kHeader + map.height() + kScale};
    figure.paint = [picture, map, size = figure.size](QPainter& painter, bool) {
        const PaperColors paper;
        painter.fillRect(QRect(QPoint(), size), theme().color(Color::Well));
        paintHeader(painter, size.width(), picture->title, picture->caption);
        painter.setRenderHint(QPainter::SmoothPixmapTransform, false);
        painter.drawImage(QRect(QPoint(0, kHeader), map), picture->overlay);
        const QString low = heatText(picture->range.low, picture->range.isSigned, picture->range.high), high = heatText(picture->range.high, picture->range.isSigned);
        painter.setFont(theme().font(Type::Caption));
        painter.setPen(theme().color(Color::Text2));
        const QRect line(0, kHeader + map.height() + 4, 180, kScale - 4);
        const int lowWidth = painter.fontMetrics().horizontalAdvance(low), highWidth = painter.fontMetrics().horizontalAdvance(high);
        painter.drawText(line, Qt::AlignLeft | Qt::AlignVCenter, low);
        painter.drawText(line, Qt::AlignRight | Qt::AlignVCenter, high);
        paintColorBar(painter, {lowWidth + 8, line.center().y() - 3, line.width() - lowWidth - highWidth - 16, 8}, picture->range.isSigned);
    };
    figure.csv = [picture] {
        QString text = QStringLiteral("row,col,x,y,%1\n").arg(picture->range.isSigned ? QStringLiteral("share") : QStringLiteral("weight"));
        for (int token = 0; token < picture->grid.tokens() && token < static_cast<int>(picture->weights.size()); ++token)
            text += tokenLine(picture->grid, token, picture->weights[static_cast<std::size_t>(token)]);
        return text.toUtf8();
    };
    return figure;
}

Figure wallFigure(const ProbeMaps& maps, const TokenGrid& grid, QSize image, int query, bool isReceived, bool isOneRange, const QString& title, const QString& caption) {
    struct Wall {
        std::vector<std::vector<std::vector<float>>> rows;  ///< [layer][head]
        HeatRange shared{1e30, -1e30, false};
    };
    const auto wall = std::make_shared<Wall>();
    int heads = 0;
    for (const LayerMaps& layer : maps.layers) {
        wall->rows.emplace_back();
        heads = std::max(heads, layer.heads);
        for (int head = 0; head < layer.heads; ++head) {
            wall->rows.back().push_back(isReceived ? layer.received(head, query) : layer.row(head, query));
            wall->shared.include(HeatRange::of(wall->rows.back().back()));
        }
    }
    Figure figure;
    figure.title = title;
    const int layers = static_cast<int>(wall->rows.size());
    figure.size = {std::max(320, kLabel + layers * (kThumb + kGap)), kHeader + heads * (kThumb + kGap) + kLabel};
    figure.paint = [=, size = figure.size](QPainter& painter, bool) {
        const PaperColors paper;
        painter.fillRect(QRect(QPoint(), size), theme().color(Color::Well));
        paintHeader(painter, size.width(), title, caption);
        painter.setFont(theme().font(Type::Caption));
        painter.setPen(theme().color(Color::Text2));
        for (int head = 0; head < heads; ++head)
            painter.drawText(QRect(0, kHeader + head * (kThumb + kGap), kLabel - 4, kThumb), Qt::AlignLeft | Qt::AlignVCenter, QStringLiteral("h%1").arg(head + 1));
        for (int layer = 0; layer < layers; ++layer) {
            const auto& column = wall->rows[static_cast<std::size_t>(layer)];
            const int x = kLabel + layer * (kThumb + kGap);
            for (int head = 0; head < static_cast<int>(column.size()); ++head) {
                const auto& map = column[static_cast<std::size_t>(head)];
                if (map.size() != static_cast<std::size_t>(grid.tokens())) continue;
                const double scale = 2.0 * kThumb / std::max({1, image.width(), image.height()});
                painter.drawImage(QRect(x, kHeader + head * (kThumb + kGap), kThumb, kThumb), heatImage(map, grid, image, isOneRange ? wall->shared : HeatRange::of(map), Sampling::Bilinear, scale));
            }
            painter.drawText(QRect(x, size.height() - kLabel, kThumb, kLabel - 4), Qt::AlignCenter, QStringLiteral("L%1").arg(layer + 1));
        }
    };
    figure.csv = [wall, grid] {
        QString text = QStringLiteral("layer,head,row,col,x,y,weight\n");
        for (std::size_t layer = 0; layer < wall->rows.size(); ++layer)
            for (std::size_t head = 0; head < wall->rows[layer].size(); ++head)
                for (int token = 0; token < grid.tokens() && token < static_cast<int>(wall->rows[layer][head].size()); ++token)
                    text += QStringLiteral("%1,%2,").arg(layer + 1).arg(head + 1) + tokenLine(grid, token, wall->rows[layer][head][static_cast<std::size_t>(token)]);
        return text.toUtf8();
    };
    return figure;
}

}  // namespace espalier::app
