#include "engine/runtime/workspace_impl.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/clock.h"
#include "engine/base/files.h"
#include "engine/base/log.h"
#include "engine/catalog/run_folder.h"

namespace espalier::runtime {
namespace fs = std::filesystem;
namespace {

constexpr double kLockWaitSecs = 0.3;  // longer than another process needs to look at the lock

void syncFolder(const fs::path& folder) {
    const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return;
    ::fsync(fd);
    ::close(fd);
}

std::string defaultRunName(const feed::RunInfo& info) {
    auto base = info.recipe;
    const auto digits = base.find_first_not_of("0123456789");
    if (digits != std::string::npos && digits > 0 && base[digits] == '-') base.erase(0, digits + 1);
    return (base.empty() ? "run" : base) + "-s" + std::to_string(info.seed);
}

/// Rows of a finished run's trade-off table; none when its log has none or cannot be read.
std::vector<catalog::TradeoffRow> tradeoffRows(const fs::path& runFolder) {
    std::vector<catalog::TradeoffRow> rows;
    const auto log = runlog::RunLogReader::open(runFolder);
    if (!log) return rows;
    const auto tables = (*log)->tradeoff();
    if (!tables) return rows;
    for (const auto& point : tables->points)
        rows.push_back({point.pointId, point.bytesTotal, point.label, point.stage, point.method, point.avgWBits, point.avgABits,
                        point.loss, point.metric, point.onFront != 0});
    std::sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) { return a.point < b.point; });
    return rows;
}

Result<void> writeNewRunFolder(const fs::path& target, const feed::RunInfo& info, const std::string& manifestJson) {
    ESPALIER_TRY(const auto manifest, catalog::manifestWithRun(manifestJson, info));
    for (const char* inner : {"checkpoints", "artifacts"}) ESPALIER_CHECK_OK(makeFolder(target / inner));
    ESPALIER_CHECK_OK(writeFileAtomically(target / "manifest.json", manifest));
    ESPALIER_CHECK_OK(catalog::writeRunState(target, info));
    return catalog::writeRunUser(target, info);
}

}  // namespace

std::string cleanName(std::string name) {
    constexpr std::size_t kMaxNameBytes = 200;
    for (char& c : name)
        if (static_cast<unsigned char>(c) < 32 || c == 127) c = ' ';
    if (name.size() > kMaxNameBytes) {
        auto end = kMaxNameBytes;
        while (end > 0 && (static_cast<unsigned char>(name[end]) & 0xc0) == 0x80) --end;  // not inside a UTF-8 character
        name.resize(end);
    }
    return name;
}

Result<void> makeFolder(const fs::path& folder) {
    std::error_code trouble;
    fs::create_directories(folder, trouble);
    if (trouble) return fail(ioError("the folder cannot be created", folder, trouble.value()));
    return {};
}

bool isThere(const fs::path& path) noexcept {
    struct stat info {};
    return ::stat(path.c_str(), &info) == 0;
}

Result<void> moveFolder(const fs::path& from, const fs::path& to) {
    ESPALIER_CHECK_OK(makeFolder(to.parent_path()));
    if (::rename(from.c_str(), to.c_str()) != 0) return fail(ioError("could not be moved to " + to.string(), from, errno));
    syncFolder(from.parent_path());
    syncFolder(to.parent_path());
    return {};
}

Result<fs::path> Workspace::Impl::createRun(feed::RunInfo& info, const std::string& manifestJson) {
    auto made = info;
    FileLock lock;
    auto written = catalog->write([&](catalog::CatalogWriter& writer) -> Result<void> {
        for (bool isTaken = true; isTaken;) {
            made.id = makeId();
            ESPALIER_TRY(const auto twin, writer.run(made.id));
            isTaken = twin || isThere(runFolder(made.id)) || isThere(trashFolder("run", made.id));
        }
        ESPALIER_TRY(made.name, writer.freeRunName(made.name.empty() ? defaultRunName(made) : cleanName(made.name)));
        ESPALIER_TRY(made.colorIndex, writer.nextColor());
        if (made.createdSecs <= 0) made.createdSecs = wallClockSecs();
        made.isTrashed = false;
        made.folder = runFolder(made.id).string();
        // Under a hidden name until it is whole: nobody ever sees half a run folder.
        const auto hidden = folder / "runs" / (".new-" + made.id);
        auto stored = writeNewRunFolder(hidden, made, manifestJson);
        if (stored) {
            auto taken = FileLock::take(hidden / "lock", 0);
            if (taken)
                lock = std::move(*taken);
            else
                stored = fail(taken.error());
        }
        if (stored) stored = moveFolder(hidden, made.folder);
        if (!stored) {
            std::error_code ignored;
            fs::remove_all(hidden, ignored);
            return stored;
        }
        return writer.insertRun(made);
    });
    if (!written) {
        std::error_code ignored;
        if (!made.folder.empty() && made.folder != info.folder) fs::remove_all(made.folder, ignored);
        return fail(std::move(written).error());
    }
    {
        std::lock_guard guard(m_lockMutex);
        m_locks.insert_or_assign(made.id, std::move(lock));
    }
    info = std::move(made);
    notify({{info.id}, {}});
    return fs::path(info.folder);
}

