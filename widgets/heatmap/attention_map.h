#pragma once

#include <QImage>
#include <QWidget>

#include <vector>

#include "widgets/heatmap/heat_image.h"

namespace espalier::widgets {

/// The large map: an image at an integer multiple with token weights over it. A click chooses the query token under
/// the mouse, the arrows move it; its receptive field is drawn. GUI thread.
class AttentionMap : public QWidget {
    Q_OBJECT
public:
    explicit AttentionMap(QWidget* parent = nullptr);

    void setImage(const QImage& image, const TokenGrid& grid);
    /// One value an image token; empty: the image alone.
    void setValues(std::vector<float> values, const HeatRange& range);
    void setQuery(int token);  ///< −1 = none (the class token asks)
    int query() const { return m_query; }
    void setOpacity(double opacity);
    double opacity() const { return m_opacity; }
    void setSampling(Sampling sampling);
    void setOverlayVisible(bool isVisible);
    void setGridVisible(bool isVisible);
    /// The side the map may take; the image is drawn at the largest integer multiple that fits.
    void setSide(int side);
    const TokenGrid& grid() const { return m_grid; }
    double scale() const { return m_scale; }
    /// Where the image lies in this widget, and the picture as shown.
    QRect imageRect() const;
    QImage picture(double pixelRatio = 1) const;
    /// Widget position of a token's centre.
    QPointF positionOf(int token) const;

    QSize sizeHint() const override { return {m_side, m_side}; }

Q_SIGNALS:
    void queryPicked(int token);
    void hovered(int token, double weight);  ///< −1 when the mouse left

protected:
    void paintEvent(QPaintEvent*) override;
    void mousePressEvent(QMouseEvent*) override;
    void mouseMoveEvent(QMouseEvent*) override;
    void leaveEvent(QEvent*) override;
    void keyPressEvent(QKeyEvent*) override;

private:
    int tokenAt(const QPointF& position) const;
    void pick(int token);
    void paintQuery(QPainter& painter) const;
    void drop() { m_cache = {}; update(); }

    QImage m_image;
    TokenGrid m_grid;
    std::vector<float> m_values;
    HeatRange m_range;
    int m_query = -1, m_side = 384;
    double m_opacity = 0.62, m_scale = 1;
    Sampling m_sampling = Sampling::Nearest;
    bool m_isOverlayVisible = true, m_isGridVisible = false;
    mutable QImage m_cache;
};

/// White line of 1.5 px on black of 3 px at 55 %: marks over images and maps.
void paintMarkPath(QPainter& painter, const QPainterPath& path);

}  // namespace espalier::widgets
