#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

namespace espalier::runlog {

static_assert(std::endian::native == std::endian::little, "run logs are written in the machine's byte order");

/// Appends little-endian values to a string: numbers as they are, texts as u32 length and bytes.
class ByteWriter {
public:
    explicit ByteWriter(std::string& out) : m_out(out) {}
    template <class T>
    void number(T value) {
        m_out.append(reinterpret_cast<const char*>(&value), sizeof value);
    }
    void text(std::string_view value) {
        number(static_cast<std::uint32_t>(value.size()));
        m_out.append(value);
    }
    void bytes(const void* data, std::size_t size) { m_out.append(static_cast<const char*>(data), size); }

private:
    std::string& m_out;
};

/// Reads what ByteWriter wrote. Never reads past the end: isGood() turns false and zeros come out.
class ByteReader {
public:
    explicit ByteReader(std::string_view bytes) : m_bytes(bytes) {}
    template <class T>
    T number() {
        T value{};
        if (!has(sizeof value)) return value;
        std::memcpy(&value, m_bytes.data() + m_position, sizeof value);
        m_position += sizeof value;
        return value;
    }
    std::string text() {
        const auto size = number<std::uint32_t>();
        if (!has(size)) return {};
        std::string value(m_bytes.substr(m_position, size));
        m_position += size;
        return value;
    }
    bool isGood() const { return m_isGood; }
    std::size_t position() const { return m_position; }
    std::size_t left() const { return m_bytes.size() - m_position; }

private:
    bool has(std::size_t size) {
        if (m_isGood && size <= left()) return true;
        m_isGood = false;
        return false;
    }
    std::string_view m_bytes;
    std::size_t m_position = 0;
    bool m_isGood = true;
};

}  // namespace espalier::runlog
