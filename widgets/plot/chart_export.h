#pragma once

#include <QSize>
#include <QString>
#include <QVector>

#include "engine/base/result.h"

class QWidget;

namespace espalier::widgets {

class LossChart;

/// Charts as one figure, `columns` side by side, in paper colours whatever the theme. The suffix picks the format:
/// .png (two pixels for one), .svg and .pdf (text as text), .csv (every point at full precision).
Result<void> exportCharts(const QVector<LossChart*>& charts, int columns, const QString& path);
/// Size of that figure in px at 100 %.
QSize figureSize(const QVector<LossChart*>& charts, int columns);
/// Asks for a file and exports; the sentence of a failure goes to `failed`. Returns the path, empty when cancelled.
QString askAndExport(QWidget* parent, const QVector<LossChart*>& charts, int columns, const QString& suggestedName,
                     Error* failed);

}  // namespace espalier::widgets
