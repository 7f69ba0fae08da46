#pragma once

#include <QApplication>
#include <QTemporaryDir>
#include <QTest>

#include <map>
#include <memory>
#include <string>

#include "app/shell/jobs_dock.h"
#include "app/shell/main_window.h"
#include "app/shell/services.h"
#include "tests/support/fake_recipe.h"
#include "widgets/theme/theme.h"

namespace espalier::tests {

/// The whole window over a real engine and a workspace of its own, with the recipe that does on command what goes
/// wrong in life.
class LiveWindow {
public:
    explicit LiveWindow(bool isRealRegistry = false) {
        widgets::theme().install(*qApp, widgets::ThemeKind::Dark);
        auto added = FakeRecipe::addTo(registry);
        if (!added) qFatal("%s", added.error().sentence().c_str());
        if (isRealRegistry)
            if (auto all = api::registerAllRecipes(registry); !all) qFatal("%s", all.error().sentence().c_str());
        auto opened = runtime::Workspace::open(folder.filePath(QStringLiteral("workspace")).toStdString());
        if (!opened) qFatal("%s", opened.error().sentence().c_str());
        workspace = *opened;
        engine = std::make_unique<runtime::Engine>(workspace, registry);
        engine->setAttended(true);
        open();
    }
    ~LiveWindow() {
        window.reset();
        services.reset();
        engine.reset();
    }
    void open() {
        services = std::make_unique<app::Services>(*engine, workspace, registry, folder.filePath(QStringLiteral("settings.ini")));
        window = std::make_unique<app::MainWindow>(services->context);
        window->show();
        if (!QTest::qWaitForWindowExposed(window.get())) qFatal("no window");
        window->activateWindow();
        QApplication::setActiveWindow(window.get());
        if (!QTest::qWaitFor([this] { return window->isSettled(); }, 10000)) qFatal("the window does not settle");
    }
    /// As after a restart of the program.
    void reopen() {
        window->close();
        window.reset();
        services.reset();
        open();
    }
    feed::JobId start(const std::map<std::string, std::string>& params, const std::string& name = {}) {
        runtime::RunRequest request;
        request.recipe = "900";
        request.params = params;
        request.name = name;
        request.threads = 1;
        const auto job = engine->submit(request);
        if (!job) qFatal("%s", job.error().sentence().c_str());
        return *job;
    }
    const app::JobRow* row(feed::JobId job) const { return services->bridge.jobs().find(job); }
    bool waitFor(feed::JobId job, feed::JobState state, int ms = 20000) {
        return QTest::qWaitFor([&] { return row(job) && row(job)->state == state; }, ms);
    }
    void stopAll() {
        for (const app::JobRow& job : services->bridge.jobs().rows())
            if (!feed::isFinal(job.state)) engine->stop(job.id);
        if (!QTest::qWaitFor([this] { return engine->isIdle(); }, 20000)) qFatal("a job does not end");
    }

    QTemporaryDir folder;
    api::RecipeRegistry registry;
    std::shared_ptr<runtime::Workspace> workspace;
    std::unique_ptr<runtime::Engine> engine;
    std::unique_ptr<app::Services> services;
    std::unique_ptr<app::MainWindow> window;
};

}  // namespace espalier::tests
