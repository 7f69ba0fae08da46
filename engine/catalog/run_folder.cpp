#include "engine/catalog/run_folder.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <sys/stat.h>

#include <nlohmann/json.hpp>

#include "engine/base/files.h"

namespace espalier::catalog {
namespace fs = std::filesystem;
namespace {

using json = nlohmann::ordered_json;

constexpr std::size_t kMaxJsonBytes = std::size_t(64) << 20;
constexpr const char* kManifest = "manifest.json";
constexpr const char* kState = "state.json";
constexpr const char* kUser = "user.json";
constexpr const char* kTradeoff = "tradeoff.json";

std::string textOf(const json& value) { return value.dump(2, ' ', false, json::error_handler_t::replace) + "\n"; }

/// JSON has no NaN or infinity; they are written as words.
json numberToJson(double value) {
    if (std::isfinite(value)) return value;
    return std::isnan(value) ? "nan" : value > 0 ? "inf" : "-inf";
}

double numberFromJson(const json& value) {
    if (value.is_number()) return value.get<double>();
    if (value == "inf") return std::numeric_limits<double>::infinity();
    if (value == "-inf") return -std::numeric_limits<double>::infinity();
    return std::numeric_limits<double>::quiet_NaN();
}

Result<json> readJson(const fs::path& file) {
    ESPALIER_TRY(const auto text, readFile(file, kMaxJsonBytes));
    auto value = json::parse(text, nullptr, false);
    if (!value.is_object()) return fail(ErrorCode::Corrupt, "is not a JSON object", file.string());
    return value;
}

// A member of another type than ours counts as missing: the folder may have been edited by hand.
std::string text(const json& object, const char* key) {
    const auto found = object.find(key);
    return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::int64_t integer(const json& object, const char* key) {
    const auto found = object.find(key);
    return found != object.end() && found->is_number_integer() ? found->get<std::int64_t>() : 0;
}

double real(const json& object, const char* key) {
    const auto found = object.find(key);
    return found != object.end() ? numberFromJson(*found) : 0.0;
}

std::map<std::string, std::string> texts(const json& object, const char* key) {
    std::map<std::string, std::string> values;
    const auto found = object.find(key);
    if (found == object.end() || !found->is_object()) return values;
    for (const auto& [name, value] : found->items())
        if (value.is_string()) values[name] = value.get<std::string>();
    return values;
}

Result<void> checkVersion(const json& manifest, const fs::path& file) {
    if (!manifest.is_object() || !manifest.contains("format_version")) return {};
    const auto& version = manifest["format_version"];
    if (!version.is_number_integer() || version.get<std::int64_t>() < 1)
        return fail(ErrorCode::Corrupt, "has no usable format_version", file.string());
    if (version.get<std::int64_t>() <= kManifestVersion) return {};
    return fail(ErrorCode::Unsupported,
                "has manifest format " + version.dump() + ", this program knows up to " + std::to_string(kManifestVersion),
                file.string(), "Open it with a newer Espalier");
}

json runSection(const feed::RunInfo& info) {
    json params = json::object(), changed = json::object();
    for (const auto& [key, value] : info.params) params[key] = value;
    for (const auto& [key, value] : info.changedParams) changed[key] = value;
    return {{"id", info.id},
            {"name", info.name},
            {"recipe", info.recipe},
            {"dataset_id", info.datasetId},
            {"dataset_name", info.datasetName},
            {"dataset_hash", info.datasetHash},
            {"parent_run", info.parentRun},
            {"device", info.device},
            {"threads", info.threads},
            {"seed", info.seed},
            {"scale", info.scale},
            {"created_secs", info.createdSecs},
            {"params", std::move(params)},
            {"changed_params", std::move(changed)}};
}

void applyState(const json& state, feed::RunInfo& info) {
    info.state = feed::jobStateFromName(text(state, "state")).value_or(feed::JobState::Interrupted);
    info.stateDetail = text(state, "detail");
    if (const auto device = text(state, "device"); !device.empty()) info.device = device;
    if (const auto threads = integer(state, "threads"); threads > 0) info.threads = static_cast<int>(threads);
    info.startedSecs = real(state, "started_secs");
    info.endedSecs = real(state, "ended_secs");
    info.activeSecs = real(state, "active_secs");
    info.params_count = integer(state, "params_count");
    info.macs = integer(state, "macs");
    info.bytesOnDisk = integer(state, "bytes");
    const auto summary = state.find("summary");
    if (summary == state.end() || !summary->is_object()) return;
    for (const auto& [series, entry] : summary->items()) {
        if (!entry.is_object()) continue;
        info.summary[series] = {real(entry, "last"), real(entry, "best"), integer(entry, "best_step"),
                                integer(entry, "last_step")};
    }
}

void applyUser(const json& user, feed::RunInfo& info) {
    if (const auto name = text(user, "name"); !name.empty()) info.name = name;
    info.note = text(user, "note");
    info.colorIndex = static_cast<int>(std::clamp<std::int64_t>(integer(user, "color"), 0, 7));
    info.tags.clear();
    const auto tags = user.find("tags");
    if (tags == user.end() || !tags->is_array()) return;
    for (const auto& tag : *tags)
        if (tag.is_string()) info.tags.push_back(tag.get<std::string>());
}

}  // namespace

Result<void> checkManifestVersion(std::string_view manifestJson, const fs::path& file) {
    return checkVersion(json::parse(manifestJson, nullptr, false), file);
}

Result<std::string> manifestWithRun(const std::string& manifestJson, const feed::RunInfo& info) {
    auto manifest = json::parse(manifestJson, nullptr, false);
    if (!manifest.is_object())
        return fail(ErrorCode::Internal, "the manifest of a new run is not a JSON object", info.name);
    manifest["run"] = runSection(info);
    return textOf(manifest);
}

Result<void> writeRunState(const fs::path& folder, const feed::RunInfo& info) {
    json summary = json::object();
    for (const auto& [series, entry] : info.summary)
        summary[series] = {{"last", numberToJson(entry.last)},
                           {"best", numberToJson(entry.best)},
                           {"best_step", entry.bestStep},
                           {"last_step", entry.lastStep}};
    const json state = {{"state", feed::jobStateName(info.state)},
                        {"detail", info.stateDetail},
                        {"device", info.device},
                        {"threads", info.threads},
                        {"started_secs", info.startedSecs},
                        {"ended_secs", info.endedSecs},
                        {"active_secs", info.activeSecs},
                        {"params_count", info.params_count},
                        {"macs", info.macs},
                        {"bytes", info.bytesOnDisk},
                        {"summary", std::move(summary)}};
    return writeFileAtomically(folder / kState, textOf(state));
}

Result<void> writeRunUser(const fs::path& folder, const feed::RunInfo& info) {
    const json user = {{"name", info.name}, {"tags", info.tags}, {"note", info.note}, {"color", info.colorIndex}};
    return writeFileAtomically(folder / kUser, textOf(user));
}

Result<feed::RunInfo> readRunFolder(const fs::path& folder, Warnings& warnings) {
    ESPALIER_TRY(const auto manifest, readJson(folder / kManifest));
    ESPALIER_CHECK_OK(checkVersion(manifest, folder / kManifest));
    const auto run = manifest.find("run");
    if (run == manifest.end() || !run->is_object() || text(*run, "id").empty())
        return fail(ErrorCode::Corrupt, "has no member \"run\" with an id", (folder / kManifest).string());
    feed::RunInfo info;
    info.id = text(*run, "id");
    info.name = text(*run, "name");
    info.recipe = text(*run, "recipe");
    info.datasetId = text(*run, "dataset_id");
    info.datasetName = text(*run, "dataset_name");
    info.datasetHash = text(*run, "dataset_hash");
    info.parentRun = text(*run, "parent_run");
    info.device = text(*run, "device");
    info.threads = static_cast<int>(integer(*run, "threads"));
    info.seed = integer(*run, "seed");
    info.scale = text(*run, "scale");
    info.createdSecs = real(*run, "created_secs");
    info.params = texts(*run, "params");
    info.changedParams = texts(*run, "changed_params");
    if (info.name.empty()) info.name = info.id;
    const std::string shown = folder.filename().string();
    if (const auto state = readJson(folder / kState)) {
        applyState(*state, info);
    } else {
        info.state = feed::JobState::Interrupted;
        warnings.push_back({shown, 0, "unreadable_state",
                            "state.json cannot be read, so the run counts as interrupted: " + state.error().what, Outcome::Kept});
    }
    if (const auto user = readJson(folder / kUser))
        applyUser(*user, info);
    else
        warnings.push_back({shown, 0, "unreadable_user",
                            "user.json cannot be read, so tags and note are lost: " + user.error().what, Outcome::Kept});
    info.folder = folder.string();
    return info;
}

Result<void> writeRunTradeoff(const fs::path& folder, const std::vector<TradeoffRow>& rows) {
    if (rows.empty()) {
        std::error_code ignored;
        fs::remove(folder / kTradeoff, ignored);
        return {};
    }
    json points = json::array();
    for (const auto& row : rows)
        points.push_back({{"point", row.point},
                          {"label", row.label},
                          {"stage", row.stage},
                          {"method", row.method},
                          {"bytes", row.bytes},
                          {"avg_w_bits", numberToJson(row.avgWBits)},
                          {"avg_a_bits", numberToJson(row.avgABits)},
                          {"loss", numberToJson(row.loss)},
                          {"metric", numberToJson(row.metric)},
                          {"is_on_front", row.isOnFront}});
    return writeFileAtomically(folder / kTradeoff, textOf({{"points", std::move(points)}}));
}

std::vector<TradeoffRow> readRunTradeoff(const fs::path& folder, Warnings& warnings) {
    std::vector<TradeoffRow> rows;
    std::error_code trouble;
    if (!fs::exists(folder / kTradeoff, trouble)) return rows;
    const auto document = readJson(folder / kTradeoff);
    if (!document || !document->contains("points") || !(*document)["points"].is_array()) {
        warnings.push_back({folder.filename().string(), 0, "unreadable_tradeoff",
                            "tradeoff.json cannot be read, so lists show no points of this run; its log still has them",
                            Outcome::Kept});
        return rows;
    }
    for (const auto& point : (*document)["points"]) {
        if (!point.is_object()) continue;
        const auto isOnFront = point.find("is_on_front");
        rows.push_back({integer(point, "point"), integer(point, "bytes"), text(point, "label"), text(point, "stage"),
                        text(point, "method"), real(point, "avg_w_bits"), real(point, "avg_a_bits"), real(point, "loss"),
                        real(point, "metric"), isOnFront != point.end() && *isOnFront == true});
    }
    return rows;
}

std::vector<CheckpointRow> listCheckpoints(const fs::path& folder) {
    std::vector<CheckpointRow> rows;
    std::error_code ignored;
    for (fs::directory_iterator it(folder / "checkpoints", ignored), end; it != end && !ignored; it.increment(ignored)) {
        const auto name = it->path().filename().string();
        struct stat info {};
        if (name.starts_with('.') || !name.ends_with(".safetensors") || ::lstat(it->path().c_str(), &info) != 0 ||
            !S_ISREG(info.st_mode))
            continue;
        rows.push_back({name, static_cast<std::int64_t>(info.st_size),
                        static_cast<double>(info.st_mtim.tv_sec) + 1e-9 * static_cast<double>(info.st_mtim.tv_nsec)});
    }
    std::sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) {
        return std::tie(a.writtenSecs, a.name) < std::tie(b.writtenSecs, b.name);
    });
    return rows;
}

std::int64_t folderBytes(const fs::path& folder) {
    std::int64_t bytes = 0;
    std::error_code ignored;
    const auto options = fs::directory_options::skip_permission_denied;
    for (fs::recursive_directory_iterator it(folder, options, ignored), end; it != end && !ignored; it.increment(ignored)) {
        struct stat info {};
        if (::lstat(it->path().c_str(), &info) == 0 && S_ISREG(info.st_mode)) bytes += info.st_size;
    }
    return bytes;
}

}  // namespace espalier::catalog
