#pragma once

#include <QColor>
#include <QPen>
#include <QVector>

#include <array>

#include "widgets/theme/theme.h"

namespace espalier::widgets {

/// The colours one picture of a chart is painted with: those of the theme on screen, the light ones on paper, so that
/// an exported figure is the same whatever theme it was exported from.
struct ChartLook {
    std::array<QColor, kColorCount> colors;
    std::array<QColor, 8> runs;
    bool isPaper = false;

    static ChartLook ofTheme();
    static ChartLook forPaper();

    QColor color(Color role) const { return colors[static_cast<std::size_t>(role)]; }
    QColor color(Color role, qreal alpha) const;
    QPen line(Color role, qreal width = 1.0) const;
    QColor runColor(int index) const;
    /// Dash in pixels for runs beyond the eighth; empty = solid.
    QVector<qreal> runDash(int index) const { return theme().runDash(index); }
};

/// QPen dash patterns are in pen widths; ours are in pixels.
void setDash(QPen& pen, QVector<qreal> pixels);

}  // namespace espalier::widgets
