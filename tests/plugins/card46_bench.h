#pragma once

#include <QTemporaryDir>
#include <QtTest>

#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "engine/api/recipe_registry.h"
#include "engine/runtime/engine.h"
#include "engine/runtime/workspace.h"
#include "tests/support/small_images.h"

namespace espalier::tests {

/// A workspace with a small image set, an engine and models to quantize, for the tests of card 46.
class Card46Bench {
public:
    /// Empty, or why it could not be set up.
    std::string open() {
        if (auto registered = api::registerAllRecipes(m_registry); !registered) return registered.error().sentence();
        const std::filesystem::path folder = m_dir.path().toStdString();
        writeSmallImageSet(folder / "stripes", 24);
        auto opened = runtime::Workspace::open(folder / "workspace");
        if (!opened) return opened.error().sentence();
        workspace = *opened;
        engine = std::make_unique<runtime::Engine>(workspace, m_registry);
        runtime::ImportRequest import;
        import.paths = {folder / "stripes"};
        const auto job = engine->submitImport(import);
        if (!job) return job.error().sentence();
        return waitFor(*job) == feed::JobState::Completed ? std::string() : error;
    }
    std::filesystem::path folder() const { return m_dir.path().toStdString(); }

    feed::JobState waitFor(feed::JobId job, const std::function<bool()>& until = {}) {
        const bool hasCome = QTest::qWaitFor(
            [&] {
                for (auto& event : engine->events().drain())
                    if (auto* changed = std::get_if<feed::JobStateChanged>(&event)) {
                        m_states[changed->job] = changed->to;
                        if (changed->to == feed::JobState::Failed) error = changed->sentence;
                    }
                return feed::isFinal(m_states[job]) || (until && until());
            },
            240000);
        if (!hasCome) error = "the job did not get there in four minutes";
        return m_states[job];
    }

    static runtime::RunRequest request(const char* recipe, std::map<std::string, std::string> params) {
        runtime::RunRequest request;
        request.recipe = recipe;
        request.scale = api::Scale::Smoke;
        request.device = "cpu";
        request.threads = 1;
        request.seed = 3;
        request.params = std::move(params);
        return request;
    }
    /// Runs to the end; the run's id, or empty with `error` set.
    std::string run(const runtime::RunRequest& wanted) {
        const auto job = engine->submit(wanted);
        if (!job) {
            error = job.error().sentence();
            return {};
        }
        const auto id = workspace->runs()->front().id;
        return waitFor(*job) == feed::JobState::Completed ? id : std::string();
    }
    std::string train(const std::string& variant) {
        auto wanted = request("70-compact-transformers", {{"variant", variant}});
        wanted.dataset = workspace->datasets()->front().id;
        return run(wanted);
    }

    std::shared_ptr<runtime::Workspace> workspace;
    std::unique_ptr<runtime::Engine> engine;
    std::string error;

private:
    QTemporaryDir m_dir;
    api::RecipeRegistry m_registry;
    std::map<feed::JobId, feed::JobState> m_states;
};

}  // namespace espalier::tests
