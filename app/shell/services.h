#pragma once

#include <QUndoStack>

#include <memory>

#include "app/bridge/app_context.h"
#include "app/bridge/edits.h"
#include "app/settings/settings.h"
#include "app/shell/commands.h"

namespace espalier::app {

/// Everything the window stands on, in the order of its lives. Owned by main.cpp (and by tests). GUI thread.
class Services {
public:
    /// An empty settings file takes the user's own.
    Services(runtime::Engine& engine, std::shared_ptr<runtime::Workspace> workspace, const api::RecipeRegistry& registry,
             const QString& settingsFile = {})
        : settings(settingsFile), bridge(engine, workspace), edits(bridge, undo) {
        undo.setUndoLimit(500);
        context.engine = &engine;
        context.workspace = std::move(workspace);
        context.registry = &registry;
        context.bridge = &bridge;
        context.selection = &selection;
        context.undo = &undo;
        context.edits = &edits;
        context.settings = &settings;
        context.commands = &commands;
    }

    AppContext context;
    Settings settings;
    Commands commands;
    Selection selection;
    QUndoStack undo;
    EngineBridge bridge;
    Edits edits;
};

}  // namespace espalier::app
