#pragma once

#include <vector>

#include "widgets/plot/chart_scene.h"

class QCPAxis;
class QCPPainter;

namespace espalier::widgets {

/// Event ticks, dotted verticals with a word, broken values, best checkpoint, claim and the unit of x.
void paintMarks(QCPPainter& painter, const QRect& area, const ChartScene& scene, const QCPAxis& x, const QCPAxis& y);
/// Cursor line, dots on the lines, x value on the axis, rubber band of a zoom.
void paintCursor(QCPPainter& painter, const QRect& area, const ChartScene& scene, const QCPAxis& x, const QCPAxis& y);

/// Left end of a text of `width` px that ends at `right` or, where one of `taken` stands in its way, left of it.
double freeLeftOf(double right, double width, std::vector<double> taken);

/// Word for a mark that has no text of its own ("resume", "mixup off").
QString markWord(const feed::RunMark& mark);
/// Marks with a dotted vertical of their own; the others get a tick only.
bool isTurningPoint(const feed::RunMark& mark);

}  // namespace espalier::widgets
