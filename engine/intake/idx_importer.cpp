#include <algorithm>
#include <bit>
#include <cctype>
#include <cstring>

#include "engine/intake/array_rows.h"
#include "engine/intake/byte_source.h"
#include "engine/intake/data_files.h"
#include "engine/intake/importer.h"
#include "engine/intake/names.h"

namespace espalier::intake {
namespace fs = std::filesystem;

namespace {

constexpr std::int64_t kBlockBytes = 4 << 20;

/// Header of an idx file: two zero bytes, type, rank, sizes in big-endian order.
struct IdxHeader {
    int type = 0;
    std::int64_t itemBytes = 0;
    std::vector<std::int64_t> shape;
    std::int64_t items() const {
        std::int64_t count = 1;
        for (const std::int64_t size : shape) count *= size;
        return count;
    }
};

std::int64_t itemSize(int type) {
    switch (type) {
        case 0x08: case 0x09: return 1;
        case 0x0B: return 2;
        case 0x0C: case 0x0D: return 4;
        case 0x0E: return 8;
        default: return 0;
    }
}

bool looksLikeIdx(std::string_view head) {
    return head.size() >= 8 && head[0] == 0 && head[1] == 0 && itemSize(static_cast<unsigned char>(head[2])) > 0 && head[3] >= 1 &&
           head[3] <= 4;
}

Result<void> readExactly(ByteSource& source, void* out, std::size_t size) {
    ESPALIER_TRY(const std::size_t count, source.read(out, size));
    if (count < size)
        return fail(ErrorCode::Corrupt, "the idx file ends too early: its header promises more data, so it was cut short", source.where(),
                    "Download or copy the file again");
    return {};
}

Result<IdxHeader> readIdxHeader(ByteSource& source) {
    unsigned char lead[4];
    ESPALIER_CHECK_OK(readExactly(source, lead, 4));
    IdxHeader header;
    header.type = lead[2];
    header.itemBytes = itemSize(lead[2]);
    if (lead[0] != 0 || lead[1] != 0 || header.itemBytes == 0 || lead[3] < 1 || lead[3] > 8)
        return fail(ErrorCode::Corrupt, "is not in the idx format of MNIST: the first four bytes are not those of an idx header",
                    source.where(), "Download the file again");
    std::int64_t bytes = header.itemBytes;
    for (int i = 0; i < lead[3]; ++i) {
        unsigned char size[4];
        ESPALIER_CHECK_OK(readExactly(source, size, 4));
        header.shape.push_back(std::int64_t(size[0]) << 24 | size[1] << 16 | size[2] << 8 | size[3]);
        if (__builtin_mul_overflow(bytes, header.shape.back(), &bytes))
            return fail(ErrorCode::Corrupt, "the idx header claims more data than any file can hold", source.where(), "Download the file again");
    }
    const std::int64_t present = source.totalBytes() - 4 - 4 * lead[3];
    if (source.totalBytes() >= 0 && bytes > present)
        return fail(ErrorCode::Corrupt,
                    "the idx header claims " + grouped(bytes) + " bytes of data, but " + grouped(present) + " follow: the file was cut short",
                    source.where(), "Download or copy the file again");
    return header;
}

template <class T>
double bigEndian(const char* from) {
    char raw[sizeof(T)];
    for (std::size_t i = 0; i < sizeof(T); ++i) raw[std::endian::native == std::endian::little ? sizeof(T) - 1 - i : i] = from[i];
    T value;
    std::memcpy(&value, raw, sizeof(T));
    return static_cast<double>(value);
}

double number(int type, const char* from) {
    switch (type) {
        case 0x09: return static_cast<signed char>(*from);
        case 0x0B: return bigEndian<std::int16_t>(from);
        case 0x0C: return bigEndian<std::int32_t>(from);
        case 0x0D: return bigEndian<float>(from);
        case 0x0E: return bigEndian<double>(from);
        default: return static_cast<unsigned char>(*from);
    }
}

class IdxRows final : public ArraySource {
public:
    IdxRows(ByteSource& source, IdxHeader header) : m_source(source), m_header(std::move(header)) {}
    const std::vector<std::int64_t>& shape() const override { return m_header.shape; }
    bool isByte() const override { return m_header.type == 0x08; }
    Result<bool> next(RowBlock& block) override {
        if (m_next >= m_header.shape[0]) return false;
        const std::int64_t rowItems = m_header.items() / m_header.shape[0], rowBytes = std::max<std::int64_t>(rowItems * m_header.itemBytes, 1);
        block.first = m_next;
        block.count = std::min(m_header.shape[0] - m_next, std::max<std::int64_t>(1, kBlockBytes / rowBytes));
        m_raw.resize(static_cast<std::size_t>(block.count * rowBytes));
        ESPALIER_CHECK_OK(readExactly(m_source, m_raw.data(), m_raw.size()));
        block.bytes.clear();
        block.numbers.clear();
        if (isByte()) {
            block.bytes.assign(m_raw.begin(), m_raw.end());
        } else {
            for (std::size_t at = 0; at < m_raw.size(); at += static_cast<std::size_t>(m_header.itemBytes))
                block.numbers.push_back(number(m_header.type, &m_raw[at]));
        }
        m_next += block.count;
        return true;
    }

private:
    ByteSource& m_source;
    IdxHeader m_header;
    std::int64_t m_next = 0;
    std::string m_raw;
};

Result<std::vector<std::string>> readLabels(const fs::path& path) {
    ESPALIER_TRY(auto source, openFileBytes(path));
    ESPALIER_TRY(IdxHeader header, readIdxHeader(*source));
    IdxRows rows(*source, header);
    std::vector<double> values;
    RowBlock block;
    for (;;) {
        if (header.shape[0] == 0) break;
        ESPALIER_TRY(const bool isMore, rows.next(block));
        if (!isMore) break;
        values.insert(values.end(), block.bytes.begin(), block.bytes.end());
        values.insert(values.end(), block.numbers.begin(), block.numbers.end());
    }
    return labelsFromNumbers(header.shape, values, path.string());
}

std::optional<feed::Split> splitOfName(const std::string& name) {
    const std::string text = lowerAscii(name);
    if (text.find("train") != std::string::npos) return feed::Split::Train;
    if (text.find("t10k") != std::string::npos || text.find("test") != std::string::npos) return feed::Split::Test;
    if (text.find("val") != std::string::npos) return feed::Split::Valid;
    return std::nullopt;
}

struct IdxPair {
    fs::path images, labels;
};

std::vector<fs::path> idxFiles(const fs::path& folder) {
    std::vector<fs::path> files;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(folder, error))
        if (entry.is_regular_file(error) && isIdxName(entry.path().string())) files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    return files;
}

/// The folder itself, where torchvision keeps the files below it, or the only folder in it.
fs::path folderWithFiles(const fs::path& folder) {
    for (const fs::path& inner : {folder, folder / "raw", folder / "MNIST" / "raw"})
        if (!idxFiles(inner).empty()) return inner;
    std::error_code error;
    fs::path only;
    for (const auto& entry : fs::directory_iterator(folder, error)) {
        if (isSystemName(entry.path().filename().string())) continue;
        if (!only.empty() || entry.is_symlink(error) || !entry.is_directory(error)) return {};
        only = entry.path();
    }
    return only.empty() || idxFiles(only).empty() ? fs::path() : only;
}

std::vector<IdxPair> pairFiles(const std::vector<fs::path>& files) {
    std::vector<IdxPair> pairs;
    for (const fs::path& file : files) {
        const std::string name = file.filename().string();
        if (isIdxLabelName(name)) continue;
        // A packed file beside its unpacked copy is the same data.
        const bool isKnown = std::any_of(pairs.begin(), pairs.end(), [&](const IdxPair& pair) {
            return idxStem(pair.images.filename().string()) == idxStem(name);
        });
        if (isKnown) continue;
        IdxPair pair{file, {}};
        for (const fs::path& other : files)
            if (isIdxLabelName(other.filename().string()) && idxStem(other.filename().string()) == idxStem(name) && pair.labels.empty()) pair.labels = other;
        pairs.push_back(pair);
    }
    std::stable_sort(pairs.begin(), pairs.end(), [](const IdxPair& a, const IdxPair& b) {
        return splitOfName(a.images.filename().string()).value_or(feed::Split::Train) < splitOfName(b.images.filename().string()).value_or(feed::Split::Train);
    });
    return pairs;
}

/// The idx files of MNIST and its relatives, also gzipped: one, or a folder with the four.
class IdxImporter final : public Importer {
public:
    std::string_view format() const override { return "idx"; }
    int confidence(const fs::path& path, std::string_view head) const override {
        std::error_code error;
        if (fs::is_directory(path, error)) return folderWithFiles(path).empty() ? 0 : 95;
        if (isIdxName(path.string())) return 90;
        return looksLikeIdx(head) ? 50 : 0;
    }
    Result<void> read(const fs::path& path, const ImportOptions& options, RowSink& sink) const override;
};

Result<std::vector<IdxPair>> pairsFor(const fs::path& path) {
    std::error_code error;
    if (fs::is_directory(path, error)) {
        const auto pairs = pairFiles(idxFiles(folderWithFiles(path)));
        if (pairs.empty())
            return fail(ErrorCode::BadInput, "has no idx file with pictures (such as train-images-idx3-ubyte)", path.string(), "Add it beside the labels");
        return pairs;
    }
    std::vector<IdxPair> pairs = pairFiles(idxFiles(path.parent_path().empty() ? fs::path(".") : path.parent_path()));
    std::erase_if(pairs, [&](const IdxPair& pair) {
        return pair.images.filename() != path.filename() && pair.labels.filename() != path.filename();
    });
    if (!pairs.empty()) return pairs;
    if (isIdxLabelName(path.filename().string()))
        return fail(ErrorCode::BadInput, "holds labels only; the idx file with the pictures is not beside it", path.string(),
                    "Put both files into one folder");
    return std::vector<IdxPair>{{path, {}}};
}

Result<void> IdxImporter::read(const fs::path& path, const ImportOptions& options, RowSink& sink) const {
    ESPALIER_TRY(const std::vector<IdxPair> pairs, pairsFor(path));
    std::vector<std::vector<std::string>> labels(pairs.size());
    std::vector<std::string> all;
    std::int64_t total = 0;
    for (std::size_t i = 0; i < pairs.size(); ++i) {
        ESPALIER_TRY(auto source, openFileBytes(pairs[i].images));
        ESPALIER_TRY(const IdxHeader header, readIdxHeader(*source));
        ESPALIER_CHECK_OK(layoutOf(header.shape, "", false, pairs[i].images.string()));
        total += header.shape[0];
        if (pairs[i].labels.empty()) continue;
        ESPALIER_TRY(labels[i], readLabels(pairs[i].labels));
        if (static_cast<std::int64_t>(labels[i].size()) != header.shape[0])
            return fail(ErrorCode::BadInput,
                        shownName(pairs[i].images) + " has " + grouped(header.shape[0]) + " samples, but " + shownName(pairs[i].labels) + " has " +
                            grouped(static_cast<std::int64_t>(labels[i].size())) + " labels",
                        path.string(), "Use two files that belong together");
        all.insert(all.end(), labels[i].begin(), labels[i].end());
    }
    declareSorted(all, sink);
    ArrayDelivery delivery(sink, options, total);
    for (std::size_t i = 0; i < pairs.size(); ++i) {
        ESPALIER_TRY(auto source, openFileBytes(pairs[i].images));
        ESPALIER_TRY(IdxHeader header, readIdxHeader(*source));
        ArrayDelivery::Part part;
        part.file = shownName(pairs[i].images);
        part.where = pairs[i].images.string();
        part.labels = pairs[i].labels.empty() ? nullptr : &labels[i];
        if (pairs.size() > 1) part.split = splitOfName(part.file);
        const std::int64_t extra = source->totalBytes() - 4 - 4 * static_cast<std::int64_t>(header.shape.size()) - header.items() * header.itemBytes;
        if (source->totalBytes() >= 0 && extra > 0)
            sink.warn({part.file, 0, "trailing_bytes", grouped(extra) + " bytes follow the array and were left out", Outcome::Ignored});
        if (!part.labels) sink.warn({part.file, 0, "unlabelled", "no idx file with labels is beside it; its samples came in unlabelled", Outcome::Kept});
        IdxRows rows(*source, std::move(header));
        ESPALIER_CHECK_OK(delivery.deliver(rows, part));
    }
    return {};
}

}  // namespace

std::unique_ptr<Importer> makeIdxImporter() { return std::make_unique<IdxImporter>(); }

}  // namespace espalier::intake
