#pragma once

#include <QImage>
#include <QWidget>

#include <vector>

#include "widgets/heatmap/heat_image.h"

namespace espalier::widgets {

/// Thumbnails of every head for one query: columns are layers, rows heads, the chosen one framed, the query a dot.
/// Click or arrows choose. GUI thread.
class HeadWall : public QWidget {
    Q_OBJECT
public:
    explicit HeadWall(QWidget* parent = nullptr);

    /// maps[layer][head] holds one value an image token. `isOneRange`: all share one range instead of each its own.
    void setMaps(std::vector<std::vector<std::vector<float>>> maps, const TokenGrid& grid, QSize image);
    void setOneRange(bool isOneRange);
    void setSampling(Sampling sampling);
    void setQuery(int token);
    void setCurrent(int layer, int head);
    int layer() const { return m_layer; }
    int head() const { return m_head; }
    int layers() const { return static_cast<int>(m_maps.size()); }
    int heads() const;
    /// Most height it may take; thumbnails shrink to fit it and the width.
    void setRoom(int height);
    QRect thumbRect(int layer, int head) const;
    /// Side of a thumbnail in so much room, and the width that all of them take with it.
    int thumbFor(int width, int room) const;
    int widthWith(int thumb) const;

    QSize sizeHint() const override;
    bool hasHeightForWidth() const override { return true; }
    int heightForWidth(int width) const override;

Q_SIGNALS:
    void picked(int layer, int head);

protected:
    void paintEvent(QPaintEvent*) override;
    void mousePressEvent(QMouseEvent*) override;
    void keyPressEvent(QKeyEvent*) override;
    void resizeEvent(QResizeEvent*) override;
    bool event(QEvent*) override;

private:
    int thumbFor(int width) const;
    QPoint cellAt(const QPoint& position) const;  ///< x layer, y head; −1 outside
    void render();

    std::vector<std::vector<std::vector<float>>> m_maps;
    std::vector<std::vector<QImage>> m_pictures;
    TokenGrid m_grid;
    QSize m_image;
    int m_layer = 0, m_head = 0, m_query = -1, m_room = 284;
    bool m_isOneRange = false;
    Sampling m_sampling = Sampling::Bilinear;
};

}  // namespace espalier::widgets
