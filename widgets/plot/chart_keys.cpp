#include "widgets/plot/chart_keys.h"

#include <QCoreApplication>

namespace espalier::widgets {

namespace {
QString tr(const char* words) { return QCoreApplication::translate("ChartKeys", words); }
}  // namespace

QVector<KeyHelp> chartKeys() {
    return {{tr("Left, Right"), tr("cursor by one pixel; with Shift by ten")},
            {tr("PgUp, PgDown"), tr("cursor by a tenth of the chart")},
            {tr("Home, End"), tr("cursor to the first or last point")},
            {tr("+, −"), tr("zoom in or out")},
            {tr("Backspace"), tr("zoom back")},
            {tr("0"), tr("reset the zoom")},
            {tr("L"), tr("log scale on y")},
            {tr("Shift+L"), tr("log scale on x")},
            {tr("[, ]"), tr("less or more smoothing")},
            {tr("Ctrl+C"), tr("copy the values at the cursor")},
            {tr("Esc"), tr("put the cursor away")},
            {tr("Menu"), tr("menu of the chart: copy, export, show all")},
            {tr("Space, Enter in the legend"), tr("hide a line, or show it alone")}};
}

}  // namespace espalier::widgets
