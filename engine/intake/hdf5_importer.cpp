#include <algorithm>
#include <cctype>
#include <map>

#include "engine/intake/array_rows.h"
#include "engine/intake/byte_source.h"
#include "engine/intake/importer.h"
#include "engine/intake/member_import.h"
#include "engine/runlog/h5_foreign.h"

namespace espalier::intake {
namespace fs = std::filesystem;
using runlog::ForeignH5;
using runlog::ForeignMember;

namespace {

constexpr std::int64_t kBlockBytes = 8 << 20;
constexpr std::string_view kSignature = "\x89HDF\r\n\x1a\n";

/// Rows of one dataset. Rows that cannot be read are left out and named in one warning.
class H5Rows final : public ArraySource {
public:
    H5Rows(ForeignH5& file, std::size_t member, std::string shown, std::string where, RowSink& sink)
        : m_file(file), m_member(member), m_info(file.members()[member]), m_shown(std::move(shown)), m_where(std::move(where)), m_sink(sink) {
        for (std::size_t d = 1; d < m_info.shape.size(); ++d) m_rowItems *= m_info.shape[d];
    }
    const std::vector<std::int64_t>& shape() const override { return m_info.shape; }
    bool isByte() const override { return m_info.isByte; }
    Result<bool> next(RowBlock& block) override {
        while (m_next < m_info.shape[0]) {
            const std::int64_t chunk = std::max<std::int64_t>(m_info.chunkRows, 1);
            std::int64_t count = std::max<std::int64_t>(1, kBlockBytes / std::max<std::int64_t>(1, m_rowItems * (m_info.isByte ? 1 : 8)));
            if (m_isCareful || chunk > count) count = std::min(count, chunk - m_next % chunk);
            else count -= count % chunk;
            count = std::min(count, m_info.shape[0] - m_next);
            auto got = fetch(block, m_next, count);
            if (got) {
                block.first = m_next;
                block.count = count;
                m_next += count;
                return true;
            }
            if (got.error().code != ErrorCode::Corrupt || !m_file.isAlive()) return fail(std::move(got).error());
            if (!m_isCareful && count > chunk) {
                m_isCareful = true;  // from here on chunk by chunk, so that only damaged ones are lost
                continue;
            }
            m_lost.emplace_back(m_next, count);
            m_reason = got.error().what;
            m_next += count;
        }
        return finish();
    }

private:
    Result<void> fetch(RowBlock& block, std::int64_t first, std::int64_t count) {
        block.bytes.clear();
        block.numbers.clear();
        if (m_info.isByte) {
            ESPALIER_TRY(block.bytes, m_file.readBytes(m_member, first, count));
        } else {
            ESPALIER_TRY(block.numbers, m_file.readNumbers(m_member, first, count));
        }
        return {};
    }
    Result<bool> finish() {
        if (m_lost.empty()) return false;
        std::int64_t rows = 0;
        std::string ranges;
        for (std::size_t i = 0; i < m_lost.size(); ++i) {
            rows += m_lost[i].second;
            if (i < 8) ranges += (i ? ", " : "") + std::to_string(m_lost[i].first) + " to " + std::to_string(m_lost[i].first + m_lost[i].second - 1);
            if (i == 8) ranges += ", …";
        }
        m_lost.clear();
        if (rows >= m_info.shape[0])
            return fail(ErrorCode::Corrupt, m_reason, m_where, "Download or copy the file again");
        m_sink.warn({m_shown, 0, "damaged_rows", "rows " + ranges + " of member " + m_info.path + " are damaged (" + m_reason + ") and were left out", Outcome::Skipped});
        return false;
    }

    ForeignH5& m_file;
    std::size_t m_member;
    const ForeignMember& m_info;
    std::string m_shown, m_where;
    RowSink& m_sink;
    std::int64_t m_rowItems = 1, m_next = 0;
    bool m_isCareful = false;
    std::vector<std::pair<std::int64_t, std::int64_t>> m_lost;
    std::string m_reason;
};

std::int64_t itemsOf(const std::vector<std::int64_t>& shape) {
    std::int64_t items = 1;
    for (const std::int64_t size : shape) items *= size;
    return items;
}

/// The datasets of one HDF5 file.
class H5Members final : public MemberFile {
public:
    H5Members(ForeignH5& file, RowSink& sink) : m_file(file), m_sink(sink) {
        for (const ForeignMember& member : file.members())
            m_infos.push_back({member.path, member.shape, member.kind == ForeignMember::Kind::Number,
                               member.kind == ForeignMember::Kind::Text, member.trouble});
    }
    const std::vector<MemberInfo>& members() const override { return m_infos; }

