#include "app/cli/session.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <map>
#include <set>
#include <thread>

#include <unistd.h>

namespace espalier::cli {
namespace {

std::atomic<int> g_stopRequests{0};
void noteStop(int) { g_stopRequests.fetch_add(1); }

constexpr auto kPollInterval = std::chrono::milliseconds(20);

/// Progress for people: one line rewritten on a terminal, otherwise a line every ten seconds.
class ProgressLine {
public:
    void show(const feed::JobProgress& progress) {
        const bool isTerminal = ::isatty(STDERR_FILENO) != 0;
        const auto now = std::chrono::steady_clock::now();
        const auto pause = isTerminal ? std::chrono::milliseconds(100) : std::chrono::milliseconds(10000);
        if (m_hasShown && now - m_lastShown < pause && progress.done != progress.total) return;
        if (!isTerminal && m_hasShown && now - m_lastShown < std::chrono::milliseconds(10000)) return;
        m_lastShown = now;
        m_hasShown = true;
        std::string line = progress.stage;
        if (progress.total > 0)
            line += "  " + withThousands(progress.done) + " / " + withThousands(progress.total);
        if (progress.rate > 0) line += "  " + shortNumber(std::round(progress.rate * 10) / 10) + " " + progress.rateUnit;
        if (progress.secsLeft >= 0) line += "  " + durationText(progress.secsLeft) + " left";
        if (isTerminal) std::fprintf(stderr, "\r\033[K%s", line.c_str());
        else std::fprintf(stderr, "%s\n", line.c_str());
        std::fflush(stderr);
        m_isOpen = isTerminal;
    }
    void endLine() {
        if (m_isOpen) std::fprintf(stderr, "\r\033[K");
        m_isOpen = false;
    }

private:
    std::chrono::steady_clock::time_point m_lastShown;
    bool m_hasShown = false, m_isOpen = false;
};

/// Turns engine events into lines.
class Follower {
public:
    Follower(Session& session, runtime::Engine& engine, const std::vector<feed::JobId>& jobs)
        : m_session(session), m_engine(engine), m_open(jobs.begin(), jobs.end()) {}

    int run() {
        int requestsSeen = 0;
        while (!m_open.empty()) {
            if (const int requests = stopRequests(); requests > requestsSeen) {
                requestsSeen = requests;
                for (const auto job : m_open) m_engine.stop(job);
                if (!m_session.isJson()) std::fprintf(stderr, "\nStopping after this step…\n");
            }
            drain();
            if (!m_open.empty()) std::this_thread::sleep_for(kPollInterval);
        }
        drain();
        m_line.endLine();
        return m_exitCode;
    }

private:
    void drain() {
        for (const auto& event : m_engine.events().drain())
            std::visit([this](const auto& each) { handle(each); }, event);
        for (const auto& batch : m_engine.metrics().drain()) handleMetrics(batch);
    }

    void emit(nlohmann::ordered_json object) {
        if (m_session.isJson()) printJson(object);
    }

    void handleMetrics(const feed::MetricBatch& batch) {
        if (!m_session.isJson()) return;
        for (const auto& point : batch.points)
            emit({{"event", "metric"},
                  {"run", batch.runId},
                  {"series", m_seriesNames[{batch.runId, point.series}]},
                  {"step", point.step},
                  {"wall_secs", point.wallSecs},
                  {"value", numberJson(point.value)}});
    }

    void handle(const feed::SeriesAdded& added) { m_seriesNames[{added.runId, added.series}] = added.name; }
    void handle(const feed::JobProgress& progress) {
        if (m_session.isJson()) return;
        m_line.show(progress);
    }
    void handle(const feed::RunWarned& warned) {
        auto object = warningJson(warned.warning);
        object["event"] = "warning";
        object["run"] = warned.runId;
        emit(object);
        if (m_session.isJson()) return;
        m_line.endLine();
        std::fprintf(stderr, "warning: %s%s%s\n", warned.warning.file.c_str(), warned.warning.file.empty() ? "" : ": ",
                     warned.warning.detail.c_str());
    }
    void handle(const feed::ArtifactWritten& artifact) {
        emit({{"event", "artifact"},
              {"run", artifact.runId},
              {"name", artifact.name},
              {"path", artifact.path},
              {"bytes", artifact.bytes}});
    }
    void handle(const feed::JobStateChanged& change) {
        emit({{"event", "state"},
              {"run", change.runId},
              {"from", feed::jobStateName(change.from)},
              {"to", feed::jobStateName(change.to)},
              {"detail", change.sentence}});
        if (!feed::isFinal(change.to) || m_open.erase(change.job) == 0) return;
        drainMetricsBeforeEnd();
        if (change.to == feed::JobState::Failed) {
            m_exitCode = kFailed;
            std::fprintf(stderr, "espalier-cli: %s\n", change.sentence.c_str());
            if (m_session.isJson()) emit(errorJson(change.error));
        } else if (change.to != feed::JobState::Completed && m_exitCode == kDone) {
            m_exitCode = kResumable;
        }
        printEnd(change);
    }
    template <class Other>
    void handle(const Other&) {}

