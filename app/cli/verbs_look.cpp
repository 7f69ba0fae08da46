#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <set>

#include "app/cli/verbs.h"
#include "engine/base/files.h"

namespace espalier::cli {
namespace {

std::string cell(const feed::RunInfo& run, const std::string& key, bool isBest) {
    const auto found = run.summary.find(key);
    return found == run.summary.end() ? "" : shortNumber(isBest ? found->second.best : found->second.last);
}

struct ListWish {
    std::string filter, sort;
    std::int64_t first = 0, count = -1;
};

/// With --json all of a run; the table needs no parameters, so they are not read.
Result<int> listVerb(Session& session, const ListWish& wish) {
    ESPALIER_TRY(auto workspace, session.workspace());
    if (session.isJson() && wish.first == 0 && wish.count < 0) {
        ESPALIER_TRY(const auto runs, workspace->queryRuns(wish.filter, wish.sort));
        auto array = nlohmann::ordered_json::array();
        for (const auto& run : runs) {
            auto json = runJson(run);
            json["summary"] = summaryJson(run);
            array.push_back(std::move(json));
        }
        printJson({{"runs", array}});
        return kDone;
    }
    ESPALIER_TRY(const auto page, workspace->runPage(wish.filter, wish.sort, wish.first, wish.count));
    if (session.isJson()) {
        auto array = nlohmann::ordered_json::array();
        for (const auto& run : page.runs) {
            ESPALIER_TRY(const auto whole, workspace->run(run.id));
            auto json = runJson(whole);
            json["summary"] = summaryJson(whole);
            array.push_back(std::move(json));
        }
        printJson({{"runs", array}, {"total", page.total}});
        return kDone;
    }
    std::vector<std::vector<std::string>> rows;
    for (const auto& run : page.runs) {
        std::string tags;
        for (const auto& tag : run.tags) tags += (tags.empty() ? "" : ",") + tag;
        rows.push_back({run.id, run.name, run.recipe, feed::jobStateName(run.state), run.datasetName,
                        cell(run, "valid/top1", true), cell(run, "test/top1", false), durationText(run.activeSecs), tags});
    }
    printTable({"id", "name", "recipe", "state", "data", "valid/top1", "test/top1", "time", "tags"}, rows);
    if (page.total > static_cast<std::int64_t>(page.runs.size()))
        std::printf("%zu of %s runs\n", page.runs.size(), withThousands(page.total).c_str());
    return kDone;
}

nlohmann::ordered_json artifactsJson(const feed::RunInfo& run) {
    auto array = nlohmann::ordered_json::array();
    for (const auto* folder : {"checkpoints", "artifacts"}) {
        std::error_code error;
        std::vector<std::filesystem::path> files;
        for (const auto& entry : std::filesystem::directory_iterator(std::filesystem::path(run.folder) / folder, error))
            if (entry.is_regular_file(error)) files.push_back(entry.path());
        std::sort(files.begin(), files.end());
        for (const auto& file : files)
            array.push_back({{"name", std::string(folder) + "/" + file.filename().string()},
                             {"path", file.string()},
                             {"bytes", std::filesystem::file_size(file, error)}});
    }
    return array;
}

Result<int> showVerb(Session& session, const std::string& text) {
    ESPALIER_TRY(auto workspace, session.workspace());
    ESPALIER_TRY(const auto run, workspace->findRun(text));
    ESPALIER_TRY(const auto manifestText, workspace->manifestText(run.id));
    ESPALIER_TRY(const auto series, workspace->series(run.id));
    ESPALIER_TRY(const auto tradeoff, workspace->tradeoff(run.id));
    ESPALIER_TRY(const auto warnings, workspace->warnings(run.id));
    if (session.isJson()) {
        auto seriesArray = nlohmann::ordered_json::array();
        for (const auto& each : series)
            seriesArray.push_back({{"name", each.name}, {"count", each.count}, {"first", numberJson(each.first)},
                                   {"last", numberJson(each.last)}, {"min", numberJson(each.min)},
                                   {"max", numberJson(each.max)}, {"first_step", each.firstStep},
                                   {"last_step", each.lastStep}, {"non_finite", each.nonFinite}});
        auto warningArray = nlohmann::ordered_json::array();
        for (const auto& warning : warnings) warningArray.push_back(warningJson(warning));
        nlohmann::ordered_json document{
            {"run", runJson(run)},
            {"manifest", nlohmann::ordered_json::parse(manifestText, nullptr, false)},
            {"summary", summaryJson(run)},
            {"series", seriesArray},
            {"artifacts", artifactsJson(run)},
            {"warnings", warningArray},
            {"tradeoff", tradeoff.isEmpty() ? nlohmann::ordered_json(nullptr) : tradeoffJson(tradeoff)}};
        printJson(document);
        return kDone;
    }
    std::printf("%s  %s  %s  %s\n", run.id.c_str(), run.name.c_str(), run.recipe.c_str(), feed::jobStateName(run.state));
    if (!run.stateDetail.empty()) std::printf("%s\n", run.stateDetail.c_str());
    std::printf("data %s  device %s  threads %d  seed %lld  %s parameters  time %s\n", run.datasetName.c_str(),
                run.device.c_str(), run.threads, static_cast<long long>(run.seed),
                withThousands(run.params_count).c_str(), durationText(run.activeSecs).c_str());
    for (const auto& [key, value] : run.changedParams) std::printf("  %s %s\n", key.c_str(), value.c_str());
    std::vector<std::vector<std::string>> rows;
    for (const auto& each : series)
        rows.push_back({each.name, withThousands(static_cast<std::int64_t>(each.count)), shortNumber(each.first),
                        shortNumber(each.last), shortNumber(each.min), shortNumber(each.max)});
    printTable({"series", "points", "first", "last", "min", "max"}, rows);
    if (!tradeoff.isEmpty()) {
        std::vector<std::vector<std::string>> points;
        for (const auto& point : tradeoff.points)
            points.push_back({std::to_string(point.pointId), point.label, bytesText(point.bytesTotal),
                              shortNumber(point.metric), point.onFront ? "front" : ""});
        std::printf("\n");
        printTable({"point", "label", "size", tradeoff.job.metricName, ""}, points);
    }
    return kDone;
}

Result<int> compareVerb(Session& session, const std::vector<std::string>& names) {
    ESPALIER_TRY(auto workspace, session.workspace());
    std::vector<feed::RunInfo> runs;
    for (const auto& name : names) {
        ESPALIER_TRY(auto run, workspace->findRun(name));
        runs.push_back(std::move(run));
    }
    std::vector<std::string> ids;
    std::set<std::string> metrics;
    for (const auto& run : runs) {
        ids.push_back(run.id);
        for (const auto& [key, value] : run.summary) metrics.insert(key);
    }
    ESPALIER_TRY(const auto diff, workspace->diffRuns(ids));
    std::vector<std::pair<std::string, std::vector<std::string>>> differing;
    for (const auto& row : diff.rows) {
        auto& values = differing.emplace_back(row.key, std::vector<std::string>()).second;
        for (const auto& value : row.values) values.push_back(value.value_or(""));
    }
    if (session.isJson()) {
        auto runArray = nlohmann::ordered_json::array();
        for (const auto& run : runs) {
            auto json = runJson(run);
            json["summary"] = summaryJson(run);
            runArray.push_back(std::move(json));
        }
        nlohmann::ordered_json params = nlohmann::ordered_json::object();
        for (const auto& [key, values] : differing) params[key] = values;
        nlohmann::ordered_json table = nlohmann::ordered_json::object();
        for (const auto& metric : metrics) {
            auto row = nlohmann::ordered_json::array();
            for (const auto& run : runs) {
                const auto found = run.summary.find(metric);
                row.push_back(found == run.summary.end()
                                  ? nlohmann::ordered_json(nullptr)
                                  : nlohmann::ordered_json{{"last", numberJson(found->second.last)},
                                                           {"best", numberJson(found->second.best)}});
            }
            table[metric] = row;
        }
        printJson({{"runs", runArray}, {"differing", params}, {"metrics", table}});
        return kDone;
    }
    std::vector<std::string> head{""};
    for (const auto& run : runs) head.push_back(run.name);
    std::vector<std::vector<std::string>> rows;
    for (const auto& [key, values] : differing) {
        rows.push_back({key});
        rows.back().insert(rows.back().end(), values.begin(), values.end());
    }
    std::printf("Only what differs: %zu of %zu parameters\n", differing.size(), diff.paramKeys);
    printTable(head, rows);
    rows.clear();
    for (const auto& metric : metrics) {
        rows.push_back({metric});
        for (const auto& run : runs) rows.back().push_back(cell(run, metric, false));
    }
    std::printf("\nFinal metrics\n");
    printTable(head, rows);
    return kDone;
}

Result<int> metricsVerb(Session& session, const std::string& text, const std::string& glob, const std::string& output);

}  // namespace

void addLookVerbs(CLI::App& program, Action& action) {
    auto* list = program.add_subcommand("list", "List the runs");
    auto wish = std::make_shared<ListWish>();
    list->add_option("--filter", wish->filter, "For example: valid/top1 > 0.4 and tag = paper");
    list->add_option("--sort", wish->sort, "Key, or -key for descending");
    list->add_option("--first", wish->first, "Leave out so many runs at the start")->check(CLI::NonNegativeNumber);
    list->add_option("--count", wish->count, "Show at most so many runs")->check(CLI::NonNegativeNumber);
    list->callback([&action, wish] {
        action = [wish](Session& session) { return guarded(session, [&] { return listVerb(session, *wish); }); };
    });

    auto* show = program.add_subcommand("show", "Everything about one run");
    auto shown = std::make_shared<std::string>();
    show->add_option("RUN", *shown, "Id, start of an id, or name")->required();
    show->callback([&action, shown] {
        action = [shown](Session& session) { return guarded(session, [&] { return showVerb(session, *shown); }); };
    });

    auto* compare = program.add_subcommand("compare", "What differs between runs, and their final metrics");
    auto compared = std::make_shared<std::vector<std::string>>();
    compare->add_option("RUN", *compared, "Ids or names")->required()->expected(2, 1000);
    compare->callback([&action, compared] {
        action = [compared](Session& session) { return guarded(session, [&] { return compareVerb(session, *compared); }); };
    });

    auto* metrics = program.add_subcommand("metrics", "Every point of the series, at full precision");
    auto run = std::make_shared<std::string>(), glob = std::make_shared<std::string>("*"), file = std::make_shared<std::string>();
    metrics->add_option("RUN", *run, "Id, start of an id, or name")->required();
    metrics->add_option("--series", *glob, "Pattern such as train/* (default: all)");
    metrics->add_option("--output", *file, "FILE.csv or FILE.npz; standard output without it");
    metrics->callback([&action, run, glob, file] {
        action = [run, glob, file](Session& session) {
            return guarded(session, [&] { return metricsVerb(session, *run, *glob, *file); });
        };
    });
}

namespace {

Result<int> metricsVerb(Session& session, const std::string& text, const std::string& glob, const std::string& output) {
    ESPALIER_TRY(auto workspace, session.workspace());
    ESPALIER_TRY(const auto run, workspace->findRun(text));
    const std::filesystem::path file = output;
    if (file.extension() == ".npz") {
        ESPALIER_CHECK_OK(workspace->exportMetricsNpz(run.id, glob, file));
    } else if (output.empty()) {
        char temporary[] = "/tmp/espalier-metrics-XXXXXX";
        const int descriptor = ::mkstemp(temporary);
        if (descriptor < 0) return fail(ErrorCode::Io, "no temporary file could be made", temporary);
        std::fclose(::fdopen(descriptor, "w"));
        auto written = workspace->exportMetricsCsv(run.id, glob, temporary);
        auto bytes = written ? readFile(temporary, std::size_t(1) << 36) : Result<std::string>(fail(written.error()));
        std::filesystem::remove(temporary);
        if (!bytes) return fail(bytes.error());
        if (session.isJson()) {
            auto rows = nlohmann::ordered_json::array();
            ESPALIER_TRY(const auto series, workspace->series(run.id));
            for (const auto& each : series) rows.push_back(each.name);
            printJson({{"series", rows}, {"csv", *bytes}});
        } else {
            std::fwrite(bytes->data(), 1, bytes->size(), stdout);
        }
        return kDone;
    } else if (file.extension() == ".csv") {
        ESPALIER_CHECK_OK(workspace->exportMetricsCsv(run.id, glob, file));
    } else {
        return fail(ErrorCode::BadInput, "ends in neither .csv nor .npz", output, "Name the file FILE.csv or FILE.npz");
    }
    if (session.isJson()) printJson({{"run", run.id}, {"output", output}});
    return kDone;
}

}  // namespace

}  // namespace espalier::cli
