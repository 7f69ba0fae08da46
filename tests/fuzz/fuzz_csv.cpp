#include "engine/intake/csv_reader.h"
#include "tests/fuzz/checking_sink.h"
#include "tests/fuzz/memory_file.h"

using namespace espalier;
using namespace espalier::intake;

/// The whole CSV importer. The first byte chooses what the user said about the label.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    static const auto importer = makeCsvImporter();
    ImportOptions options;
    if (data[0] == '1') options.label = "1";
    if (data[0] == 'y') options.label = "y";
    if (data[0] == 's') options.imageShape = "2x2";
    const MemoryFile file(data + 1, size - 1);
    CheckingSink sink;
    if (const auto done = importer->read(file.path(), options, sink); !done) CheckingSink::checkError(done.error());

    // Whatever the bytes are, decoded text is UTF-8 and records end.
    if (const auto decoded = decodeText(std::string(reinterpret_cast<const char*>(data + 1), size - 1), "fuzz"); decoded)
        CheckingSink::demand(isValidUtf8(decoded->text));
    return 0;
}
