#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "app/cli/verbs.h"

namespace espalier::cli {
namespace {

void printDataset(const feed::DatasetSummary& data) {
    std::printf("%s  %s  %s samples in %zu classes", data.id.c_str(), data.name.c_str(),
                withThousands(data.samples).c_str(), data.classes.size());
    std::printf("  (train %s, valid %s, test %s)\n", withThousands(data.splits[0]).c_str(),
                withThousands(data.splits[1]).c_str(), withThousands(data.splits[2]).c_str());
    for (const auto& each : data.classes)
        std::printf("  %-24s %s\n", each.name.c_str(), withThousands(each.total()).c_str());
    if (data.exactDuplicates || data.nearDuplicatePairs)
        std::printf("  %lld exact duplicates (%lld across splits), %lld near-duplicate pairs\n",
                    static_cast<long long>(data.exactDuplicates), static_cast<long long>(data.exactAcrossSplits),
                    static_cast<long long>(data.nearDuplicatePairs));
    for (const auto& warning : data.warnings) {
        std::fprintf(stderr, "warning: %s", warning.file.c_str());
        if (warning.line > 0) std::fprintf(stderr, ", line %lld", static_cast<long long>(warning.line));
        std::fprintf(stderr, ": %s (%s)\n", warning.detail.c_str(), outcomeName(warning.outcome));
    }
}

/// A wrong flag is wrong usage: thrown while the command line is read.
[[noreturn]] void refuseSplit(const std::string& what) {
    throw CLI::ValidationError("--split", what + "; write folders, or shares of train, valid and test that sum to 1, such as 0.8,0.1,0.1");
}

std::array<double, 3> fractionsFrom(const std::string& text) {
    std::array<double, 3> fractions{};
    double sum = 0;
    std::size_t start = 0;
    for (std::size_t i = 0; i < 3; ++i) {
        const auto comma = text.find(',', start);
        if ((i < 2) == (comma == std::string::npos)) refuseSplit("\"" + text + "\" is not three fractions");
        const auto part = text.substr(start, comma - start);
        char* end = nullptr;
        fractions[i] = std::strtod(part.c_str(), &end);
        if (part.empty() || *end || !(fractions[i] >= 0 && fractions[i] <= 1)) refuseSplit("\"" + part + "\" is not a fraction between 0 and 1");
        sum += fractions[i];
        start = comma + 1;
    }
    if (fractions[0] <= 0) refuseSplit("the train part must be above 0");
    if (std::abs(sum - 1) > 1e-6) refuseSplit("the fractions of \"" + text + "\" sum to " + shortNumber(sum) + ", not to 1");
    return fractions;
}

}  // namespace

int guarded(Session& session, const std::function<Result<int>()>& body) {
    auto result = body();
    return result ? *result : report(result.error(), session.isJson());
}

void addDataVerbs(CLI::App& program, Action& action) {
    auto* import = program.add_subcommand("import", "Bring files into the workspace as a data set");
    auto request = std::make_shared<runtime::ImportRequest>();
    auto paths = std::make_shared<std::vector<std::string>>();
    auto split = std::make_shared<std::string>("folders");
    import->add_option("PATH", *paths, "Folder of pictures, arrays or tables, archive, .npy, .npz, idx, CIFAR, HDF5 or CSV; generator:shapes32")->required();
    import->add_option("--name", request->name, "Name of the data set");
    import->add_option("--format", request->format, "auto, image-folder, archive, npy, npz, array-folder, data-folder, hdf5, idx, cifar, csv, generator")->default_str("auto");
    import->add_option("--label", request->label, "Column that holds the class: of a CSV, or of a table beside pictures");
    import->add_option("--images", request->images, "Member that holds the images (npz, HDF5, folder of arrays)");
    import->add_option("--labels", request->labels, "Member that holds the labels (npz, HDF5, folder of arrays)");
    import->add_option("--image-shape", request->imageShape, "Read table rows as pictures, e.g. 8x8 or 32x32x3; none keeps a table");
    import->add_option("--split", *split, "folders, or fractions train,valid,test")->default_str("folders");
    import->add_option("--seed", request->seed, "Seed of the split");
    import->add_flag("--dry-run", request->isDryRun, "Read and report, store nothing");
    import->callback([&action, request, paths, split] {
        for (const auto& path : *paths) request->paths.emplace_back(path);
        if (*split != "folders") {
            request->useFolderSplits = false;
            request->splitFractions = fractionsFrom(*split);
        }
        action = [request](Session& session) {
            return guarded(session, [&]() -> Result<int> {
                ESPALIER_TRY(auto* engine, session.engine());
                ESPALIER_TRY(const auto job, engine->submitImport(*request));
                const auto imported = followImport(session, *engine, job);
                if (!imported && imported.error().where == "--format") {  // wrong usage, found by the one list of formats
                    report(imported.error(), session.isJson());
                    return kUsage;
                }
                if (!imported) return fail(imported.error());
                const feed::DatasetSummary& data = *imported;
                if (session.isJson()) {
                    auto warnings = nlohmann::ordered_json::array();
                    for (const auto& warning : data.warnings) warnings.push_back(warningJson(warning));
                    printJson({{"dataset", datasetJson(data)}, {"warnings", warnings}});
                } else {
                    printDataset(data);
                }
                return kDone;
            });
        };
    });

    auto* list = program.add_subcommand("datasets", "List the data sets, or show one");
    auto name = std::make_shared<std::string>();
    list->add_option("NAME", *name, "Id or name");
    list->callback([&action, name] {
        action = [name](Session& session) {
            return guarded(session, [&]() -> Result<int> {
                ESPALIER_TRY(auto workspace, session.workspace());
                if (!name->empty()) {
                    ESPALIER_TRY(const auto data, workspace->findDataset(*name));
                    if (session.isJson()) {
                        auto warnings = nlohmann::ordered_json::array();
                        for (const auto& warning : data.warnings) warnings.push_back(warningJson(warning));
                        printJson({{"dataset", datasetJson(data)}, {"warnings", warnings}});
                    } else {
                        printDataset(data);
                    }
                    return kDone;
                }
                ESPALIER_TRY(const auto all, workspace->datasets());
                if (session.isJson()) {
                    auto array = nlohmann::ordered_json::array();
                    for (const auto& data : all) array.push_back(datasetJson(data));
                    printJson({{"datasets", array}});
                    return kDone;
                }
                std::vector<std::vector<std::string>> rows;
                for (const auto& data : all)
                    rows.push_back({data.id, data.name, data.kind, withThousands(data.samples),
                                    std::to_string(data.classes.size()), data.hash.substr(0, 8)});
                printTable({"id", "name", "kind", "samples", "classes", "hash"}, rows);
                return kDone;
            });
        };
    });
}

}  // namespace espalier::cli
