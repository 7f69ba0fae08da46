#pragma once

#include <QLineEdit>
#include <QTemporaryDir>
#include <QtTest>

#include <memory>

#include "app/pages/new_run_card.h"
#include "app/pages/new_run_dialog.h"
#include "app/pages/new_run_form.h"
#include "app/pages/new_run_target.h"
#include "app/shell/services.h"
#include "engine/runtime/engine.h"
#include "widgets/controls/key_value_list.h"
#include "widgets/controls/segmented_control.h"
#include "widgets/theme/theme.h"

namespace espalier::tests {

inline constexpr int kNewRunImportMs = 20000;
inline constexpr int kNewRunForecastMs = 8000;

/// The New-run window over the real engine, the real recipes and a small generated data set; values come by keys and
/// clicks. A test class derives from it.
class NewRunWindow {
protected:
    using KeyValue = widgets::KeyValue;
    using KeyValueList = widgets::KeyValueList;
    using NewRunDialog = app::NewRunDialog;
    using ParamField = app::ParamField;
    using SegmentedControl = widgets::SegmentedControl;
    using Services = app::Services;

    api::RecipeRegistry m_registry;
    QTemporaryDir m_folder;
    std::shared_ptr<runtime::Workspace> m_workspace;
    std::unique_ptr<runtime::Engine> m_engine;
    std::unique_ptr<Services> m_services;
    std::unique_ptr<QWidget> m_window;
    std::unique_ptr<NewRunDialog> m_dialog;
    QString m_dataset;

    void start() {
        widgets::theme().install(*qApp, widgets::ThemeKind::Dark);
        QVERIFY(api::registerAllRecipes(m_registry));
        auto workspace = runtime::Workspace::open(m_folder.filePath(QStringLiteral("workspace")).toStdString());
        if (!workspace) QFAIL(workspace.error().sentence().c_str());
        m_workspace = *workspace;
        m_engine = std::make_unique<runtime::Engine>(m_workspace, m_registry);
        m_services = std::make_unique<Services>(*m_engine, m_workspace, m_registry, m_folder.filePath(QStringLiteral("settings.ini")));
        runtime::ImportRequest request;
        request.paths = {"shapes32:0:64:16"};
        request.format = "generator";
        request.name = "shapes";
        const auto job = m_engine->submitImport(request);
        if (!job) QFAIL(job.error().sentence().c_str());
        QTRY_COMPARE_WITH_TIMEOUT(m_services->bridge.datasets().rowCount(), 1, kNewRunImportMs);
        m_dataset = QString::fromStdString(m_services->bridge.datasets().at(0)->id);
    }
    void stop() {
        m_dialog.reset();
        m_services.reset();
        m_engine.reset();
    }
    void open(const QString& recipe = QStringLiteral("70"), const QString& parentRun = {}, QSize size = {1440, 900}) {
        m_dialog.reset();
        m_window = std::make_unique<QWidget>();
        m_window->resize(size);
        m_window->show();
        m_dialog = std::make_unique<NewRunDialog>(m_services->context, m_window.get());
        m_dialog->preset(recipe, m_dataset, parentRun);
        m_dialog->show();
        QVERIFY(QTest::qWaitForWindowExposed(m_dialog.get()));
        settle();
    }
    void settle() { QTRY_VERIFY_WITH_TIMEOUT(m_dialog->isSettled(), kNewRunForecastMs); }
    ParamField* field(const char* key) const { return m_dialog->form()->field(QString::fromLatin1(key)); }
    void type(const char* key, const char* words) {
        auto* line = qobject_cast<QLineEdit*>(field(key)->editor());
        QVERIFY(line);
        line->setFocus();
        line->selectAll();
        QTest::keyClicks(line, QString::fromLatin1(words));
    }
    void typeSeeds(const QString& words) {
        auto* line = qobject_cast<QLineEdit*>(m_dialog->target()->seedRow()->editor());
        line->selectAll();
        QTest::keyClicks(line, words);
    }
    void clickScale(int index) {
        SegmentedControl* scale = m_dialog->scaleControl();
        QTest::mouseClick(scale, Qt::LeftButton, {}, scale->segmentRect(index).center());
        settle();
    }
    static QString valueOf(const KeyValueList* list, const QString& key) {
        for (const KeyValue& row : list->rows())
            if (row.key == key) return row.value;
        return QStringLiteral("no such row");
    }
    std::vector<feed::RunInfo> runs() const {
        auto runs = m_workspace->runs();
        return runs ? *runs : std::vector<feed::RunInfo>{};
    }
};

}  // namespace espalier::tests
