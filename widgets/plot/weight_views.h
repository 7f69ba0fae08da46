#pragma once

#include <QWidget>

#include <utility>
#include <vector>

namespace espalier::widgets {

/// Histogram of a layer's weights with the quantizer's grid as ticks at its foot; weights beyond the grid's ends are
/// shaded with their share. GUI thread.
class WeightHistogram : public QWidget {
    Q_OBJECT
public:
    explicit WeightHistogram(QWidget* parent = nullptr);
    /// Left ends of equal bins and their counts.
    void setBins(std::vector<double> lefts, std::vector<double> counts);
    void setGrid(std::vector<double> levels, const QColor& color);
    void setEmptyText(const QString& text);
    /// Share of the weights below and above the grid, by whole bins; 0 without a grid.
    std::pair<double, double> clippedShares() const;
    QSize sizeHint() const override { return {260, 150}; }
    QSize minimumSizeHint() const override { return {160, 90}; }

protected:
    void paintEvent(QPaintEvent*) override;

private:
    double width0() const { return m_lefts.size() > 1 ? m_lefts[1] - m_lefts[0] : 1; }
    std::vector<double> m_lefts, m_counts, m_levels;
    QColor m_gridColor;
    QString m_emptyText;
};

/// How far calibration moved weights from their nearest level, against their size: levels are whole numbers, so points
/// are spread a little around them by a fixed pattern. GUI thread.
class ShiftScatter : public QWidget {
    Q_OBJECT
public:
    explicit ShiftScatter(QWidget* parent = nullptr);
    void setPoints(std::vector<double> sizes, std::vector<double> shifts, const QColor& color);
    void setEmptyText(const QString& text);
    QSize sizeHint() const override { return {260, 150}; }
    QSize minimumSizeHint() const override { return {160, 90}; }

protected:
    void paintEvent(QPaintEvent*) override;

private:
    std::vector<double> m_sizes, m_shifts;
    QColor m_color;
    QString m_emptyText;
};

}  // namespace espalier::widgets
