#include "engine/intake/npy_reader.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "engine/intake/half_float.h"

namespace espalier::intake {

namespace {

constexpr std::int64_t kMaxHeaderBytes = 1 << 20;
constexpr std::int64_t kBlockBytes = 4 << 20;
constexpr std::int64_t kMaxColumnMajorBytes = std::int64_t(4) << 30;  ///< held whole to be turned
const char* const kSaveAgain = "Save it again with numpy.save as plain numbers";

tl::unexpected<Error> notNpy(const std::string& where) {
    return fail(ErrorCode::Corrupt, "is not a NumPy array: the header cannot be read", where, kSaveAgain);
}

Result<void> readExactly(ByteSource& source, void* out, std::size_t size) {
    ESPALIER_TRY(const std::size_t count, source.read(out, size));
    if (count < size)
        return fail(ErrorCode::Corrupt, "ends too early: the data are cut short", source.where(), "Download or copy the file again");
    return {};
}

/// Text after `'key':` in the header's dictionary.
std::string_view afterKey(std::string_view header, std::string_view key) {
    for (const char quote : {'\'', '"'}) {
        const std::string marked = quote + std::string(key) + quote;
        const auto at = header.find(marked);
        if (at == std::string_view::npos) continue;
        const auto colon = header.find(':', at + marked.size());
        if (colon == std::string_view::npos) return {};
        const auto start = header.find_first_not_of(" \t", colon + 1);
        return start == std::string_view::npos ? std::string_view{} : header.substr(start);
    }
    return {};
}

bool parseShape(std::string_view text, std::vector<std::int64_t>& shape) {
    if (text.empty() || text[0] != '(') return false;
    std::int64_t value = -1;
    for (std::size_t i = 1; i < text.size(); ++i) {
        const char c = text[i];
        if (c >= '0' && c <= '9') {
            if (value > (INT64_MAX - 9) / 10) return false;
            value = (value < 0 ? 0 : value) * 10 + (c - '0');
        } else if (c == ',' || c == ')') {
            if (value >= 0) shape.push_back(value);
            value = -1;
            if (c == ')') return shape.size() <= 32;
        } else if (c != ' ' && c != 'L') {  // Python 2 wrote 40L
            return false;
        }
    }
    return false;
}

void parseDescr(NpyHeader& header) {
    using Kind = NpyHeader::Kind;
    std::string_view text = header.descr;
    char order = '|';
    if (!text.empty() && std::strchr("<>|=", text[0])) {
        order = text[0];
        text.remove_prefix(1);
    }
    header.isSwapped = order == (std::endian::native == std::endian::little ? '>' : '<');
    if (text.empty()) return;
    const char code = text[0];
    std::int64_t size = 0;
    for (const char c : text.substr(1)) {
        if (c < '0' || c > '9' || size > 100000000) return;
        size = size * 10 + (c - '0');
    }
    header.itemBytes = code == 'U' ? size * 4 : size;
    const bool isIntSize = size == 1 || size == 2 || size == 4 || size == 8;
    if (code == 'O') header.kind = Kind::Object;
    else if ((code == 'b' || code == '?') && size <= 1) header.kind = Kind::Bool, header.itemBytes = 1;
    else if (code == 'i' && isIntSize) header.kind = Kind::Signed;
    else if (code == 'u' && isIntSize) header.kind = Kind::Unsigned;
    else if (code == 'f' && (size == 2 || size == 4 || size == 8)) header.kind = Kind::Float;
    else if (code == 'S' || code == 'a') header.kind = Kind::Bytes;
    else if (code == 'U') header.kind = Kind::Unicode;
}

Result<void> checkClaim(const NpyHeader& header, const ByteSource& source) {
    std::int64_t items = 1;
    for (const std::int64_t size : header.shape)
        if (__builtin_mul_overflow(items, size, &items))
            return fail(ErrorCode::Corrupt, "the header claims more values and bytes than any file can hold", source.where(), kSaveAgain);
    std::int64_t bytes = 0;
    if (__builtin_mul_overflow(items, std::max<std::int64_t>(header.itemBytes, 1), &bytes))
        return fail(ErrorCode::Corrupt, "the header claims more bytes than any file can hold", source.where(), kSaveAgain);
    const bool isSized = header.isNumber() || header.isText();
    if (isSized && source.totalBytes() >= 0 && bytes > source.totalBytes() - header.headerBytes)
        return fail(ErrorCode::Corrupt,
                    "the header claims " + grouped(bytes) + " bytes of data, but " +
                        grouped(source.totalBytes() - header.headerBytes) + " follow: the file was cut short or never complete",
                    source.where(), "Download or save it again");
    return {};
}

template <class T>
T load(const char* from, bool isSwapped) {
    char raw[sizeof(T)];
    std::memcpy(raw, from, sizeof(T));
    if (isSwapped) std::reverse(raw, raw + sizeof(T));
    T value;
    std::memcpy(&value, raw, sizeof(T));
    return value;
}

template <class T>
void convert(const char* from, std::int64_t count, bool isSwapped, double* out) {
    for (std::int64_t i = 0; i < count; ++i) out[i] = static_cast<double>(load<T>(from + i * sizeof(T), isSwapped));
}

void toNumbers(const NpyHeader& header, const char* from, std::int64_t count, double* out) {
    using Kind = NpyHeader::Kind;
    const bool s = header.isSwapped;
    const auto size = header.itemBytes;
    if (header.kind == Kind::Bool) {
        for (std::int64_t i = 0; i < count; ++i) out[i] = from[i] ? 1.0 : 0.0;
    } else if (header.kind == Kind::Signed) {
        size == 1 ? convert<std::int8_t>(from, count, s, out) : size == 2 ? convert<std::int16_t>(from, count, s, out)
        : size == 4 ? convert<std::int32_t>(from, count, s, out) : convert<std::int64_t>(from, count, s, out);
    } else if (header.kind == Kind::Unsigned) {
        size == 1 ? convert<std::uint8_t>(from, count, s, out) : size == 2 ? convert<std::uint16_t>(from, count, s, out)
        : size == 4 ? convert<std::uint32_t>(from, count, s, out) : convert<std::uint64_t>(from, count, s, out);
    } else if (size == 2) {
        for (std::int64_t i = 0; i < count; ++i) out[i] = halfToDouble(load<std::uint16_t>(from + i * 2, s));
    } else {
        size == 4 ? convert<float>(from, count, s, out) : convert<double>(from, count, s, out);
    }
}

/// Column-major to row-major, items of any size.
std::string toRowMajor(const NpyHeader& header, const std::string& data) {
    const std::size_t item = static_cast<std::size_t>(header.itemBytes), rank = header.shape.size();
    std::vector<std::int64_t> stride(rank, 1), index(rank, 0);
    for (std::size_t d = 1; d < rank; ++d) stride[d] = stride[d - 1] * header.shape[d - 1];
    std::string out(data.size(), '\0');
    std::int64_t from = 0;
    for (std::size_t at = 0; at < out.size(); at += item) {
        std::memcpy(out.data() + at, data.data() + static_cast<std::size_t>(from) * item, item);
        for (std::size_t d = rank; d-- > 0;) {
            from += stride[d];
            if (++index[d] < header.shape[d]) break;
            from -= stride[d] * header.shape[d];
            index[d] = 0;
        }
    }
    return out;
}

Result<std::string> readWhole(ByteSource& source, const NpyHeader& header) {
    const std::int64_t bytes = header.items() * header.itemBytes;
    if (bytes > kMaxColumnMajorBytes)
        return fail(ErrorCode::Unsupported, "has " + grouped(bytes) + " bytes that must be held in memory at once", source.where(),
                    "Save it in row-major order (numpy.ascontiguousarray) or in parts");
    // Grown as the data arrive: a claim in a gzip stream cannot be checked beforehand.
    std::string data;
    while (static_cast<std::int64_t>(data.size()) < bytes) {
        const auto piece = static_cast<std::size_t>(std::min<std::int64_t>(bytes - std::int64_t(data.size()), 16 << 20));
        data.resize(data.size() + piece);
        ESPALIER_CHECK_OK(readExactly(source, data.data() + data.size() - piece, piece));
    }
    return header.isFortran && header.shape.size() > 1 ? toRowMajor(header, data) : std::move(data);
}

/// The rest of the source must still be read where it carries a checksum.
Result<void> drain(ByteSource& source) {
    char rest[4096];
    for (;;) {
        ESPALIER_TRY(const std::size_t count, source.read(rest, sizeof rest));
        if (count < sizeof rest) return {};
    }
}

class NpyRows final : public ArraySource {
public:
    NpyRows(ByteSource& source, NpyHeader header) : m_source(source), m_header(std::move(header)) {
        const std::int64_t rows = m_header.shape.empty() ? 1 : std::max<std::int64_t>(m_header.shape[0], 1);
        m_rowItems = m_header.items() / rows;
    }
    const std::vector<std::int64_t>& shape() const override { return m_header.shape; }
    bool isByte() const override { return m_header.kind == NpyHeader::Kind::Unsigned && m_header.itemBytes == 1; }
    Result<bool> next(RowBlock& block) override {
        const std::int64_t rows = m_header.shape[0];
        if (m_next >= rows) {
            ESPALIER_CHECK_OK(drain(m_source));
            return false;
        }
        const std::int64_t rowBytes = std::max<std::int64_t>(m_rowItems * m_header.itemBytes, 1);
        block.first = m_next;
        block.count = std::min(rows - m_next, std::max<std::int64_t>(1, kBlockBytes / rowBytes));
        const auto size = static_cast<std::size_t>(block.count * rowBytes);
        const char* data = nullptr;
        if (m_header.isFortran && m_header.shape.size() > 1) {
            if (m_whole.empty()) {
                ESPALIER_TRY(m_whole, readWhole(m_source, m_header));
            }
            data = m_whole.data() + m_next * rowBytes;
        } else {
            m_raw.resize(size);
            ESPALIER_CHECK_OK(readExactly(m_source, m_raw.data(), size));
            data = m_raw.data();
        }
        block.bytes.clear();
        block.numbers.clear();
        if (isByte()) {
            block.bytes.assign(data, data + size);
        } else {
            block.numbers.resize(static_cast<std::size_t>(block.count * m_rowItems));
            toNumbers(m_header, data, block.count * m_rowItems, block.numbers.data());
        }
        m_next += block.count;
        return true;
    }

private:
    ByteSource& m_source;
    NpyHeader m_header;
    std::int64_t m_rowItems = 0, m_next = 0;
    std::string m_raw, m_whole;
};

void appendUtf8(std::string& text, std::uint32_t c) {
    if (c > 0x10FFFF || (c >= 0xD800 && c < 0xE000)) c = 0xFFFD;
    if (c < 0x80) text += char(c);
    else if (c < 0x800) text += char(0xC0 | c >> 6), text += char(0x80 | (c & 63));
    else if (c < 0x10000) text += char(0xE0 | c >> 12), text += char(0x80 | (c >> 6 & 63)), text += char(0x80 | (c & 63));
    else text += char(0xF0 | c >> 18), text += char(0x80 | (c >> 12 & 63)), text += char(0x80 | (c >> 6 & 63)), text += char(0x80 | (c & 63));
}

}  // namespace

std::int64_t NpyHeader::items() const {
    std::int64_t count = 1;
    for (const std::int64_t size : shape) count *= size;
    return count;
}

Result<NpyHeader> readNpyHeader(ByteSource& source) {
    const std::string where = source.where();
    unsigned char lead[12] = {};
    ESPALIER_TRY(const std::size_t count, source.read(lead, 10));
    if (count == 0) return fail(ErrorCode::BadInput, "is empty (0 bytes)", where, "Save it again");
    if (count < 10 || std::memcmp(lead, "\x93NUMPY", 6) != 0) return notNpy(where);
    const int version = lead[6];
    if (version < 1 || version > 3)
        return fail(ErrorCode::Unsupported, "has .npy version " + std::to_string(version) + "; versions 1 to 3 are read", where,
                    kSaveAgain);
    std::int64_t length = lead[8] | lead[9] << 8;
    NpyHeader header;
    header.headerBytes = 10;
    if (version > 1) {
        ESPALIER_CHECK_OK(readExactly(source, lead + 10, 2));
        length |= std::int64_t(lead[10]) << 16 | std::int64_t(lead[11]) << 24;
        header.headerBytes = 12;
    }
    if (length > kMaxHeaderBytes)
        return fail(ErrorCode::Corrupt, "the header claims to be " + grouped(length) + " bytes long", where, kSaveAgain);
    std::string text(static_cast<std::size_t>(length), '\0');
    ESPALIER_CHECK_OK(readExactly(source, text.data(), text.size()));
    header.headerBytes += length;

    const std::string_view descr = afterKey(text, "descr"), order = afterKey(text, "fortran_order"), shape = afterKey(text, "shape");
    if (descr.empty() || order.empty() || !parseShape(shape, header.shape)) return notNpy(where);
    if (descr[0] == '\'' || descr[0] == '"') {
        const auto end = descr.find(descr[0], 1);
        if (end == std::string_view::npos) return notNpy(where);
        header.descr = descr.substr(1, end - 1);
        parseDescr(header);
    } else {
        header.descr = "a structured type";
        if (descr.substr(0, descr.find("fortran_order")).find("|O") != std::string_view::npos) header.kind = NpyHeader::Kind::Object;
    }
    header.isFortran = order.substr(0, 4) == "True";
    ESPALIER_CHECK_OK(checkClaim(header, source));
    return header;
}

Result<void> checkNpyNumbers(const NpyHeader& header, const std::string& where) {
    if (header.isNumber()) return {};
    if (header.kind == NpyHeader::Kind::Object)
        return fail(ErrorCode::Unsupported, "holds Python objects (a pickle), which are never unpacked: they can run any program",
                    where, "Save plain numbers of one shape, or name classes as text (dtype str)");
    return fail(ErrorCode::Unsupported, "holds values of type " + header.descr + " where numbers are wanted", where, kSaveAgain);
}

std::unique_ptr<ArraySource> npyRows(ByteSource& source, NpyHeader header) {
    return std::make_unique<NpyRows>(source, std::move(header));
}

Result<std::vector<double>> readNpyNumbers(ByteSource& source, const NpyHeader& header) {
    ESPALIER_CHECK_OK(checkNpyNumbers(header, source.where()));
    ESPALIER_TRY(const std::string data, readWhole(source, header));
    ESPALIER_CHECK_OK(drain(source));
    std::vector<double> numbers(static_cast<std::size_t>(header.items()));
    toNumbers(header, data.data(), header.items(), numbers.data());
    return numbers;
}

Result<std::vector<std::string>> readNpyText(ByteSource& source, const NpyHeader& header) {
    ESPALIER_TRY(const std::string data, readWhole(source, header));
    ESPALIER_CHECK_OK(drain(source));
    std::vector<std::string> texts(static_cast<std::size_t>(header.items()));
    for (std::size_t i = 0; i < texts.size(); ++i) {
        const char* item = data.data() + i * static_cast<std::size_t>(header.itemBytes);
        if (header.kind == NpyHeader::Kind::Bytes) {
            texts[i].assign(item, strnlen(item, static_cast<std::size_t>(header.itemBytes)));
            continue;
        }
        for (std::int64_t at = 0; at < header.itemBytes; at += 4) {
            const auto c = load<std::uint32_t>(item + at, header.isSwapped);
            if (c == 0) break;
            appendUtf8(texts[i], c);
        }
    }
    return texts;
}

}  // namespace espalier::intake
