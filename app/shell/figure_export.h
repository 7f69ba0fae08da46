#pragma once

#include <QString>

#include "engine/base/result.h"
#include "engine/runtime/workspace.h"

namespace espalier::app {

/// Loss and top-1 curves of one run as a figure, without a window: what `espalier-cli export --what figure` calls.
/// `format` is svg, pdf or png. GUI thread.
Result<void> exportRunFigure(runtime::Workspace& workspace, const QString& runText, const QString& format, const QString& path);

}  // namespace espalier::app
