#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "engine/feed/array_record.h"
#include "engine/runlog/journal.h"
#include "engine/runlog/table_columns.h"

namespace espalier::runlog {

/// One logged scalar as it stands in the journal and in run.h5's event stream.
struct EventRow {
    std::uint32_t series = 0;
    std::uint32_t flags = 0;
    std::int64_t step = 0;
    double wallSecs = 0, value = 0;
};
static_assert(sizeof(EventRow) == 32);
inline constexpr std::uint32_t kStepWentBack = 1;  ///< flag: the step is below the series' previous one

/// Arrays up to this size keep their values in the journal; larger ones only in run.h5.
inline constexpr std::size_t kInlineArrayBytes = 1u << 20;

void appendSeriesFrame(std::string& out, std::uint32_t id, std::string_view name);
void appendScalarFrames(std::string& out, std::span<const EventRow> rows);
/// `values` empty: they are in run.h5.
void appendArrayFrame(std::string& out, const feed::ArrayInfo& info, std::string_view values);
void appendTimeFrame(std::string& out, RecordType type, double wallSecs);
void appendArrayLostFrame(std::string& out, std::uint64_t index);
template <class Row>
void appendRowFrame(std::string& out, RecordType type, const Row& row) {
    std::string payload;
    ByteWriter writer(payload);
    encodeRow(writer, row);
    if (payload.size() <= kMaxPayloadBytes) appendFrame(out, type, payload);
}

/// Values of a record as stored (Float16 rounded). The error says which shape does not fit.
Result<std::string> storedBytes(const feed::ArrayRecord& record);
/// Puts stored bytes back into the vector that fits `record.info.type`.
void fillValues(feed::ArrayRecord& record, std::string_view stored);

}  // namespace espalier::runlog
