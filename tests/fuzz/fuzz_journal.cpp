#include <algorithm>

#include "engine/runlog/journal.h"
#include "engine/runlog/log_model.h"
#include "tests/fuzz/checking_sink.h"
#include "tests/fuzz/memory_file.h"

using namespace espalier;
using namespace espalier::runlog;

namespace {

void checkModel(const LogModel& model) {
    CheckingSink::demand(model.columns.size() == model.series.size());
    for (std::size_t i = 0; i < model.series.size(); ++i) {
        CheckingSink::demand(model.series[i].count == model.columns[i].values.size());
        CheckingSink::demand(model.columns[i].steps.size() == model.columns[i].values.size());
    }
}

}  // namespace

/// A whole journal file; and its records alone, because no mutation gets past the checksum of a frame.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    {
        const MemoryFile file(data, size);
        LogModel model;
        if (auto journal = JournalReader::open(file.path()); journal) {
            const auto scan = journal->scan(kJournalHeaderBytes, [&](RecordType type, std::string_view bytes, std::uint64_t offset) -> Result<void> {
                (void)model.apply(type, bytes, offset);
                return {};
            });
            CheckingSink::demand(scan.has_value() && scan->nextOffset <= std::max<std::uint64_t>(size, kJournalHeaderBytes));
            checkModel(model);
        } else {
            CheckingSink::checkError(journal.error());
        }
    }
    LogModel model;
    for (std::size_t at = 0; at + 2 <= size;) {
        const auto type = static_cast<RecordType>(data[at] % 16);
        const std::size_t length = std::min<std::size_t>(data[at + 1], size - at - 2);
        if (const auto taken = model.apply(type, {reinterpret_cast<const char*>(data) + at + 2, length}, at); !taken)
            CheckingSink::demand(!taken.error().what.empty());
        at += 2 + length;
    }
    checkModel(model);
    return 0;
}
