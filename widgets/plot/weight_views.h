#pragma once

#include <utility>
#include <vector>

#include "widgets/plot/painted_chart.h"

namespace espalier::widgets {

/// Histogram of a layer's weights with the quantizer's grid as ticks at its foot; weights beyond the grid's ends are
/// shaded with their share. GUI thread.
class WeightHistogram : public PaintedChart {
    Q_OBJECT
public:
    explicit WeightHistogram(QWidget* parent = nullptr);
    /// Left ends of equal bins and their counts.
    void setBins(std::vector<double> lefts, std::vector<double> counts);
    void setGrid(std::vector<double> levels, const QString& method);
    const std::vector<double>& levels() const { return m_levels; }
    /// Share of the weights below and above the grid, by whole bins; 0 without a grid.
    std::pair<double, double> clippedShares() const;
    ReadoutBox::Content readoutAt(const QPoint& position) const override;
    QString csv() const override;
    QSize sizeHint() const override { return {260, 150}; }
    QSize minimumSizeHint() const override { return {160, 90}; }

protected:
    bool hasData() const override { return m_lefts.size() > 1; }
    ChartView fullView() const override;
    void paintPlot(QPainter& painter, const ChartFrame& frame) const override;
    QMargins margins() const override { return {4, 4, 4, 20}; }
    bool canLogX() const override { return false; }

private:
    double binWidth() const { return m_lefts.size() > 1 ? m_lefts[1] - m_lefts[0] : 1; }
    std::vector<double> m_lefts, m_counts, m_levels;
    QString m_method;  ///< for the colour of its grid
};

/// How far calibration moved weights from their nearest level, against their size: levels are whole numbers, so points
/// are spread a little around them by a fixed pattern. GUI thread.
class ShiftScatter : public PaintedChart {
    Q_OBJECT
public:
    explicit ShiftScatter(QWidget* parent = nullptr);
    void setPoints(std::vector<double> sizes, std::vector<double> shifts, const QString& method);
    ReadoutBox::Content readoutAt(const QPoint& position) const override;
    QString csv() const override;
    QSize sizeHint() const override { return {260, 150}; }
    QSize minimumSizeHint() const override { return {160, 90}; }

protected:
    bool hasData() const override { return !m_sizes.empty(); }
    ChartView fullView() const override;
    void paintPlot(QPainter& painter, const ChartFrame& frame) const override;
    QMargins margins() const override { return {28, 4, 4, 20}; }
    bool canLogY() const override { return false; }  // levels have signs

private:
    std::vector<double> m_sizes, m_shifts;
    QString m_method;
};

}  // namespace espalier::widgets
