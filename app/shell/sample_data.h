#pragma once

#include <QString>

namespace espalier::app {

/// Path of a file of resources/samples: installed beside the program, or in the source tree it was built from.
/// Empty when it is nowhere.
QString sampleFile(const QString& name);

}  // namespace espalier::app
