#pragma once

#include <QTemporaryDir>
#include <QtTest>

#include <memory>

#include "app/shell/services.h"
#include "engine/runtime/engine.h"
#include "widgets/theme/theme.h"

namespace espalier::tests {

/// A workspace with its engine and, one at a time, a page over them, as the window sets one up. `open` starts the
/// services anew, as a restart of the program does.
template <typename PageType>
class PageFixture {
public:
    QTemporaryDir folder;
    api::RecipeRegistry registry;
    std::shared_ptr<runtime::Workspace> workspace;
    std::unique_ptr<runtime::Engine> engine;
    std::unique_ptr<app::Services> services;
    std::unique_ptr<PageType> page;

    /// False with a failed test when the workspace cannot be made.
    bool start() {
        widgets::theme().install(*qApp, widgets::ThemeKind::Dark);
        auto made = runtime::Workspace::open(folder.filePath(QStringLiteral("workspace")).toStdString());
        if (!made) qWarning("%s", made.error().sentence().c_str());
        if (!made) return false;
        workspace = *made;
        engine = std::make_unique<runtime::Engine>(workspace, registry);
        return true;
    }
    void stop() {
        page.reset();
        services.reset();
        engine.reset();
    }
    void open(const std::string& run, QSize size = {920, 734}) {
        page.reset();
        services = std::make_unique<app::Services>(*engine, workspace, registry, folder.filePath(QStringLiteral("settings.ini")));
        QTRY_VERIFY(services->bridge.isSettled());
        services->selection.setCurrentRun(QString::fromStdString(run));
        page = std::make_unique<PageType>(services->context);
        page->resize(size);
        page->show();
        page->activated();
        settle();
    }
    void settle() {
        QTRY_VERIFY_WITH_TIMEOUT(page->isSettled() && services->bridge.isSettled(), 20000);
        // What came in last is laid out by posted events, each of which may post one for the widgets inside.
        for (int level = 0; level < 5; ++level) QCoreApplication::processEvents();
        QTRY_VERIFY_WITH_TIMEOUT(page->isSettled() && services->bridge.isSettled(), 20000);
    }
    /// Pictures of the page in two themes where ESPALIER_PICTURES names a folder, for looking at them.
    void picture(const QString& name) {
        const QString into = qEnvironmentVariable("ESPALIER_PICTURES");
        if (into.isEmpty()) return;
        for (const widgets::ThemeKind kind : {widgets::ThemeKind::Dark, widgets::ThemeKind::Light}) {
            widgets::theme().setKind(kind);
            settle();
            QTest::qWait(60);
            page->grab().save(QStringLiteral("%1/%2-%3-%4.png").arg(into, name).arg(page->width()).arg(widgets::Theme::kindName(kind)));
        }
        widgets::theme().setKind(widgets::ThemeKind::Dark);
    }
};

}  // namespace espalier::tests
