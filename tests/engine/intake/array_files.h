#pragma once

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <zlib.h>

/// Writes small array files for tests: .npy bytes, ZIPs, plain files in a folder of their own.
namespace arrayfiles {

template <class T>
std::string bytesOf(const std::vector<T>& values) {
    return std::string(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
}

inline std::string npy(const std::string& descr, const std::string& shape, const std::string& data, bool isFortran = false, int version = 1) {
    std::string header = "{'descr': " + descr + ", 'fortran_order': " + (isFortran ? "True" : "False") + ", 'shape': " + shape + ", }\n";
    std::string out = "\x93NUMPY";
    out += char(version);
    out += char(0);
    for (int i = 0; i < (version == 1 ? 2 : 4); ++i) out += char(header.size() >> (8 * i) & 255);
    return out + header + data;
}

inline void put(std::string& out, std::uint64_t value, int bytes) {
    for (int i = 0; i < bytes; ++i) out += char(value >> (8 * i) & 255);
}

struct ZipEntry {
    std::string name, data;
    bool isDeflated = false;
};

inline std::string deflated(const std::string& data) {
    z_stream stream{};
    deflateInit2(&stream, 6, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
    std::string out(deflateBound(&stream, data.size()), '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(data.data()));
    stream.avail_in = static_cast<uInt>(data.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    deflate(&stream, Z_FINISH);
    out.resize(stream.total_out);
    deflateEnd(&stream);
    return out;
}

inline std::string zip(const std::vector<ZipEntry>& entries) {
    std::string out, directory;
    for (const ZipEntry& entry : entries) {
        const std::string packed = entry.isDeflated ? deflated(entry.data) : entry.data;
        const auto crc = crc32(0, reinterpret_cast<const Bytef*>(entry.data.data()), static_cast<uInt>(entry.data.size()));
        const std::size_t offset = out.size();
        std::string common;
        put(common, 20, 2), put(common, 0, 2), put(common, entry.isDeflated ? 8 : 0, 2), put(common, 0, 4), put(common, crc, 4);
        put(common, packed.size(), 4), put(common, entry.data.size(), 4), put(common, entry.name.size(), 2), put(common, 0, 2);
        put(out, 0x04034b50, 4);
        out += common + entry.name + packed;
        put(directory, 0x02014b50, 4), put(directory, 20, 2);
        directory += common;
        put(directory, 0, 2), put(directory, 0, 2), put(directory, 0, 2), put(directory, 0, 4), put(directory, offset, 4);
        directory += entry.name;
    }
    const std::size_t at = out.size();
    out += directory;
    put(out, 0x06054b50, 4), put(out, 0, 2), put(out, 0, 2), put(out, entries.size(), 2), put(out, entries.size(), 2);
    put(out, directory.size(), 4), put(out, at, 4), put(out, 0, 2);
    return out;
}

inline std::filesystem::path save(const std::filesystem::path& folder, const std::string& name, const std::string& bytes) {
    const auto path = folder / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << bytes;
    return path;
}

inline std::string gzipped(const std::string& data, const std::filesystem::path& folder) {
    const auto path = folder / "packed.tmp";
    gzFile file = gzopen(path.c_str(), "wb");
    gzwrite(file, data.data(), static_cast<unsigned>(data.size()));
    gzclose(file);
    std::ifstream stream(path, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(stream), {});
}

inline std::string idx(int type, const std::vector<int>& shape, const std::string& data) {
    std::string out{0, 0, char(type), char(shape.size())};
    for (const int size : shape)
        for (int i = 3; i >= 0; --i) out += char(size >> (8 * i) & 255);
    return out + data;
}

inline std::string cifarRecord(int label, int pixel, int labelBytes = 1) {
    std::string record(static_cast<std::size_t>(labelBytes - 1), '\0');
    record += char(label);
    record += std::string(1024, char(pixel)) + std::string(1024, char(pixel + 1)) + std::string(1024, char(pixel + 2));
    return record;
}

}  // namespace arrayfiles
