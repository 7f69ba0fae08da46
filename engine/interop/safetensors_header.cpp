#include <algorithm>
#include <limits>
#include <optional>
#include <set>
#include <utility>

#include <nlohmann/json.hpp>

#include "engine/interop/safetensors.h"
#include "engine/interop/safetensors_types.h"

namespace espalier::interop {
namespace {

constexpr std::size_t kMaxEntries = 1'000'000;
constexpr int kMaxDepth = 4;
constexpr std::uint64_t kMaxDimension = std::numeric_limits<std::int64_t>::max();

/// Reads the header's JSON event by event, so that duplicate keys, nesting and number kinds are seen before anything
/// is built from them. Accepts exactly {name: {dtype, shape: [..], data_offsets: [..]}, "__metadata__": {..}}.
class HeaderReader : public nlohmann::json_sax<nlohmann::json> {
public:
    SafetensorsHeader header;
    std::string trouble;

    bool null() override { return refuse("holds null where a value belongs"); }
    bool boolean(bool) override { return refuse("holds true or false where a value belongs"); }
    bool number_integer(number_integer_t) override { return refuse("holds a negative number"); }
    bool number_float(number_float_t, const string_t&) override { return refuse("holds a number that is no integer"); }
    bool binary(binary_t&) override { return refuse("holds binary data"); }
    bool number_unsigned(number_unsigned_t value) override {
        if (m_depth != 3 || !m_isArray) return refuse("holds a number outside of shape and data_offsets");
        if (value > kMaxDimension) return refuse("holds a number that is too large");
        if (m_numbers.size() >= 64) return refuse("lists more than 64 numbers");
        m_numbers.push_back(value);
        return true;
    }
    bool string(string_t& value) override {
        if (m_isArray) return refuse("holds text in a list of numbers");
        if (m_depth != 2) return refuse("holds text where a tensor belongs");
        if (m_isMetadata) {
            header.metadata[m_field] = value;
            return true;
        }
        if (m_field != "dtype") return refuse("has a text member '" + m_field + "'");
        const auto type = scalarTypeFromName(value);
        if (!type) return refuse("has the type '" + value + "', which is not supported");
        m_entry.type = *type;
        return true;
    }
    bool start_object(std::size_t) override {
        if (++m_depth > kMaxDepth) return refuse("is nested too deeply");
        if (m_isArray || m_depth > 2) return refuse("has an object where a value belongs");
        m_fields.clear();
        return true;
    }
    bool end_object() override {
        if (m_depth-- == 2) return m_isMetadata || finishEntry();
        return true;
    }
    bool start_array(std::size_t) override {
        if (m_isArray || m_depth != 2 || m_isMetadata) return refuse("has a list where none belongs");
        if (m_field != "shape" && m_field != "data_offsets") return refuse("has a list member '" + m_field + "'");
        ++m_depth;
        m_isArray = true;
        m_numbers.clear();
        return true;
    }
    bool end_array() override {
        m_isArray = false;
        --m_depth;
        if (m_field == "shape") {
            m_entry.shape.assign(m_numbers.begin(), m_numbers.end());
            return true;
        }
        if (m_numbers.size() != 2) return refuse("needs two data_offsets, not " + std::to_string(m_numbers.size()));
        m_entry.begin = m_numbers[0];
        m_entry.end = m_numbers[1];
        return true;
    }
    bool key(string_t& value) override {
        if (m_depth == 1) {
            m_isMetadata = value == "__metadata__";
            m_entry = {};
            m_entry.name = value;
            if (!m_names.insert(value).second) return refuse("occurs twice");
            if (m_names.size() > kMaxEntries) return refuse("is one of more than a million entries");
            return true;
        }
        m_field = value;
        if (!m_fields.insert(value).second) return refuse("has the member '" + value + "' twice");
        return true;
    }
    bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception&) override {
        trouble = "the header is not valid JSON at its byte " + std::to_string(position);
        return false;
    }

private:
    bool refuse(const std::string& why) {
        trouble = m_names.empty() ? "the header " + why : "the entry '" + m_entry.name + "' " + why;
        return false;
    }
    bool finishEntry() {
        for (const char* needed : {"dtype", "shape", "data_offsets"})
            if (!m_fields.contains(needed)) return refuse(std::string("has no ") + needed);
        header.entries.push_back(std::move(m_entry));
        return true;
    }

    int m_depth = 0;
    bool m_isArray = false, m_isMetadata = false;
    std::string m_field;
    std::set<std::string> m_names, m_fields;
    std::vector<std::uint64_t> m_numbers;
    SafetensorsEntry m_entry;
};

std::optional<std::uint64_t> byteCount(const SafetensorsEntry& entry) {
    // A zero anywhere makes the product zero, but the other factors may still wrap: multiply what is left.
    std::uint64_t count = elementBytes(entry.type);
    bool isEmpty = false;
    for (const std::int64_t dimension : entry.shape) {
        if (dimension == 0) {
            isEmpty = true;
            continue;
        }
        if (__builtin_mul_overflow(count, static_cast<std::uint64_t>(dimension), &count)) return std::nullopt;
    }
    if (count > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) return std::nullopt;
    return isEmpty ? 0 : count;
}

std::string checkRanges(const SafetensorsHeader& header) {
    std::vector<const SafetensorsEntry*> sorted;
    for (const auto& entry : header.entries) {
        const auto bytes = byteCount(entry);
        if (!bytes) return "the tensor '" + entry.name + "' has a shape that overflows";
        if (entry.begin > entry.end || entry.end > header.payloadBytes)
            return "the tensor '" + entry.name + "' lies at bytes " + std::to_string(entry.begin) + " to " +
                   std::to_string(entry.end) + ", but the file holds " + std::to_string(header.payloadBytes) +
                   " bytes of data";
        if (entry.end - entry.begin != *bytes)
            return "the tensor '" + entry.name + "' needs " + std::to_string(*bytes) + " bytes by its shape, but has " +
                   std::to_string(entry.end - entry.begin);
        sorted.push_back(&entry);
    }
    std::sort(sorted.begin(), sorted.end(), [](const auto* a, const auto* b) {
        return std::pair(a->begin, a->end) < std::pair(b->begin, b->end);
    });
    std::uint64_t position = 0;
    for (const auto* entry : sorted) {
        if (entry->begin == entry->end) continue;  // empty tensors may point anywhere inside
        if (entry->begin < position) return "the tensor '" + entry->name + "' overlaps another one";
        if (entry->begin > position) return "there is a gap of unused bytes before the tensor '" + entry->name + "'";
        position = entry->end;
    }
    if (position != header.payloadBytes)
        return std::to_string(header.payloadBytes - position) + " bytes after the last tensor belong to nothing";
    return {};
}

}  // namespace

Result<SafetensorsHeader> parseSafetensorsHeader(std::string_view json, std::uint64_t payloadBytes,
                                                 const std::string& where) {
    const std::string remedy = "The file is damaged or no safetensors file: fetch or export it again";
    if (json.empty() || json.front() != '{')
        return fail(ErrorCode::Corrupt, "the header does not start with '{'", where, remedy);
    HeaderReader reader;
    const bool isRead = nlohmann::json::sax_parse(json.begin(), json.end(), &reader);
    if (!isRead || !reader.trouble.empty()) return fail(ErrorCode::Corrupt, reader.trouble, where, remedy);
    reader.header.payloadBytes = payloadBytes;
    if (auto trouble = checkRanges(reader.header); !trouble.empty())
        return fail(ErrorCode::Corrupt, std::move(trouble), where, remedy);
    return std::move(reader.header);
}

}  // namespace espalier::interop
