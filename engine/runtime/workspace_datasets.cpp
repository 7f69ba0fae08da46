#include <algorithm>
#include <cctype>

#include "engine/base/clock.h"
#include "engine/base/files.h"
#include "engine/intake/dataset_store.h"
#include "engine/runtime/name_lookup.h"
#include "engine/runtime/workspace_impl.h"

namespace espalier::runtime {
namespace fs = std::filesystem;

namespace {
constexpr std::size_t kOpenStores = 6;
}

catalog::DatasetRow datasetRow(const feed::DatasetSummary& summary) {
    catalog::DatasetRow row;
    row.id = summary.id;
    row.name = summary.name;
    row.kind = summary.kind;
    row.format = summary.format;
    row.hash = summary.hash;
    row.imported = summary.importedUtc;
    row.summary = intake::summaryToJson(summary);
    row.samples = summary.samples;
    row.bytes = summary.storedBytes;
    return row;
}

Result<fs::path> Workspace::Impl::createDatasetFolder() {
    for (;;) {
        const auto id = makeId();
        if (!isThere(datasetFolder(id)) && !isThere(trashFolder("dataset", id))) return datasetFolder(id);
    }
}

Result<feed::DatasetSummary> Workspace::Impl::addDataset(feed::DatasetSummary summary) {
    if (summary.id.empty() || summary.id.find('/') != std::string::npos || !isThere(datasetFolder(summary.id)))
        return fail(ErrorCode::Internal, "the data set has no folder", summary.id);
    ESPALIER_CHECK_OK(catalog->write([&](catalog::CatalogWriter& writer) -> Result<void> {
        ESPALIER_TRY(const auto before, writer.dataset(summary.id));
        ESPALIER_TRY(auto name, before && before->name == summary.name
                                    ? Result<std::string>(summary.name)
                                    : writer.freeDatasetName(summary.name.empty() ? "data" : cleanName(summary.name)));
        const bool isRenamed = name != summary.name;
        summary.name = std::move(name);
        const auto row = datasetRow(summary);
        ESPALIER_CHECK_OK(writer.putDataset(row));
        if (!isRenamed) return {};
        return writeFileAtomically(datasetFolder(summary.id) / "dataset.json", row.summary);
    }));
    forgetStore(summary.id);
    notify({{}, {summary.id}});
    return summary;
}

Result<std::shared_ptr<intake::DatasetStore>> Workspace::Impl::datasetStore(const std::string& id) {
    std::lock_guard guard(m_storeMutex);
    const auto found = std::find_if(m_stores.begin(), m_stores.end(), [&](const auto& entry) { return entry.first == id; });
    if (found != m_stores.end()) {
        m_stores.splice(m_stores.begin(), m_stores, found);
        return m_stores.front().second;
    }
    ESPALIER_TRY(const auto row, catalog->dataset(id));
    if (!row) return fail(ErrorCode::NotFound, "no data set has this id", id, "List the data sets to see their ids");
    const auto place = row->isTrashed ? trashFolder("dataset", id) : datasetFolder(id);
    ESPALIER_TRY(auto store, intake::DatasetStore::open(place));
    m_stores.emplace_front(id, store);
    if (m_stores.size() > kOpenStores) m_stores.pop_back();
    return store;
}

void Workspace::Impl::forgetStore(const std::string& datasetId) {
    std::lock_guard guard(m_storeMutex);
    m_stores.remove_if([&](const auto& entry) { return entry.first == datasetId; });
}

Result<std::vector<feed::DatasetSummary>> Workspace::datasets() const {
    ESPALIER_TRY(const auto rows, d->catalog->datasets(false));
    std::vector<feed::DatasetSummary> summaries;
    for (const auto& row : rows) {
        ESPALIER_TRY(auto summary, intake::summaryFromJson(row.summary, row.id));
        summaries.push_back(std::move(summary));
    }
    return summaries;
}

Result<feed::DatasetSummary> Workspace::dataset(const std::string& id) const {
    ESPALIER_TRY(const auto row, d->catalog->dataset(id));
    if (!row) return fail(ErrorCode::NotFound, "no data set has this id", id, "List the data sets to see their ids");
    return intake::summaryFromJson(row->summary, row->id);
}

Result<feed::DatasetSummary> Workspace::findDataset(std::string_view idOrName) const {
    ESPALIER_TRY(const auto rows, d->catalog->datasets(true));
    std::vector<NameCandidate> candidates;
    std::vector<std::string> names;
    for (const auto& row : rows) {
        candidates.push_back({row.id, row.name, row.isTrashed, row.format});
        if (!row.isTrashed) names.push_back(row.name);
    }
    ESPALIER_TRY(const auto choice, chooseByName("data set", idOrName, candidates,
                                                 [&] { return Result<std::vector<std::string>>(names); }));
    return intake::summaryFromJson(rows[choice].summary, rows[choice].id);
}

Result<std::vector<feed::SampleInfo>> Workspace::samples(const std::string& datasetId, std::int64_t first,
                                                         std::int64_t count, int classIndex) const {
    ESPALIER_TRY(const auto store, d->datasetStore(datasetId));
    std::vector<feed::SampleInfo> found;
    const auto size = store->size();
    first = std::max<std::int64_t>(first, 0);
    if (classIndex < 0) {
        const auto end = count < 0 || count > size - first ? size : first + count;
        for (auto row = first; row < end; ++row) found.push_back(store->info(row));
        return found;
    }
    std::int64_t seen = 0;
    for (std::int64_t row = 0; row < size && (count < 0 || static_cast<std::int64_t>(found.size()) < count); ++row) {
        auto info = store->info(row);
        if (info.label == classIndex && seen++ >= first) found.push_back(std::move(info));
    }
    return found;
}

Result<feed::Image8> Workspace::sampleImage(const std::string& datasetId, std::int64_t index) const {
    ESPALIER_TRY(const auto store, d->datasetStore(datasetId));
    if (index < 0 || index >= store->size())
        return fail(ErrorCode::BadInput, "has " + std::to_string(store->size()) + " samples, not a number " + std::to_string(index),
                    store->summary().name);
    return store->image(index);
}

}  // namespace espalier::runtime
