#include "engine/intake/row_table.h"

#include <cmath>
#include <cstring>
#include <map>
#include <span>

#include <openssl/evp.h>

#include "engine/base/files.h"

namespace espalier::intake {
namespace {

struct Header {
    std::array<char, 8> magic{'E', 'S', 'P', 'R', 'O', 'W', 'S', '1'};
    std::uint32_t recordBytes = sizeof(RowRecord);
    std::uint32_t reserved = 0;
    std::uint64_t rows = 0;
    std::uint64_t textBytes = 0;
};
static_assert(sizeof(Header) == 32);

Error damaged(const std::filesystem::path& file, const std::string& how) {
    return Error{ErrorCode::Corrupt, "the row table is damaged: " + how, file.string(), "Import the data again", {}};
}

bool isInside(std::uint64_t offset, std::uint64_t length, std::uint64_t size) {
    return offset <= size && length <= size - offset;
}

}  // namespace

void RowTable::setSource(RowRecord& record, std::string_view text) {
    record.sourceOffset = texts.size();
    record.sourceLength = static_cast<std::uint32_t>(text.size());
    texts.append(text);
}

void RowTable::setPath(RowRecord& record, std::string_view text) {
    record.pathOffset = texts.size();
    record.pathLength = static_cast<std::uint32_t>(text.size());
    texts.append(text);
}

Result<void> writeRowTable(const std::filesystem::path& file, const RowTable& table) {
    Header header;
    header.rows = table.records.size();
    header.textBytes = table.texts.size();
    return writeFileAtomically(file, [&](const ByteSink& sink) -> Result<void> {
        ESPALIER_CHECK_OK(sink(std::as_bytes(std::span(&header, 1))));
        ESPALIER_CHECK_OK(sink(std::as_bytes(std::span(table.records))));
        return sink(std::as_bytes(std::span(table.texts)));
    });
}

Result<RowTable> readRowTable(const std::filesystem::path& file, std::int64_t classes) {
    ESPALIER_TRY(const std::string bytes, readFile(file, std::size_t(1) << 36));
    Header header;
    const Header expected;
    if (bytes.size() < sizeof(Header)) return fail(damaged(file, "it ends within its header"));
    std::memcpy(&header, bytes.data(), sizeof(Header));
    if (header.magic != expected.magic || header.recordBytes != sizeof(RowRecord))
        return fail(damaged(file, "its header is not one of this version"));
    const std::uint64_t rest = bytes.size() - sizeof(Header);
    if (header.rows > rest / sizeof(RowRecord) || header.textBytes != rest - header.rows * sizeof(RowRecord))
        return fail(damaged(file, "its length is not what its header says"));
    RowTable table;
    table.records.resize(header.rows);
    if (header.rows > 0)
        std::memcpy(static_cast<void*>(table.records.data()), bytes.data() + sizeof(Header),
                    header.rows * sizeof(RowRecord));
    table.texts = bytes.substr(sizeof(Header) + header.rows * sizeof(RowRecord));
    for (const RowRecord& record : table.records) {
        const bool isGood = isInside(record.sourceOffset, record.sourceLength, table.texts.size()) &&
                            isInside(record.pathOffset, record.pathLength, table.texts.size()) && record.split <= 2 &&
                            record.label >= -1 && record.label < classes && record.storage <= RowStorage::Features &&
                            record.width < (1u << 30) && record.height < (1u << 30) && record.channels <= 4;
        if (!isGood) return fail(damaged(file, "row " + std::to_string(&record - table.records.data())));
    }
    return table;
}

std::string contentHash(const feed::DatasetSummary& summary, const RowTable& table) {
    EVP_MD_CTX* context = EVP_MD_CTX_new();
    EVP_DigestInit_ex(context, EVP_sha256(), nullptr);
    const auto addText = [&](const std::string& text) {
        const std::uint64_t size = text.size();
        EVP_DigestUpdate(context, &size, sizeof size);
        EVP_DigestUpdate(context, text.data(), text.size());
    };
    addText("espalier data set 1");
    addText(summary.kind);
    for (const feed::ClassInfo& info : summary.classes) addText(info.name);
    for (const std::string& column : summary.columns) addText(column);
    for (const RowRecord& record : table.records) {
        EVP_DigestUpdate(context, record.digest.data(), record.digest.size());
        EVP_DigestUpdate(context, &record.label, sizeof record.label);
        EVP_DigestUpdate(context, &record.split, sizeof record.split);
    }
    std::array<unsigned char, 32> digest{};
    EVP_DigestFinal_ex(context, digest.data(), nullptr);
    EVP_MD_CTX_free(context);
    std::string hex;
    for (const unsigned char byte : digest) {
        hex += "0123456789abcdef"[byte >> 4];
        hex += "0123456789abcdef"[byte & 15];
    }
    return hex;
}

namespace {

void countSplits(feed::DatasetSummary& summary, const RowTable& table) {
    summary.splits = {};
    for (feed::ClassInfo& info : summary.classes) info.counts = {};
    for (const RowRecord& record : table.records) {
        ++summary.splits[record.split];
        if (record.label >= 0) ++summary.classes[static_cast<std::size_t>(record.label)].counts[record.split];
    }
}

/// Grey rows count as three equal channels when the data set has colour.
void measureTrainChannels(feed::DatasetSummary& summary, const RowTable& table) {
    const std::size_t channels = summary.kind == "table" || summary.shape.empty()
                                     ? 0
                                     : static_cast<std::size_t>(summary.shape.front());
    summary.channelMean.assign(channels, 0.0);
    summary.channelStd.assign(channels, 0.0);
    if (channels == 0) return;
    std::array<double, 3> sums{}, squares{};
    double pixels = 0;
    for (const RowRecord& record : table.records) {
        if (record.split != 0) continue;
        pixels += double(record.width) * record.height;
        for (std::size_t c = 0; c < channels && c < 3; ++c) {
            const std::size_t from = record.channels == 1 ? 0 : c;
            sums[c] += record.sums[from];
            squares[c] += record.squares[from];
        }
    }
    if (pixels == 0) return;
    for (std::size_t c = 0; c < channels && c < 3; ++c) {
        const double mean = sums[c] / pixels;
        summary.channelMean[c] = mean / 255.0;
        summary.channelStd[c] = std::sqrt(std::max(0.0, squares[c] / pixels - mean * mean)) / 255.0;
    }
}

void countLeaks(feed::DatasetSummary& summary, const RowTable& table) {
    std::map<std::array<std::uint8_t, 32>, unsigned> splitsOf;  // bit a split
    for (const RowRecord& record : table.records) splitsOf[record.digest] |= 1u << record.split;
    summary.exactAcrossSplits = 0;
    for (const RowRecord& record : table.records)
        if (record.split != 0 && (splitsOf[record.digest] & ((1u << record.split) - 1)) != 0)
            ++summary.exactAcrossSplits;
    for (feed::NearPair& pair : summary.nearPairs)
        pair.acrossSplits = table.records[static_cast<std::size_t>(pair.a)].split !=
                            table.records[static_cast<std::size_t>(pair.b)].split;
}

}  // namespace

void summarizeSplits(feed::DatasetSummary& summary, const RowTable& table) {
    summary.samples = static_cast<std::int64_t>(table.records.size());
    countSplits(summary, table);
    measureTrainChannels(summary, table);
    countLeaks(summary, table);
    summary.hash = contentHash(summary, table);
}

}  // namespace espalier::intake