    Result<void> checkImages(std::size_t member, const std::string& where) override {
        const ForeignMember& info = m_file.members()[member];
        if (!info.trouble.empty())
            return fail(ErrorCode::Unsupported, info.trouble, where, remedyFor(info, "Store the values in the file itself with a usual filter (gzip or none)"));
        if (info.kind != ForeignMember::Kind::Number)
            return fail(ErrorCode::Unsupported, "holds no plain numbers (its type is text, a record or another compound)", where,
                        "Name the member with the pictures");
        ESPALIER_CHECK_OK(layoutOf(info.shape, "", false, where));
        return {};
    }

    Result<std::vector<std::string>> readLabels(std::size_t member, const std::string& where) override {
        const ForeignMember& info = m_file.members()[member];
        if (!info.trouble.empty()) return fail(ErrorCode::Unsupported, info.trouble, where, remedyFor(info, "Store the labels in the file itself, plainly"));
        const std::int64_t rows = info.shape.empty() ? 0 : info.shape[0];
        if (rows == 0 || itemsOf(info.shape) > 500000000) return fail(ErrorCode::BadInput, "holds no list of labels", where, "Name another member as labels");
        if (info.kind == ForeignMember::Kind::Text) {
            if (itemsOf(info.shape) != rows) return fail(ErrorCode::Unsupported, "has more than one text a sample", where, "Store one class name a sample");
            return m_file.readTexts(member, 0, rows);
        }
        if (info.kind != ForeignMember::Kind::Number)
            return fail(ErrorCode::Unsupported, "holds neither numbers nor texts", where, "Store one class number or name a sample");
        ESPALIER_TRY(const std::vector<double> values, m_file.readNumbers(member, 0, rows));
        if (!info.names.empty() && !isTruth(info) && itemsOf(info.shape) == rows) return namedLabels(info, values, where);
        return labelsFromNumbers(info.shape, values, where);
    }

    Result<void> deliver(std::size_t member, const ArrayDelivery::Part& part, ArrayDelivery& delivery) override {
        H5Rows rows(m_file, member, part.file, part.where, m_sink);
        return delivery.deliver(rows, part);
    }

private:
    /// The booleans of h5py; they are the numbers 0 and 1 as in an .npz.
    static bool isTruth(const ForeignMember& info) {
        return info.names == std::vector<std::pair<double, std::string>>{{0.0, "FALSE"}, {1.0, "TRUE"}};
    }
    /// Labels of an enum are called as it calls them.
    static Result<std::vector<std::string>> namedLabels(const ForeignMember& info, const std::vector<double>& values, const std::string& where) {
        const std::map<double, std::string> names(info.names.begin(), info.names.end());
        std::vector<std::string> labels;
        labels.reserve(values.size());
        for (std::size_t row = 0; row < values.size(); ++row) {
            const auto name = names.find(values[row]);
            if (name == names.end())
                return fail(ErrorCode::BadInput, "row " + std::to_string(row) + " has a number that its enum type does not name", where, "Store the labels with a name for every number");
            labels.push_back(name->second);
        }
        return labels;
    }

    static std::string remedyFor(const ForeignMember& info, const char* usual) { return info.isTooNew ? runlog::kOlderHdf5 : usual; }

    ForeignH5& m_file;
    RowSink& m_sink;
    std::vector<MemberInfo> m_infos;
};

/// HDF5 files with pictures or tables and labels: h5py, Keras, MATLAB 7.3, NetCDF 4.
class Hdf5Importer final : public Importer {
public:
    std::string_view format() const override { return "hdf5"; }
    int confidence(const fs::path& path, std::string_view head) const override {
        if (head.substr(0, 8) == kSignature) return 100;
        for (const std::size_t at : {std::size_t(512), std::size_t(1024), std::size_t(2048)})  // after a user block
            if (head.size() >= at + 8 && head.substr(at, 8) == kSignature) return 95;
        std::error_code error;
        if (fs::is_directory(path, error)) return 0;
        std::string suffix = path.extension().string();
        std::transform(suffix.begin(), suffix.end(), suffix.begin(), [](unsigned char c) { return char(std::tolower(c)); });
        return suffix == ".h5" || suffix == ".hdf5" || suffix == ".hdf" || suffix == ".he5" || suffix == ".hd5" ? 70 : 0;
    }
    Result<void> read(const fs::path& path, const ImportOptions& options, RowSink& sink) const override;
};

Result<void> Hdf5Importer::read(const fs::path& path, const ImportOptions& options, RowSink& sink) const {
    ESPALIER_TRY(const auto file, ForeignH5::open(path));
    H5Members members(*file, sink);
    return importMembers(members, path, options, sink);
}

}  // namespace

std::unique_ptr<Importer> makeHdf5Importer() { return std::make_unique<Hdf5Importer>(); }

}  // namespace espalier::intake
