#pragma once

#include "widgets/plot/chart_scene.h"

class QCPAxis;
class QCPPainter;

namespace espalier::widgets {

/// Event ticks, dotted verticals with a word, broken values, best checkpoint, claim and the unit of x.
void paintMarks(QCPPainter& painter, const QRect& area, const ChartScene& scene, const QCPAxis& x, const QCPAxis& y);
/// Cursor line, dots on the lines, x value on the axis, rubber band of a zoom.
void paintCursor(QCPPainter& painter, const QRect& area, const ChartScene& scene, const QCPAxis& x, const QCPAxis& y);

/// Word for a mark that has no text of its own ("resume", "mixup off").
QString markWord(const feed::RunMark& mark);
/// Marks with a dotted vertical of their own; the others get a tick only.
bool isTurningPoint(const feed::RunMark& mark);

}  // namespace espalier::widgets
