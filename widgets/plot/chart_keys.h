#pragma once

#include <QString>
#include <QVector>

namespace espalier::widgets {

/// One line of a list of keys: "[ and ]", "less or more smoothing".
struct KeyHelp {
    QString keys, words;
};

/// What LossChart, painted charts and lanes answer to; the keys themselves are handled in chart_input.cpp,
/// painted_chart_input.cpp and layer_lanes.cpp.
QVector<KeyHelp> chartKeys();

}  // namespace espalier::widgets
