#pragma once

#include <cmath>
#include <filesystem>
#include <limits>
#include <string>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

#include <QtTest>

#include "engine/runlog/h5.h"
#include "engine/runlog/run_log_reader.h"
#include "engine/runlog/run_log_writer.h"

#define VERIFY_OK(expression)                                                             \
    do {                                                                                  \
        auto&& checked = (expression);                                                    \
        QVERIFY2(checked.has_value(), checked ? "" : checked.error().sentence().c_str()); \
    } while (false)

/// A log with a little of everything, and checks that all of it is there.
namespace espalier::tests {

using namespace runlog;
namespace fs = std::filesystem;

inline constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
inline constexpr double kInf = std::numeric_limits<double>::infinity();

inline feed::ArrayRecord makeArray(feed::ArrayType type, std::string name, std::vector<std::int64_t> shape) {
    feed::ArrayRecord record;
    record.info.name = std::move(name);
    record.info.step = 12;
    record.info.epoch = 3;
    record.info.type = type;
    record.info.shape = std::move(shape);
    std::int64_t count = 1;
    for (const auto size : record.info.shape) count *= size;
    for (std::int64_t i = 0; i < count; ++i) {
        if (type == feed::ArrayType::UInt8) record.bytes.push_back(static_cast<std::uint8_t>(i * 7));
        else if (type == feed::ArrayType::Int64) record.integers.push_back(i * i - 40);
        else record.floats.push_back(static_cast<float>(i % 2048) * 0.125f - 3.0f);  // exact in float16
    }
    return record;
}

inline bool sameBits(double a, double b) { return (std::isnan(a) && std::isnan(b)) || a == b; }

inline feed::TradeoffPoint makePoint(int id, std::int64_t bytes, double metric) {
    feed::TradeoffPoint point;
    point.pointId = id;
    point.label = "w" + std::to_string(id);
    point.stage = "rtn";
    point.method = "flexround";
    point.bytesTotal = bytes;
    point.metric = metric;
    point.split = "val";
    return point;
}

/// Everything a log can hold, small.
inline void fill(RunLogWriter& writer) {
    const auto loss = writer.series("train/loss");
    const auto top1 = writer.series("valid/top1");
    for (int i = 0; i < 1000; ++i) writer.scalar(loss, i, 1e9 + i, i == 500 ? kNan : i == 501 ? kInf : 1.0 / (1 + i));
    writer.scalar(top1, 10, 5.0, 0.25);
    writer.scalar(top1, 5, 6.0, -kInf);  // backwards
    writer.mark({100, 7.5, "best", "ε = 0.1"});
    writer.warning({"images/a.jpg", 3, "truncated_image", "Half of it is missing", Outcome::Skipped});
    writer.array(makeArray(feed::ArrayType::Float16, "attn/layer1", {2, 3, 4, 4}));
    writer.array(makeArray(feed::ArrayType::UInt8, "probe/images", {2, 5, 5, 3}));
    writer.array(makeArray(feed::ArrayType::Int64, "test/confusion", {4, 4}));
    writer.array(makeArray(feed::ArrayType::Float32, "valid/embeddings", {600, 1000}));  // 2.4 MB: only in run.h5
    feed::TradeoffJob job;
    job.jobId = "job-1";
    job.metricName = "top1";
    job.baseMetric = 0.9;
    job.baseBytes = 1000;
    job.paramsJson = std::string(5000, 'p');
    writer.tradeoffJob(job);
    feed::TradeoffLayer layer;
    layer.probeKind = "recon";
    layer.layerIx = 4;
    layer.layerName = "blocks.0.attn.qkv";
    layer.method = "adaround";
    layer.errOut = 0.125;
    layer.rank = 7;
    writer.tradeoffLayer(layer);
    feed::TradeoffChoice choice;
    choice.pointId = 1;
    choice.layerIx = 4;
    choice.optionKind = "uniform";
    choice.wBits = 4;
    choice.bytesTotal = 77;
    writer.tradeoffPoint(makePoint(0, 1000, 0.9), {});
    writer.tradeoffPoint(makePoint(1, 250, 0.8), {choice});
    writer.tradeoffPoint(makePoint(2, 300, 0.7), {});
    writer.tradeoffTrace({"recon/mse", 4, 17, 0.5, 12.5});
    job.finishedUtc = "2026-11-24T08:00:00Z";
    writer.tradeoffJob(job);
}

inline void checkScalars(const RunLogReader& reader) {
    const auto series = reader.series();
    VERIFY_OK(series);
    QCOMPARE(series->size(), std::size_t(2));
    const auto& loss = (*series)[0];
    QCOMPARE(loss.name, std::string("train/loss"));
    QCOMPARE(loss.count, std::uint64_t(1000));
    QCOMPARE(loss.nonFinite, std::uint64_t(2));
    QCOMPARE(loss.first, 1.0);
    QCOMPARE(loss.last, 1.0 / 1000);
    QCOMPARE(loss.min, 1.0 / 1000);
    QCOMPARE(loss.minStep, std::int64_t(999));
    QCOMPARE(loss.max, 1.0);
    QCOMPARE(loss.maxStep, std::int64_t(0));
    const auto columns = reader.read("train/loss");
    VERIFY_OK(columns);
    QCOMPARE(columns->values.size(), std::size_t(1000));
    for (int i = 0; i < 1000; ++i) {
        QCOMPARE(columns->steps[std::size_t(i)], std::int64_t(i));
        QCOMPARE(columns->wallSecs[std::size_t(i)], 1e9 + i);
        QVERIFY(sameBits(columns->values[std::size_t(i)], i == 500 ? kNan : i == 501 ? kInf : 1.0 / (1 + i)));
    }
    const auto backwards = reader.read("valid/top1");
    VERIFY_OK(backwards);
    QCOMPARE(backwards->steps, (std::vector<std::int64_t>{10, 5}));
    QCOMPARE(backwards->values, (std::vector<double>{0.25, -kInf}));
    QCOMPARE(reader.read("no/such").error().code, ErrorCode::NotFound);
}

inline void checkRest(const RunLogReader& reader) {
    const auto marks = reader.marks();
    VERIFY_OK(marks);
    QCOMPARE(marks->size(), std::size_t(1));
    QCOMPARE(marks->front().step, std::int64_t(100));
    QCOMPARE(marks->front().wallSecs, 7.5);
    QCOMPARE(marks->front().kind, std::string("best"));
    QCOMPARE(marks->front().text, std::string("ε = 0.1"));
    const auto warnings = reader.warnings();
    VERIFY_OK(warnings);
    QCOMPARE(warnings->size(), std::size_t(1));
    QCOMPARE(warnings->front().file, std::string("images/a.jpg"));
    QCOMPARE(warnings->front().line, std::int64_t(3));
    QCOMPARE(warnings->front().outcome, Outcome::Skipped);
    const auto tables = reader.tradeoff();
    VERIFY_OK(tables);
    QCOMPARE(tables->job.jobId, std::string("job-1"));
    QCOMPARE(tables->job.paramsJson.size(), std::size_t(5000));
    QCOMPARE(tables->job.finishedUtc, std::string("2026-11-24T08:00:00Z"));
    QCOMPARE(tables->layers.size(), std::size_t(1));
    QCOMPARE(tables->layers[0].layerName, std::string("blocks.0.attn.qkv"));
    QCOMPARE(tables->layers[0].method, std::string("adaround"));
    QCOMPARE(tables->layers[0].errOut, 0.125);
    QVERIFY(std::isnan(tables->layers[0].loss));
    QCOMPARE(tables->layers[0].rank, std::int64_t(7));
    QCOMPARE(tables->layers[0].level, feed::kNullInt);
    QCOMPARE(tables->points.size(), std::size_t(3));
    QCOMPARE(tables->points[1].method, std::string("flexround"));
    QCOMPARE(tables->points[0].onFront, std::int64_t(1));
    QCOMPARE(tables->points[1].onFront, std::int64_t(1));
    QCOMPARE(tables->points[2].onFront, std::int64_t(0));
    QCOMPARE(tables->choices.size(), std::size_t(1));
    QCOMPARE(tables->choices[0].bytesTotal, std::int64_t(77));
    QCOMPARE(tables->traces.size(), std::size_t(1));
    QCOMPARE(tables->traces[0].series, std::string("recon/mse"));
    QCOMPARE(tables->traces[0].wallMs, 12.5);
}

inline void checkArrays(const RunLogReader& reader) {
    const auto arrays = reader.arrays();
    VERIFY_OK(arrays);
    QCOMPARE(arrays->size(), std::size_t(4));
    QCOMPARE((*arrays)[0].name, std::string("attn/layer1"));
    QCOMPARE((*arrays)[0].index, std::uint64_t(0));
    QCOMPARE((*arrays)[0].epoch, std::int64_t(3));
    QCOMPARE((*arrays)[0].shape, (std::vector<std::int64_t>{2, 3, 4, 4}));
    const auto half = reader.readArray(0);
    VERIFY_OK(half);
    QCOMPARE(half->floats, makeArray(feed::ArrayType::Float16, "", {2, 3, 4, 4}).floats);
    const auto second = reader.readArray(0, 1, 1);
    VERIFY_OK(second);
    QCOMPARE(second->info.shape, (std::vector<std::int64_t>{1, 3, 4, 4}));
    QCOMPARE(second->floats.front(), 48 * 0.125f - 3.0f);
    VERIFY_OK(reader.readArray(1));
    QCOMPARE(reader.readArray(1)->bytes, makeArray(feed::ArrayType::UInt8, "", {2, 5, 5, 3}).bytes);
    QCOMPARE(reader.readArray(2)->integers, makeArray(feed::ArrayType::Int64, "", {4, 4}).integers);
    const auto large = reader.readArray(3);
    VERIFY_OK(large);
    QCOMPARE(large->floats, makeArray(feed::ArrayType::Float32, "", {600, 1000}).floats);
    const auto part = reader.readArray(3, 599, -1);
    VERIFY_OK(part);
    QCOMPARE(part->floats.size(), std::size_t(1000));
    QCOMPARE(part->floats.front(), static_cast<float>(599000 % 2048) * 0.125f - 3.0f);
    QCOMPARE(reader.readArray(3, 600, 1).error().code, ErrorCode::BadInput);
    QCOMPARE(reader.readArray(9).error().code, ErrorCode::NotFound);
}

inline void checkAll(const fs::path& folder) {
    auto reader = RunLogReader::open(folder);
    VERIFY_OK(reader);
    checkScalars(**reader);
    checkRest(**reader);
    checkArrays(**reader);
}

inline std::string stateOf(const fs::path& folder) {
    auto file = h5::openFile(folder / "run.h5");
    if (!file) return file.error().sentence();
    return h5::textAttribute(file->get(), "state").value_or("?");
}

/// Runs `work` in a child; true when it ended with 0. Output of a crash stays visible.
template <class Work>
int inChild(Work&& work) {
    const pid_t child = ::fork();
    if (child == 0) {
        work();
        ::_exit(0);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return status;
}

}  // namespace espalier::tests
