#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include <sys/wait.h>
#include <unistd.h>

#include "app/cli/loose_params.h"
#include "app/cli/verbs.h"
#include "engine/runtime/predict.h"

namespace espalier::cli {
namespace {

struct PredictOptions {
    std::string run, recipe, weights, input, taps, output;
};

Result<int> predictVerb(Session& session, PredictOptions options, const std::vector<std::string>& rest) {
    runtime::PredictRequest request;
    ESPALIER_TRY(request.params, looseParams(rest, &options.run));
    ESPALIER_TRY(auto workspace, session.workspace());
    ESPALIER_TRY(auto* registry, session.registry());
    if (options.run.empty() == options.recipe.empty())
        return fail(ErrorCode::BadInput, "needs either a run, or --recipe with --weights", "predict");
    if (!options.run.empty()) {
        ESPALIER_TRY(const auto run, workspace->findRun(options.run));
        request.run = run.id;
    }
    request.recipe = options.recipe;
    request.weights = options.weights;
    request.input = options.input;
    std::size_t start = 0;
    while (start < options.taps.size()) {
        const auto comma = std::min(options.taps.find(',', start), options.taps.size());
        request.taps.push_back(options.taps.substr(start, comma - start));
        start = comma + 1;
    }
    request.output = options.output;
    ESPALIER_CHECK_OK(runtime::predictToFile(*workspace, *registry, request));
    if (session.isJson()) printJson({{"output", options.output}});
    else std::printf("wrote %s\n", options.output.c_str());
    return kDone;
}

/// Figures are drawn by the window's own charts: the program beside this one, without a display.
Result<void> exportFigure(const std::filesystem::path& workspace, const std::string& runId, const std::string& format,
                          const std::string& output) {
    std::error_code error;
    const auto window = std::filesystem::read_symlink("/proc/self/exe", error).parent_path() / "espalier";
    if (error || !std::filesystem::exists(window))
        return fail(ErrorCode::Unsupported, "figures need the window program, which is not installed here",
                    window.string(), "Install espalier beside espalier-cli");
    const auto child = ::fork();
    if (child < 0) return fail(ErrorCode::Io, "the window program could not be started", window.string());
    if (child == 0) {
        ::setenv("QT_QPA_PLATFORM", "offscreen", 1);
        ::execl(window.c_str(), "espalier", "--workspace", workspace.c_str(), "--figure", runId.c_str(), "--format",
                format.empty() ? "svg" : format.c_str(), "--output", output.c_str(), nullptr);
        ::_exit(127);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        return fail(ErrorCode::Internal, "the figure could not be drawn", output,
                    "Use --format svg, pdf or png and a place that you may write to");
    return {};
}

Result<int> exportVerb(Session& session, const std::string& text, const std::string& what, const std::string& format,
                       const std::string& output, int point) {
    ESPALIER_TRY(auto workspace, session.workspace());
    ESPALIER_TRY(const auto run, workspace->findRun(text));
    if (what == "weights") {
        if (!format.empty() && format != "safetensors")
            return fail(ErrorCode::Unsupported, "weights are exported as safetensors, not " + format, "--format",
                        "Use --format safetensors");
        ESPALIER_TRY(auto* engine, session.engine());
        if (point >= 0) {
            ESPALIER_CHECK_OK(engine->exportPoint(run.id, point, output));
        } else {
            ESPALIER_CHECK_OK(engine->exportWeights(run.id, output));
        }
    } else if (what == "log") {
        if (format == "npz") {
            ESPALIER_CHECK_OK(workspace->exportMetricsNpz(run.id, "*", output));
        } else if (format.empty() || format == "csv") {
            ESPALIER_CHECK_OK(workspace->exportMetricsCsv(run.id, "*", output));
        } else {
            return fail(ErrorCode::Unsupported, "a log is exported as csv or npz, not " + format, "--format");
        }
    } else if (what == "table") {
        if (!format.empty() && format != "csv")
            return fail(ErrorCode::Unsupported, "tables are exported as csv, not " + format, "--format");
        ESPALIER_CHECK_OK(workspace->exportTradeoffCsv(run.id, output));
    } else if (what == "figure") {
        ESPALIER_CHECK_OK(exportFigure(workspace->folder(), run.id, format, output));
    } else {
        return fail(ErrorCode::BadInput, "\"" + what + "\" is not one of weights, log, figure, table", "--what");
    }
    if (session.isJson()) printJson({{"run", run.id}, {"output", output}});
    else std::printf("wrote %s\n", output.c_str());
    return kDone;
}

}  // namespace

void addModelVerbs(CLI::App& program, Action& action) {
    auto* predict = program.add_subcommand("predict", "predict RUN …, or predict --recipe ID --weights FILE …: logits, embeddings and taps of any input");
    auto options = std::make_shared<PredictOptions>();
    predict->allow_extras();
    predict->add_option("--recipe", options->recipe, "Recipe of a bare weights file");
    predict->add_option("--weights", options->weights, "FILE.safetensors under own or reference names");
    predict->add_option("--input", options->input, "Data set, or FILE.npy, .npz, .safetensors")->required();
    predict->add_option("--taps", options->taps, "Patterns of intermediates, e.g. attn.*,pool_weight");
    predict->add_option("--output", options->output, "FILE.safetensors")->required();
    predict->callback([&action, options, predict] {
        const auto rest = predict->remaining();
        action = [options, rest](Session& session) {
            return guarded(session, [&] { return predictVerb(session, *options, rest); });
        };
    });

    auto* exporter = program.add_subcommand("export", "Write weights, log, figure or tables of a run to a file");
    auto run = std::make_shared<std::string>(), what = std::make_shared<std::string>(),
         format = std::make_shared<std::string>(), output = std::make_shared<std::string>();
    auto point = std::make_shared<int>(-1);
    exporter->add_option("RUN", *run, "Id, start of an id, or name")->required();
    exporter->add_option("--what", *what, "weights, log, figure or table")->required();
    exporter->add_option("--format", *format, "safetensors; csv, npz; svg; csv");
    exporter->add_option("--point", *point, "Trade-off point whose weights to export");
    exporter->add_option("--output", *output, "File (table: folder of the four CSV files)")->required();
    exporter->callback([&action, run, what, format, output, point] {
        action = [=](Session& session) {
            return guarded(session, [&] { return exportVerb(session, *run, *what, *format, *output, *point); });
        };
    });
}

}  // namespace espalier::cli
