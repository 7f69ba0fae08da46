#include "engine/runlog/records.h"

#include <algorithm>

#include "engine/runlog/half.h"

namespace espalier::runlog {

void appendSeriesFrame(std::string& out, std::uint32_t id, std::string_view name) {
    std::string payload;
    ByteWriter writer(payload);
    writer.number(id);
    writer.text(name);
    appendFrame(out, RecordType::Series, payload);
}

void appendScalarFrames(std::string& out, std::span<const EventRow> rows) {
    constexpr std::size_t kRowsPerFrame = 65536;
    for (std::size_t first = 0; first < rows.size(); first += kRowsPerFrame) {
        const auto part = rows.subspan(first, std::min(kRowsPerFrame, rows.size() - first));
        appendFrame(out, RecordType::Scalars, {reinterpret_cast<const char*>(part.data()), part.size_bytes()});
    }
}

void appendArrayFrame(std::string& out, const feed::ArrayInfo& info, std::string_view values) {
    std::string payload;
    ByteWriter writer(payload);
    encodeRow(writer, rowOf(info));
    writer.number(static_cast<std::uint8_t>(values.empty() && elementCount(info.shape) > 0 ? 0 : 1));
    writer.bytes(values.data(), values.size());
    appendFrame(out, RecordType::Array, payload);
}

void appendTimeFrame(std::string& out, RecordType type, double wallSecs) {
    std::string payload;
    ByteWriter(payload).number(wallSecs);
    appendFrame(out, type, payload);
}

void appendArrayLostFrame(std::string& out, std::uint64_t index) {
    std::string payload;
    ByteWriter(payload).number(index);
    appendFrame(out, RecordType::ArrayLost, payload);
}

Result<std::string> storedBytes(const feed::ArrayRecord& record) {
    const auto& info = record.info;
    const auto count = elementCount(info.shape);
    const std::size_t held = info.type == feed::ArrayType::UInt8   ? record.bytes.size()
                             : info.type == feed::ArrayType::Int64 ? record.integers.size()
                                                                   : record.floats.size();
    if (info.shape.size() > kMaxRank)
        return fail(ErrorCode::Internal, "an array has more than 6 dimensions and was not stored", info.name);
    if (count < 0 || static_cast<std::size_t>(count) != held)
        return fail(ErrorCode::Internal,
                    "an array of " + std::to_string(held) + " values does not fill its shape of " +
                        std::to_string(count) + " and was not stored",
                    info.name);
    std::string stored;
    const auto copy = [&](const auto& values) {
        stored.assign(reinterpret_cast<const char*>(values.data()), values.size() * sizeof values[0]);
    };
    switch (info.type) {
        case feed::ArrayType::Float32: copy(record.floats); break;
        case feed::ArrayType::UInt8: copy(record.bytes); break;
        case feed::ArrayType::Int64: copy(record.integers); break;
        case feed::ArrayType::Float16: {
            stored.resize(held * 2);
            auto* out = reinterpret_cast<std::uint16_t*>(stored.data());
            for (std::size_t i = 0; i < held; ++i) out[i] = halfFromFloat(record.floats[i]);
            break;
        }
    }
    return stored;
}

void fillValues(feed::ArrayRecord& record, std::string_view stored) {
    const auto copy = [&](auto& values) {
        values.resize(stored.size() / sizeof values[0]);
        std::memcpy(values.data(), stored.data(), values.size() * sizeof values[0]);
    };
    switch (record.info.type) {
        case feed::ArrayType::Float32: copy(record.floats); break;
        case feed::ArrayType::UInt8: copy(record.bytes); break;
        case feed::ArrayType::Int64: copy(record.integers); break;
        case feed::ArrayType::Float16: {
            record.floats.resize(stored.size() / 2);
            for (std::size_t i = 0; i < record.floats.size(); ++i) {
                std::uint16_t half;
                std::memcpy(&half, stored.data() + 2 * i, 2);
                record.floats[i] = floatFromHalf(half);
            }
            break;
        }
    }
}

}  // namespace espalier::runlog