    void drainMetricsBeforeEnd() {
        for (const auto& batch : m_engine.metrics().drain()) handleMetrics(batch);
    }

    void printEnd(const feed::JobStateChanged& change) {
        if (change.runId.empty()) return;
        const auto run = m_engine.workspace().run(change.runId);
        emit({{"event", "end"},
              {"run", change.runId},
              {"name", run ? run->name : ""},
              {"state", feed::jobStateName(change.to)},
              {"summary", run ? summaryJson(*run) : nlohmann::ordered_json::object()}});
        if (m_session.isJson() || !run) return;
        m_line.endLine();
        std::printf("%s  %s  %s", run->id.c_str(), run->name.c_str(), feed::jobStateName(change.to));
        for (const auto* key : {"test/top1", "valid/top1", "train/loss"})
            if (const auto found = run->summary.find(key); found != run->summary.end())
                std::printf("  %s %s", key, shortNumber(found->second.last).c_str());
        std::printf("  %s\n", durationText(run->activeSecs).c_str());
    }

    Session& m_session;
    runtime::Engine& m_engine;
    std::set<feed::JobId> m_open;
    std::map<std::pair<std::string, std::uint32_t>, std::string> m_seriesNames;
    ProgressLine m_line;
    int m_exitCode = kDone;
};

}  // namespace

std::vector<std::string> takeGlobalFlags(int argc, char** argv, std::string& workspace, bool& isJson) {
    std::vector<std::string> words;
    bool isLiteral = false;
    for (int i = 1; i < argc; ++i) {
        const std::string word = argv[i];
        if (word == "--") isLiteral = true;
        if (!isLiteral && word == "--json") isJson = true;
        else if (!isLiteral && word == "--workspace" && i + 1 < argc) workspace = argv[++i];
        else if (!isLiteral && word.rfind("--workspace=", 0) == 0) workspace = word.substr(12);
        else words.push_back(word);
    }
    std::reverse(words.begin(), words.end());
    return words;
}

void installStopSignals() {
    struct sigaction action {};
    action.sa_handler = noteStop;
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaction(signal, &action, nullptr);
}

int stopRequests() { return g_stopRequests.load(); }

Result<std::shared_ptr<runtime::Workspace>> Session::workspace() {
    if (!m_workspace) {
        ESPALIER_TRY(m_workspace, runtime::Workspace::open(runtime::Workspace::defaultFolder(m_workspaceFlag)));
    }
    return m_workspace;
}

Result<api::RecipeRegistry*> Session::registry() {
    if (!m_registry) {
        auto created = std::make_unique<api::RecipeRegistry>();
        ESPALIER_CHECK_OK(api::registerAllRecipes(*created));
        m_modules = api::loadRecipeModules(*created, api::modulePlaces(), api::programStamp());
        for (const auto& module : m_modules)
            if (module.error) std::fprintf(stderr, "warning: %s\n", module.error->sentence().c_str());
        m_registry = std::move(created);
    }
    return m_registry.get();
}

Result<runtime::Engine*> Session::engine() {
    if (!m_engine) {
        ESPALIER_TRY(auto opened, workspace());
        ESPALIER_TRY(auto* recipes, registry());
        m_engine = std::make_unique<runtime::Engine>(opened, *recipes);
    }
    return m_engine.get();
}

int followJobs(Session& session, runtime::Engine& engine, const std::vector<feed::JobId>& jobs) {
    return Follower(session, engine, jobs).run();
}

Result<feed::DatasetSummary> followImport(Session& session, runtime::Engine& engine, feed::JobId job) {
    ProgressLine line;
    std::shared_ptr<const feed::DatasetSummary> summary;
    int requestsSeen = 0;
    for (;;) {
        if (const int requests = stopRequests(); requests > requestsSeen) {
            requestsSeen = requests;
            engine.stop(job);
        }
        for (const auto& event : engine.events().drain()) {
            if (const auto* progress = std::get_if<feed::JobProgress>(&event); progress && !session.isJson())
                line.show(*progress);
            if (const auto* ready = std::get_if<feed::DatasetReady>(&event); ready && ready->job == job)
                summary = ready->summary;
            const auto* change = std::get_if<feed::JobStateChanged>(&event);
            if (!change || change->job != job || !feed::isFinal(change->to)) continue;
            line.endLine();
            if (change->to == feed::JobState::Failed) return fail(change->error);
            if (change->to == feed::JobState::Stopped)
                return fail(ErrorCode::BadInput, "the import was stopped; nothing was stored");
            if (summary) return *summary;
            return fail(ErrorCode::Internal, "the import ended without a data set");
        }
        std::this_thread::sleep_for(kPollInterval);
    }
}

}  // namespace espalier::cli
