#include <filesystem>
#include <fstream>
#include <string>

#include <unistd.h>

#include "engine/catalog/run_folder.h"
#include "tests/fuzz/checking_sink.h"

using namespace espalier;

namespace {

/// One folder for the life of the process, in memory where the system has such a place.
const std::filesystem::path& folder() {
    static const auto path = [] {
        std::error_code ignored;
        const std::filesystem::path shared = "/dev/shm";
        auto made = (std::filesystem::is_directory(shared, ignored) ? shared : std::filesystem::temp_directory_path()) /
                    ("fuzz-manifest-" + std::to_string(::getpid()));
        std::filesystem::create_directories(made);
        std::atexit([] { std::filesystem::remove_all(folder()); });
        return made;
    }();
    return path;
}

}  // namespace

/// manifest.json of a run folder, as `workspace rebuild` reads it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::ofstream(folder() / "manifest.json", std::ios::binary | std::ios::trunc).write(reinterpret_cast<const char*>(data), static_cast<std::streamsize>(size));
    Warnings warnings;
    const auto info = catalog::readRunFolder(folder(), warnings);
    if (!info) CheckingSink::checkError(info.error());
    else CheckingSink::demand(!info->id.empty());
    return 0;
}
