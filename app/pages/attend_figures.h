#pragma once

#include <QImage>
#include <QString>

#include <vector>

#include "app/pages/attend_data.h"
#include "widgets/heatmap/heat_image.h"
#include "widgets/plot/chart_export.h"

/// Maps of the Attend page as figures for a paper. Plain values in, so a figure is what was shown when it was made.
namespace espalier::app {

/// One map over its image.
struct MapPicture {
    QString title, caption;
    QString queryName;          ///< "r 5, c 9"; empty where no token asks
    QImage overlay;             ///< as on screen, whole multiple of the image
    std::vector<float> weights;
    widgets::TokenGrid grid;
    widgets::HeatRange range;
};

widgets::Figure mapFigure(MapPicture picture);
/// Every head's map of one query, layers across and heads down, each in its own range unless `isOneRange`.
widgets::Figure wallFigure(const ProbeMaps& maps, const widgets::TokenGrid& grid, QSize image, int query, bool isReceived, bool isOneRange, const QString& title,
                           const QString& caption);

}  // namespace espalier::app
