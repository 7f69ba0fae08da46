#include "engine/intake/row_collector.h"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <limits>

#include <openssl/evp.h>
#include <unistd.h>

#include "engine/base/files.h"
#include "engine/intake/image_decoding.h"
#include "engine/intake/names.h"

namespace espalier::intake {
namespace fs = std::filesystem;

namespace {

constexpr std::int64_t kMaxBytesInFlight = 256'000'000;
constexpr std::size_t kNamedRows = 20;  ///< in one warning

std::array<std::uint8_t, 32> digestOf(const feed::Image8& image) {
    const std::int32_t shape[3] = {image.width, image.height, image.channels};
    std::array<std::uint8_t, 32> digest{};
    EVP_MD_CTX* context = EVP_MD_CTX_new();
    EVP_DigestInit_ex(context, EVP_sha256(), nullptr);
    EVP_DigestUpdate(context, shape, sizeof shape);
    EVP_DigestUpdate(context, image.pixels.data(), image.pixels.size());
    EVP_DigestFinal_ex(context, digest.data(), nullptr);
    EVP_MD_CTX_free(context);
    return digest;
}

void measure(RowRecord& record, const feed::Image8& image) {
    record.width = static_cast<std::uint32_t>(image.width);
    record.height = static_cast<std::uint32_t>(image.height);
    record.channels = static_cast<std::uint8_t>(image.channels);
    record.digest = digestOf(image);
    std::array<std::uint64_t, 3> sums{}, squares{};
    const auto channels = static_cast<std::size_t>(image.channels);
    for (std::size_t i = 0; i < image.pixels.size(); ++i) {
        const std::uint64_t value = image.pixels[i];
        const std::size_t c = std::min<std::size_t>(i % channels, 2);
        sums[c] += value;
        squares[c] += value * value;
    }
    for (std::size_t c = 0; c < 3; ++c) {
        record.sums[c] = static_cast<double>(sums[c]);
        record.squares[c] = static_cast<double>(squares[c]);
    }
}

std::string numberText(double value) {
    char text[40];
    std::snprintf(text, sizeof text, "%.6g", value);
    return text;
}

}  // namespace

/// One picture on its way to a worker.
struct RowCollector::Job {
    std::uint64_t sequence = 0;
    RowMeta meta;
    std::string bytes;  ///< encoded; empty when `image` is given
    fs::path path;
    feed::Image8 image;
};

/// What a worker made of it.
struct RowCollector::Finished {
    RowMeta meta;
    fs::path path;
    std::string bytes;
    feed::Image8 image;
    RowRecord record;
    Fingerprint print;
    std::optional<ImageTrouble> trouble;
    ImageRemarks remarks;
    std::int64_t weight = 0;
};

RowCollector::RowCollector(Setup setup) : m_setup(std::move(setup)) {
    const int wanted = m_setup.threads > 0 ? m_setup.threads : static_cast<int>(std::thread::hardware_concurrency());
    for (int i = 0; i < std::max(1, wanted); ++i) m_workers.emplace_back([this] { work(); });
}

RowCollector::~RowCollector() {
    m_queue.close();
    m_workers.clear();
}

Result<void> RowCollector::checkNext(bool isTable) {
    const std::uint64_t limit = isTable ? m_setup.maxRows : m_setup.maxPictures;
    if (m_taken++ >= limit)
        return fail(ErrorCode::BadInput, "holds more than " + groupedNumber(static_cast<std::int64_t>(limit)) + " samples, more than one data set can", {}, "Import a part of them");
    if (!m_isTable) m_isTable = isTable;
    if (*m_isTable != isTable)
        return fail(ErrorCode::BadInput, "mixes pictures and tables", {}, "Import them as two data sets");
    return {};
}

Result<void> RowCollector::failure() {
    std::lock_guard lock(m_mutex);
    if (m_failure) return fail(*m_failure);
    return {};
}

void RowCollector::setFailureLocked(Error error) {
    if (!m_failure) m_failure = std::move(error);
}

Result<void> RowCollector::push(Job job) {
    ESPALIER_CHECK_OK(failure());
    const auto weight = static_cast<std::int64_t>(job.bytes.size() + job.image.pixels.size());
    {
        std::unique_lock lock(m_mutex);
        // The oldest row is always let in, so a single one above the bound does not wait for ever.
        m_changed.wait(lock, m_setup.stop, [&] {
            return m_bytesInFlight == 0 || m_bytesInFlight + weight <= kMaxBytesInFlight || m_failure;
        });
        m_bytesInFlight += weight;
    }
    job.sequence = m_nextSequence++;
    m_queue.push(std::make_shared<Job>(std::move(job)));
    return {};
}

Result<void> RowCollector::encodedImage(RowMeta meta, std::string bytes, const fs::path& path) {
    ESPALIER_CHECK_OK(checkNext(false));
    Job job;
    job.meta = std::move(meta);
    job.bytes = std::move(bytes);
    job.path = path;
    return push(std::move(job));
}

Result<void> RowCollector::image(RowMeta meta, feed::Image8 image) {
    ESPALIER_CHECK_OK(checkNext(false));
    Job job;
    job.meta = std::move(meta);
    job.image = std::move(image);
    return push(std::move(job));
}

RowCollector::Finished RowCollector::process(Job job) {
    Finished row;
    row.weight = static_cast<std::int64_t>(job.bytes.size() + job.image.pixels.size());
    if (job.image.isEmpty()) {
        auto decoded = decodeImage(job.bytes, &row.remarks);
        if (decoded) job.image = std::move(*decoded);
        else row.trouble = decoded.error();
    }
    if (!row.trouble) {
        measure(row.record, job.image);
        row.print = fingerprintOf(job.image);
    }
    row.meta = std::move(job.meta);
    row.path = std::move(job.path);
    row.bytes = std::move(job.bytes);
    row.image = std::move(job.image);
    return row;
}

void RowCollector::work() {
    while (auto job = m_queue.pop()) {
        const auto sequence = (*job)->sequence;
        if (m_setup.stop.stop_requested()) {
            Finished dropped;
            dropped.trouble = ImageTrouble{"stopped", "the import was stopped"};
            dropped.weight = static_cast<std::int64_t>((*job)->bytes.size() + (*job)->image.pixels.size());
            commit(sequence, std::move(dropped));
            continue;
        }
        commit(sequence, process(std::move(**job)));
    }
}

void RowCollector::commit(std::uint64_t sequence, Finished row) {
    std::unique_lock lock(m_mutex);
    // A slow picture must not let the others pile up decoded behind it. Whoever holds the next row never waits here.
    const auto decoded = static_cast<std::int64_t>(row.image.pixels.size());
    m_changed.wait(lock, [&] {
        return sequence == m_nextWrite || m_bytesReady == 0 || m_bytesReady + decoded <= kMaxBytesInFlight || m_setup.stop.stop_requested();
    });
    m_bytesReady += decoded;
    m_ready.emplace(sequence, std::move(row));
    // Rows are written in the importer's order, whichever worker was faster.
    for (auto next = m_ready.find(m_nextWrite); next != m_ready.end(); next = m_ready.find(m_nextWrite)) {
        writeLocked(next->second);
        m_bytesInFlight -= next->second.weight;
        m_bytesReady -= static_cast<std::int64_t>(next->second.image.pixels.size());
        m_ready.erase(next);
        ++m_nextWrite;
    }
    m_changed.notify_all();
}

void RowCollector::writeLocked(Finished& row) {
    if (row.trouble) {
        if (row.trouble->kind == "stopped") return;
        ++m_rows.failedImages;
        m_decodeWarnings.push_back({row.meta.source, 0, row.trouble->kind, row.trouble->detail, Outcome::Skipped});
        return;
    }
    for (ImageTrouble& remark : row.remarks) noteRemarkLocked(row.meta.source, std::move(remark));
    store(row.record, row);
    if (row.print.isTelling) {
        m_rows.prints.push_back(row.print);
        m_rows.printRows.push_back(static_cast<std::int64_t>(m_rows.table.records.size()));
    }
    m_rows.table.records.push_back(row.record);
}

/// Damage is named picture by picture; a folder of scientific TIFFs needs no line for each.
void RowCollector::noteRemarkLocked(const std::string& source, ImageTrouble remark) {
    if (remark.kind == "scaled_values" && m_scaledImages++ >= kNamedRows) return;
    m_decodeWarnings.push_back({source, 0, std::move(remark.kind), std::move(remark.detail), Outcome::Kept});
}

void RowCollector::store(RowRecord& record, Finished& row) {
    m_rows.table.setSource(record, row.meta.source);
    record.label = labelId(row.meta.label);
    record.sourceSplit = row.meta.split ? static_cast<std::uint8_t>(*row.meta.split) : kNoSplit;
    record.storedBytes = row.meta.storedBytes;
    const auto size = row.image.pixels.size();
    if (m_pixelBytes + size <= m_setup.maxPixelBytes || (row.path.empty() && row.bytes.empty())) {
        record.storage = RowStorage::Pixels;
        record.offset = m_pixelBytes;
        record.length = size;
        appendLocked(m_pixels, "pixels.bin", row.image.pixels.data(), size);
        m_pixelBytes += size;
    } else if (!row.path.empty()) {
        record.storage = RowStorage::Path;
        m_rows.table.setPath(record, fs::absolute(row.path).string());
    } else {
        record.storage = RowStorage::Blob;
        record.offset = m_blobBytes;
        record.length = row.bytes.size();
        appendLocked(m_blobs, "blobs.bin", row.bytes.data(), row.bytes.size());
        m_blobBytes += row.bytes.size();
    }
}

void RowCollector::appendLocked(FilePointer& file, const char* name, const void* data, std::size_t size) {
    if (m_setup.staging.empty() || m_failure) return;
    const auto path = m_setup.staging / name;
    if (!file) file.reset(std::fopen(path.c_str(), "wb"));
    if (!file || std::fwrite(data, 1, size, file.get()) != size)
        setFailureLocked(ioError("the data set could not be stored", path, errno));
}

int RowCollector::labelId(const std::optional<std::string>& label) {
    if (!label) return -1;
    const auto [found, isNew] = m_labelIds.emplace(*label, static_cast<int>(m_rows.labelNames.size()));
    if (isNew) m_rows.labelNames.push_back(*label);
    return found->second;
}

void RowCollector::columns(std::vector<std::string> names) { m_rows.columns = std::move(names); }
void RowCollector::declareClass(const std::string& name) { m_rows.declared.push_back(name); }

void RowCollector::progress(std::int64_t done, std::int64_t total) {
    if (m_setup.progress) m_setup.progress(done, total);
}

Result<void> RowCollector::features(RowMeta meta, std::vector<float> values) {
    ESPALIER_CHECK_OK(checkNext(true));
    std::lock_guard lock(m_mutex);
    RowRecord record;
    m_rows.table.setSource(record, meta.source);
    record.label = labelId(meta.label);
    record.sourceSplit = meta.split ? static_cast<std::uint8_t>(*meta.split) : kNoSplit;
    record.storedBytes = meta.storedBytes;
    record.storage = RowStorage::Features;
    record.offset = m_featureBytes;
    record.length = values.size() * sizeof(float);
    record.width = static_cast<std::uint32_t>(values.size());
    EVP_Digest(values.data(), record.length, record.digest.data(), nullptr, EVP_sha256(), nullptr);
    appendLocked(m_features, "features.bin", values.data(), record.length);
    m_featureBytes += record.length;
    m_rows.table.records.push_back(record);
    if (m_failure) return fail(*m_failure);
    return {};
}

Result<void> RowCollector::floatImage(RowMeta meta, int width, int height, int channels, std::vector<float> values) {
    ESPALIER_CHECK_OK(checkNext(false));
    std::size_t bad = 0;
    for (auto& value : values) {
        if (!std::isfinite(value)) {
            value = 0.0f;
            ++bad;
            continue;
        }
        if (!m_hasFloatRange) m_floatMin = m_floatMax = value;
        m_hasFloatRange = true;
        m_floatMin = std::min(m_floatMin, value);
        m_floatMax = std::max(m_floatMax, value);
    }
    if (bad > 0) noteNonFinite(m_floatRows.size(), bad);
    m_floatRows.push_back({std::move(meta), width, height, channels});
    return spoolFloats(values);
}

Result<void> RowCollector::spoolFloats(const std::vector<float>& values) {
    if (!m_floats) m_floats.reset(std::tmpfile());
    if (!m_floats || std::fwrite(values.data(), sizeof(float), values.size(), m_floats.get()) != values.size())
        return fail(ioError("float pictures could not be set aside", fs::temp_directory_path(), errno));
    return {};
}

void RowCollector::noteNonFinite(std::size_t row, std::size_t count) {
    m_nonFiniteValues += count;
    m_nonFiniteRows.push_back(row);
}

void RowCollector::warnOfNonFinite() {
    if (m_nonFiniteRows.empty()) return;
    // Importers that know the file's own words for it warn themselves.
    for (const auto& warning : m_warnings)
        if (warning.kind == "nan_values") return;
    std::string rows;
    for (std::size_t i = 0; i < std::min(kNamedRows, m_nonFiniteRows.size()); ++i)
        rows += (i ? ", " : "") + std::to_string(m_nonFiniteRows[i]);
    if (m_nonFiniteRows.size() > kNamedRows) rows += ", …";
    m_warnings.push_back({m_floatRows[m_nonFiniteRows[0]].meta.source, 0, "nan_values",
                          groupedNumber(static_cast<std::int64_t>(m_nonFiniteValues)) + (m_nonFiniteValues == 1 ? " value in " : " values in ") +
                              groupedNumber(static_cast<std::int64_t>(m_nonFiniteRows.size())) +
                              (m_nonFiniteRows.size() == 1 ? " sample (" : " samples (") + rows +
                              ") are NaN or infinite and were set to 0",
                          Outcome::Kept});
}

Result<void> RowCollector::scaleFloats() {
    if (m_floatRows.empty()) return {};
    warnOfNonFinite();
    float offset = 0.0f, factor = 1.0f;
    if (m_floatMin >= 0.0f && m_floatMax <= 1.0f) {
        factor = 255.0f;
    } else if (m_floatMin < 0.0f || m_floatMax > 255.0f || m_floatMax < 128.0f) {
        offset = std::min(0.0f, m_floatMin);
        factor = 255.0f / std::max(1e-30f, m_floatMax - offset);
        m_warnings.push_back({m_floatRows[0].meta.source, 0, "scaled_values",
                              "values from " + numberText(m_floatMin) + " to " + numberText(m_floatMax) +
                                  " were scaled to 8 bits (0 to 255), all pictures alike",
                              Outcome::Kept});
    }
    m_taken -= m_floatRows.size();  // they come a second time, as pictures
    std::rewind(m_floats.get());
    for (auto& row : m_floatRows) {
        if (isStopped()) return {};
        std::vector<float> values(std::size_t(row.width) * std::size_t(row.height) * std::size_t(row.channels));
        if (std::fread(values.data(), sizeof(float), values.size(), m_floats.get()) != values.size())
            return fail(ErrorCode::Io, "float pictures could not be read back", fs::temp_directory_path().string());
        feed::Image8 picture{row.width, row.height, row.channels, {}};
        picture.pixels.reserve(values.size());
        for (const float value : values)
            picture.pixels.push_back(static_cast<std::uint8_t>(std::clamp(std::nearbyint((value - offset) * factor), 0.0f, 255.0f)));
        ESPALIER_CHECK_OK(image(std::move(row.meta), std::move(picture)));
    }
    return {};
}

Result<void> RowCollector::finish() {
    ESPALIER_CHECK_OK(scaleFloats());
    m_queue.close();
    m_workers.clear();  // joins; every pushed row has been committed then
    ESPALIER_CHECK_OK(failure());
    for (auto* file : {&m_pixels, &m_blobs, &m_features})
        if (*file && (std::fflush(file->get()) != 0 || ::fsync(fileno(file->get())) != 0 || std::fclose(file->release()) != 0))
            return fail(ioError("the data set could not be stored", m_setup.staging, errno));
    if (m_scaledImages > kNamedRows)
        m_decodeWarnings.push_back({{}, 0, "scaled_values",
                                    groupedNumber(static_cast<std::int64_t>(m_scaledImages - kNamedRows)) +
                                        " more pictures were scaled to 8 bits, each by its own range",
                                    Outcome::Kept});
    m_rows.warnings = std::move(m_warnings);
    m_rows.warnings.insert(m_rows.warnings.end(), m_decodeWarnings.begin(), m_decodeWarnings.end());
    m_rows.isTable = m_isTable.value_or(false);
    return {};
}

RowCollector::Rows RowCollector::takeRows() { return std::move(m_rows); }

}  // namespace espalier::intake
