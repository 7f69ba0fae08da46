#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <string>

#include <sys/mman.h>
#include <unistd.h>

/// Bytes under a path, without a disk. Fuzz targets only.
class MemoryFile {
public:
    MemoryFile(const std::uint8_t* data, std::size_t size) : m_handle(memfd_create("fuzz", MFD_CLOEXEC)) {
        if (m_handle < 0 || write(m_handle, data, size) != static_cast<ssize_t>(size)) std::abort();
    }
    ~MemoryFile() { close(m_handle); }
    MemoryFile(const MemoryFile&) = delete;
    MemoryFile& operator=(const MemoryFile&) = delete;
    std::filesystem::path path() const { return "/proc/self/fd/" + std::to_string(m_handle); }

private:
    int m_handle;
};
