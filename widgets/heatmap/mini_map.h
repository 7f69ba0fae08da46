#pragma once

#include <QImage>
#include <QWidget>

#include <vector>

#include "widgets/heatmap/heat_image.h"

namespace espalier::widgets {

/// One small map with its title above and its range below. Without values it says why. A click asks the page to show
/// this read-out large. GUI thread.
class MiniMap : public QWidget {
    Q_OBJECT
public:
    explicit MiniMap(const QString& title, QWidget* parent = nullptr);
    void setTitle(const QString& title);
    void setMap(std::vector<float> values, const TokenGrid& grid, QSize image, const HeatRange& range);
    void setMissing(const QString& reason);
    void setSampling(Sampling sampling);
    void setMaxSide(int side);
    void setCurrent(bool isCurrent);  ///< this read-out is the large one
    bool isEmpty() const { return m_values.empty(); }
    QRect mapRect() const;

    QSize sizeHint() const override;
    QSize minimumSizeHint() const override { return {64, 64 + 34}; }
    bool hasHeightForWidth() const override { return true; }
    int heightForWidth(int width) const override;

Q_SIGNALS:
    void clicked();

protected:
    void paintEvent(QPaintEvent*) override;
    void mousePressEvent(QMouseEvent*) override;
    void keyPressEvent(QKeyEvent*) override;

private:
    QString m_title, m_missing;
    std::vector<float> m_values;
    TokenGrid m_grid;
    QSize m_image;
    HeatRange m_range;
    int m_maxSide = 132;
    bool m_isCurrent = false;
    Sampling m_sampling = Sampling::Bilinear;
};

}  // namespace espalier::widgets
