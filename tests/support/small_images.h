#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>

namespace espalier::tests {

/// A 24-bit BMP of one colour field with a bright stripe: horizontal, vertical or a block, so that classes can be told.
inline void writeStripeBmp(const std::filesystem::path& file, int side, int kind, int shift) {
    const int rowBytes = (side * 3 + 3) / 4 * 4;
    std::string bytes(54, '\0');
    const auto put = [&](std::size_t at, std::uint32_t value) {
        for (int i = 0; i < 4; ++i) bytes[at + i] = static_cast<char>(value >> (8 * i));
    };
    bytes[0] = 'B';
    bytes[1] = 'M';
    put(2, static_cast<std::uint32_t>(54 + rowBytes * side));
    put(10, 54);
    put(14, 40);
    put(18, static_cast<std::uint32_t>(side));
    put(22, static_cast<std::uint32_t>(side));
    bytes[26] = 1;
    bytes[28] = 24;
    for (int y = 0; y < side; ++y) {
        std::string row(static_cast<std::size_t>(rowBytes), '\0');
        for (int x = 0; x < side; ++x) {
            const bool isLit = kind == 0   ? (y + shift) % side < side / 4
                               : kind == 1 ? (x + shift) % side < side / 4
                                           : x > side / 2 && (y + shift) % side < side / 2;
            for (int c = 0; c < 3; ++c)
                row[static_cast<std::size_t>(3 * x + c)] =
                    static_cast<char>(isLit ? 200 + shift % 50 : 20 + c * 20 + (shift * 7 + x + y) % 13);
        }
        bytes += row;
    }
    std::ofstream(file, std::ios::binary) << bytes;
}

/// A folder of three classes with `perClass` pictures each. Deterministic; no two pictures are alike.
inline void writeSmallImageSet(const std::filesystem::path& folder, int perClass, int side = 32) {
    const char* names[] = {"block", "horizontal", "vertical"};
    for (int kind = 0; kind < 3; ++kind) {
        const auto inside = folder / names[kind];
        std::filesystem::create_directories(inside);
        for (int i = 0; i < perClass; ++i)
            writeStripeBmp(inside / (std::to_string(i) + ".bmp"), side, (kind + 2) % 3, i);
    }
}

}  // namespace espalier::tests
