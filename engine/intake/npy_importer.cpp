#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <set>

#include "engine/intake/array_rows.h"
#include "engine/intake/byte_source.h"
#include "engine/intake/importer.h"
#include "engine/intake/names.h"
#include "engine/intake/npy_reader.h"

namespace espalier::intake {

namespace {

constexpr std::size_t kMaxGuessedClasses = 100;

/// Values of one column and whether the other columns are whole numbers too.
struct ColumnLook {
    std::vector<double> label;
    bool allOthersWhole = true;
};

Result<ColumnLook> lookAtColumn(const std::filesystem::path& path, std::int64_t column) {
    ESPALIER_TRY(auto source, openFileBytes(path));
    ESPALIER_TRY(const NpyHeader header, readNpyHeader(*source));
    const auto rows = npyRows(*source, header);
    const std::int64_t columns = header.shape[1];
    ColumnLook look;
    RowBlock block;
    for (;;) {
        ESPALIER_TRY(const bool isMore, rows->next(block));
        if (!isMore) return look;
        for (std::int64_t i = 0; i < block.count * columns; ++i) {
            const double value = block.numbers.empty() ? block.bytes[static_cast<std::size_t>(i)] : block.numbers[static_cast<std::size_t>(i)];
            if (i % columns == column) look.label.push_back(value);
            else look.allOthersWhole = look.allOthersWhole && value == std::floor(value);
        }
    }
}

/// The last column is a label when it counts classes from 0 or 1 without gaps and the table would not be square
/// pictures with it.
bool isLabelColumn(const ColumnLook& look, std::int64_t columns) {
    std::set<double> classes;
    for (const double value : look.label) {
        if (!std::isfinite(value) || value != std::floor(value) || value < 0) return false;
        classes.insert(value);
        if (classes.size() > kMaxGuessedClasses) return false;
    }
    if (classes.size() < 2 || look.label.size() < 2 * classes.size() || *classes.begin() > 1) return false;
    if (*classes.rbegin() - *classes.begin() + 1 != static_cast<double>(classes.size())) return false;
    const auto side = std::llround(std::sqrt(static_cast<double>(columns)));
    return !look.allOthersWhole || side * side != columns;
}

Result<std::int64_t> labelColumn(const NpyHeader& header, const ImportOptions& options, const std::filesystem::path& path,
                                 RowSink& sink, std::vector<std::string>& labels) {
    if (header.shape.size() != 2 || header.shape[0] == 0 || header.shape[1] < 2) return -1;
    const std::int64_t columns = header.shape[1];
    std::int64_t column = columns - 1;
    if (!options.label.empty()) {
        char* end = nullptr;
        column = std::strtoll(options.label.c_str(), &end, 10) - 1;
        if (*end || column < 0 || column >= columns)
            return fail(ErrorCode::NotFound,
                        "has no column \"" + options.label + "\": columns of an array have numbers from 1 to " + std::to_string(columns),
                        path.string(), "Name one of these");
    } else if (!options.imageShape.empty() && options.imageShape != "none") {
        std::int64_t values = 0;
        if (const auto shape = parseImageShape(options.imageShape, columns - 1, path.string())) values = shape->values();
        if (values != columns - 1) return -1;
    }
    ESPALIER_TRY(const ColumnLook look, lookAtColumn(path, column));
    if (options.label.empty() && !isLabelColumn(look, columns)) return -1;
    ESPALIER_TRY(labels, labelsFromNumbers({header.shape[0]}, look.label, path.string()));
    if (options.label.empty())
        sink.warn({shownName(path), 0, "label_guessed",
                   "the last column counts classes and was taken as the label; name a column to choose another", Outcome::Kept});
    return column;
}

/// (height, width, 3) is what imread gives for one picture: as a set it would be strips three pixels wide.
bool isOnePicture(const std::vector<std::int64_t>& shape) {
    constexpr std::int64_t kSmallestSide = 8;
    return shape.size() == 3 && (shape[2] == 3 || shape[2] == 4) && shape[0] >= kSmallestSide && shape[1] >= kSmallestSide;
}

/// One .npy: pictures or a table.
class NpyImporter final : public Importer {
public:
    std::string_view format() const override { return "npy"; }
    int confidence(const std::filesystem::path& path, std::string_view head) const override {
        if (head.substr(0, 6) == "\x93NUMPY") return 100;
        const std::string name = lowerAscii(path.filename().string());
        return name.ends_with(".npy") || name.ends_with(".npy.gz") ? 60 : 0;
    }
    Result<void> read(const std::filesystem::path& path, const ImportOptions& options, RowSink& sink) const override {
        ESPALIER_TRY(auto source, openFileBytes(path));
        ESPALIER_TRY(NpyHeader header, readNpyHeader(*source));
        ESPALIER_CHECK_OK(checkNpyNumbers(header, path.string()));
        if (isOnePicture(header.shape)) {
            sink.warn({shownName(path), 0, "one_picture",
                       "the array was read as one colour picture, not as " + grouped(header.shape[0]) + " grey ones; add a first dimension to say otherwise",
                       Outcome::Kept});
            header.shape.insert(header.shape.begin(), 1);
        }
        if (const std::int64_t extra = source->totalBytes() - header.headerBytes - header.items() * header.itemBytes; source->totalBytes() >= 0 && extra > 0)
            sink.warn({shownName(path), 0, "trailing_bytes", grouped(extra) + " bytes follow the array and were left out", Outcome::Ignored});
        ESPALIER_CHECK_OK(layoutOf(header.shape, "", false, path.string()));
        std::vector<std::string> labels;
        ESPALIER_TRY(const std::int64_t column, labelColumn(header, options, path, sink, labels));
        if (column < 0)
            sink.warn({shownName(path), 0, "unlabelled", "the array has no labels; the samples came in unlabelled", Outcome::Kept});
        else
            declareSorted(labels, sink);
        const auto rows = npyRows(*source, header);
        ArrayDelivery delivery(sink, options, header.shape[0]);
        ArrayDelivery::Part part;
        part.file = shownName(path);
        part.where = path.string();
        part.labels = column < 0 ? nullptr : &labels;
        part.labelColumn = column;
        return delivery.deliver(*rows, part);
    }
};

}  // namespace

std::unique_ptr<Importer> makeNpyImporter() { return std::make_unique<NpyImporter>(); }

}  // namespace espalier::intake
