#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/feed/dataset.h"

namespace espalier::intake {

bool isValidUtf8(std::string_view text) noexcept;
/// Valid UTF-8 for messages and JSON: bytes that are none become "\xE9". Everything else stays as it is.
std::string displayText(std::string_view text);
/// NFC, so that one name typed on two systems is one class. Bytes that are no UTF-8 stay as they are.
std::string normalizedName(std::string_view text);
std::string lowerAscii(std::string_view text);
/// Without blanks and line ends around it.
std::string trimmedCell(std::string_view text);
/// "a/b.png" is "b.png".
std::string_view fileNameOf(std::string_view path);
/// "file10" after "file9"; equal texts but for leading zeros fall back to bytes. Total order.
bool naturalLess(std::string_view a, std::string_view b) noexcept;
/// The same, folder by folder of a path with '/'.
bool naturalPathLess(std::string_view a, std::string_view b) noexcept;
/// A folder's name: "train", "Training", "val2017", "test_images", "validation-set", ….
std::optional<feed::Split> splitFromName(std::string_view name);
/// One word, case aside: "train", "training", "val", "valid", "validation", "dev", "test", "testing", "eval", ….
std::optional<feed::Split> splitOfWord(std::string_view word);
/// What operating systems and tools leave behind: hidden files, "__MACOSX", "@eaDir", "Thumbs.db", "desktop.ini", ….
bool isSystemName(std::string_view name);
/// ".tar.gz" is "gz": the last suffix in lower case without the dot, empty when there is none.
std::string suffixOf(std::string_view name);
/// "12,345": whole numbers for messages.
std::string groupedNumber(std::int64_t value);

}  // namespace espalier::intake