Result<void> Workspace::Impl::updateRun(const feed::RunInfo& info) {
    auto stored = info;
    const auto place = runFolder(info.id);
    const bool isFinal = feed::isFinal(info.state);
    std::vector<catalog::TradeoffRow> points;
    if (isFinal) {
        points = tradeoffRows(place);
        stored.bytesOnDisk = catalog::folderBytes(place);
    }
    ESPALIER_CHECK_OK(catalog->write([&](catalog::CatalogWriter& writer) -> Result<void> {
        ESPALIER_TRY(const auto before, writer.run(info.id));
        if (!before) return fail(ErrorCode::NotFound, "no run has this id", info.id);
        if (stored.bytesOnDisk == 0) stored.bytesOnDisk = before->bytesOnDisk;
        ESPALIER_CHECK_OK(catalog::writeRunState(placeOf(*before), stored));
        ESPALIER_CHECK_OK(writer.updateRun(stored));
        if (isFinal) {
            ESPALIER_CHECK_OK(catalog::writeRunTradeoff(placeOf(*before), points));
            ESPALIER_CHECK_OK(writer.replaceTradeoff(info.id, points));
        }
        return writer.replaceCheckpoints(info.id, catalog::listCheckpoints(placeOf(*before)));
    }));
    if (isFinal) unlockRun(info.id);
    notify({{info.id}, {}});
    return {};
}

Result<void> Workspace::Impl::lockRun(const std::string& id) {
    std::lock_guard guard(m_lockMutex);
    if (m_locks.contains(id)) return {};
    ESPALIER_TRY(auto lock, FileLock::take(runFolder(id) / "lock", kLockWaitSecs));
    if (!lock.isHolding())
        return fail(ErrorCode::BadInput, "another process is working on this run", id, "Wait for it or stop it there");
    m_locks.insert_or_assign(id, std::move(lock));
    return {};
}

void Workspace::Impl::unlockRun(const std::string& id) {
    std::lock_guard guard(m_lockMutex);
    m_locks.erase(id);
}

bool Workspace::Impl::isRunLive(const std::string& id) const { return FileLock::isHeld(runFolder(id) / "lock"); }

Result<int> Workspace::Impl::markInterrupted() {
    if (catalog->isReadOnly()) return 0;
    catalog::RunQuery query;
    query.where = "r.state IN ('queued', 'preparing', 'running', 'paused', 'stopping')";
    query.withParams = false;
    ESPALIER_TRY(const auto live, catalog->runs(query));
    int count = 0;
    for (const auto& candidate : live) {
        const auto place = placeOf(candidate);
        // Holding the lock while the state changes keeps a process that resumes the run right now out.
        auto lock = FileLock::take(place / "lock", 0);
        if (lock && !lock->isHolding()) continue;
        ESPALIER_CHECK_OK(catalog->write([&](catalog::CatalogWriter& writer) -> Result<void> {
            ESPALIER_TRY(auto now, writer.run(candidate.id));
            if (!now || feed::isFinal(now->state)) return {};
            now->state = feed::JobState::Interrupted;
            now->stateDetail = "The process that ran it ended without a word.";
            if (isThere(place)) ESPALIER_CHECK_OK(catalog::writeRunState(place, *now));
            ++count;
            return writer.updateRun(*now);
        }));
        notify({{candidate.id}, {}});
    }
    return count;
}

Result<feed::RunInfo> Workspace::Impl::run(catalog::CatalogWriter& writer, const std::string& id) const {
    ESPALIER_TRY(auto found, writer.run(id));
    if (!found) return fail(ErrorCode::NotFound, "no run has this id", id, "List the runs to see their ids");
    return std::move(*found);
}

Result<feed::RunInfo> Workspace::Impl::run(const std::string& id) const {
    ESPALIER_TRY(auto found, catalog->run(id));
    if (!found) return fail(ErrorCode::NotFound, "no run has this id", id, "List the runs to see their ids");
    found->folder = placeOf(*found).string();
    return std::move(*found);
}

int Workspace::Impl::addListener(std::function<void(const feed::CatalogChanged&)> listener) {
    std::lock_guard guard(m_listenerMutex);
    m_listeners.emplace(m_nextListener, std::move(listener));
    return m_nextListener++;
}

void Workspace::Impl::removeListener(int token) {
    std::lock_guard guard(m_listenerMutex);
    m_listeners.erase(token);
}

void Workspace::Impl::notify(feed::CatalogChanged change) const {
    std::lock_guard guard(m_listenerMutex);
    const auto listeners = m_listeners;  // one may remove itself
    for (const auto& [token, listener] : listeners) listener(change);
}

}  // namespace espalier::runtime
