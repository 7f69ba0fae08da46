#include "engine/intake/npy_reader.h"
#include "tests/fuzz/checking_sink.h"
#include "tests/fuzz/memory_file.h"

using namespace espalier;
using namespace espalier::intake;

/// The whole .npy importer, and the two readers that .npz labels go through.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const auto importer = makeNpyImporter();
    const MemoryFile file(data, size);
    CheckingSink sink;
    if (const auto done = importer->read(file.path(), {}, sink); !done) CheckingSink::checkError(done.error());

    auto source = openFileBytes(file.path());
    if (!source) return 0;
    const auto header = readNpyHeader(**source);
    if (!header || (*source)->totalBytes() < 0) return 0;
    if (header->isText()) {
        if (const auto texts = readNpyText(**source, *header); texts)
            for (const std::string& text : *texts) CheckingSink::demand(header->kind == NpyHeader::Kind::Bytes || isValidUtf8(text));
    } else if (const auto numbers = readNpyNumbers(**source, *header); numbers) {
        CheckingSink::demand(static_cast<std::int64_t>(numbers->size()) == header->items());
    }
    return 0;
}
