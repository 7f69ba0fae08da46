// Composition root of the window: builds registry, workspace, engine, services and window, and hands each what it needs.
#include <QApplication>
#include <QCommandLineParser>
#include <QProcess>
#include <QTemporaryDir>

#include <cstdio>

#include "app/shell/figure_export.h"
#include "app/shell/main_window.h"
#include "app/shell/screenshots.h"
#include "app/shell/services.h"
#include "app/shell/single_instance.h"
#include "engine/api/recipe_modules.h"
#include "engine/base/log.h"
#include "widgets/theme/theme.h"

namespace {

int complain(const espalier::Error& error) {
    std::fprintf(stderr, "espalier: %s\n", error.sentence().c_str());
    return 1;
}

}  // namespace

int main(int argc, char** argv) {
    using namespace espalier;
    QApplication application(argc, argv);
    QApplication::setApplicationName(QStringLiteral("espalier"));
    QApplication::setApplicationVersion(QString::fromLatin1(ESPALIER_VERSION));
    QApplication::setDesktopFileName(QStringLiteral("org.espalier.Espalier"));

    QCommandLineParser parser;
    parser.setApplicationDescription(QStringLiteral("Workbench for pretraining, fine-tuning and compressing models"));
    const QCommandLineOption workspaceOption(QStringLiteral("workspace"), QStringLiteral("Folder of the workspace."), QStringLiteral("DIR"));
    const QCommandLineOption themeOption(QStringLiteral("theme"), QStringLiteral("dark, light, contrast or system."), QStringLiteral("NAME"));
    const QCommandLineOption picturesOption(QStringLiteral("screenshots"), QStringLiteral("Render every page into this folder and quit."), QStringLiteral("DIR"));
    const QCommandLineOption figureOption(QStringLiteral("figure"), QStringLiteral("Write the curves of this run to --output and quit."), QStringLiteral("RUN"));
    const QCommandLineOption formatOption(QStringLiteral("format"), QStringLiteral("Of the figure: svg, pdf or png."), QStringLiteral("F"), QStringLiteral("svg"));
    const QCommandLineOption outputOption(QStringLiteral("output"), QStringLiteral("File of the figure."), QStringLiteral("FILE"));
    parser.addOptions({workspaceOption, themeOption, picturesOption, figureOption, formatOption, outputOption});
    parser.addPositionalArgument(QStringLiteral("paths"), QStringLiteral("Data to import."), QStringLiteral("[PATH…]"));
    parser.addHelpOption();
    parser.addVersionOption();
    parser.process(application);

    api::RecipeRegistry registry;
    if (auto all = api::registerAllRecipes(registry); !all) return complain(all.error());
    const auto modules = api::loadRecipeModules(registry, api::modulePlaces(), api::programStamp());
    auto workspace = runtime::Workspace::open(runtime::Workspace::defaultFolder(parser.value(workspaceOption).toStdString()));
    if (!workspace) return complain(workspace.error());
    if (parser.isSet(figureOption)) {
        widgets::theme().install(application, widgets::Theme::kindFromName(QStringLiteral("light"), {}));
        const auto drawn = app::exportRunFigure(**workspace, parser.value(figureOption), parser.value(formatOption), parser.value(outputOption));
        return drawn ? 0 : complain(drawn.error());
    }

    // A second start of the same workspace hands its paths to the window that is there.
    app::SingleInstance single(QString::fromStdString((*workspace)->folder().string()));
    if (!parser.isSet(picturesOption)) {
        if (single.handOver(parser.positionalArguments())) return 0;
        single.listen();
    }

    // Pictures must not depend on, or change, what the user arranged.
    const bool isForPictures = parser.isSet(picturesOption);
    QTemporaryDir scratch;
    runtime::Engine engine(*workspace, registry);
    engine.setAttended(!isForPictures);
    app::Services services(engine, *workspace, registry, isForPictures ? scratch.filePath(QStringLiteral("pictures.ini")) : QString());
    services.settings.addRecentWorkspace(QString::fromStdString((*workspace)->folder().string()));
    widgets::theme().setMotionReduced(services.settings.isMotionReduced() || isForPictures);
    widgets::theme().install(application, widgets::Theme::kindFromName(parser.value(themeOption), services.settings.themeKind()));
    widgets::theme().setTextScale(isForPictures ? 1.0 : services.settings.textScale());

    app::MainWindow window(services.context);
    for (const auto& module : modules)
        if (module.error) {
            ESPALIER_LOG(Warning, "api") << module.error->sentence();
        }
    if (isForPictures) {
        const auto written = app::Screenshots(services.context, window, parser.value(picturesOption)).run();
        if (!written) return complain(written.error());
        for (const QString& name : *written) std::printf("%s\n", qUtf8Printable(name));
        return 0;
    }
    QObject::connect(&window, &app::MainWindow::workspaceRequested, &window, [&](const QString& folder) {
        QProcess::startDetached(QApplication::applicationFilePath(), {QStringLiteral("--workspace"), folder});
        window.close();
    });
    QObject::connect(&single, &app::SingleInstance::startedAgain, &window, &app::MainWindow::comeToFront);
    window.show();
    if (!parser.positionalArguments().isEmpty()) window.openPaths(parser.positionalArguments());
    return QApplication::exec();
}
