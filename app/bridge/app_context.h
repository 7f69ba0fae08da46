#pragma once

#include <QUndoStack>

#include <memory>

#include "app/bridge/engine_bridge.h"
#include "app/bridge/selection.h"
#include "engine/runtime/engine.h"

namespace espalier::app {

class Edits;
class Settings;
class ErrorPresenter;
class Commands;

/// What every page is handed: pointers to things that outlive it. Built in main.cpp and by MainWindow.
struct AppContext {
    runtime::Engine* engine = nullptr;
    std::shared_ptr<runtime::Workspace> workspace;
    const api::RecipeRegistry* registry = nullptr;
    EngineBridge* bridge = nullptr;
    Selection* selection = nullptr;
    QUndoStack* undo = nullptr;
    Edits* edits = nullptr;           ///< app/bridge/edits.h: rename, tag, note, trash; every edit can be undone
    Settings* settings = nullptr;     ///< app/settings/settings.h
    ErrorPresenter* errors = nullptr; ///< app/shell/error_presenter.h: show(Error), toast(text); never modal
    Commands* commands = nullptr;     ///< app/shell/commands.h: newRun(…), importPaths(…), openPage(…), chooseFile(…)
};

}  // namespace espalier::app
