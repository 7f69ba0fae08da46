#pragma once

#include <QImage>
#include <QSize>
#include <QString>
#include <QVector>

#include <functional>

#include "engine/base/result.h"

class QPainter;
class QWidget;

namespace espalier::widgets {

class LossChart;

/// A picture that can be written in every format: painted on paper, its numbers as CSV.
struct Figure {
    QString title;
    QSize size;                                    ///< px at 100 %
    std::function<void(QPainter&, bool isVector)> paint;
    std::function<QByteArray()> csv;               ///< at full precision; none: CSV is refused
};

/// The suffix picks the format: .png (two pixels for one), .svg and .pdf (text as text), .csv. Written whole or not at
/// all.
Result<void> writeFigure(const Figure& figure, const QString& path);
/// Asks where to write a figure; an absent suffix becomes that of the chosen format. Empty when cancelled.
QString askFigurePath(QWidget* parent, const QString& suggestedName);
/// A picture for the clipboard, two pixels for one.
QImage figureImage(const Figure& figure);
/// One field of a CSV line, quoted where it must be.
QString csvField(const QString& text);

/// Charts as one figure, `columns` side by side, in paper colours whatever the theme. The suffix picks the format:
/// .png (two pixels for one), .svg and .pdf (text as text), .csv (every point at full precision).
Result<void> exportCharts(const QVector<LossChart*>& charts, int columns, const QString& path);
/// Size of that figure in px at 100 %.
QSize figureSize(const QVector<LossChart*>& charts, int columns);
/// Asks for a file and exports; the sentence of a failure goes to `failed`. Returns the path, empty when cancelled.
QString askAndExport(QWidget* parent, const QVector<LossChart*>& charts, int columns, const QString& suggestedName,
                     Error* failed);

}  // namespace espalier::widgets
