#include <cmath>
#include <csignal>
#include <fstream>
#include <limits>
#include <random>
#include <thread>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <QProcess>
#include <QStandardPaths>
#include <QTemporaryDir>
#include <QtTest>

#include "engine/base/clock.h"
#include "engine/runlog/compaction.h"
#include "engine/runlog/h5.h"
#include "engine/runlog/half.h"
#include "engine/runlog/run_log_reader.h"
#include "engine/runlog/run_log_writer.h"

using namespace espalier;
using namespace espalier::runlog;
namespace fs = std::filesystem;

#define VERIFY_OK(expression)                                                             \
    do {                                                                                  \
        auto&& checked = (expression);                                                    \
        QVERIFY2(checked.has_value(), checked ? "" : checked.error().sentence().c_str()); \
    } while (false)

namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInf = std::numeric_limits<double>::infinity();

feed::ArrayRecord makeArray(feed::ArrayType type, std::string name, std::vector<std::int64_t> shape) {
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

bool sameBits(double a, double b) { return (std::isnan(a) && std::isnan(b)) || a == b; }

feed::TradeoffPoint makePoint(int id, std::int64_t bytes, double metric) {
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
void fill(RunLogWriter& writer) {
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

void checkScalars(const RunLogReader& reader) {
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

void checkRest(const RunLogReader& reader) {
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

void checkArrays(const RunLogReader& reader) {
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

void checkAll(const fs::path& folder) {
    auto reader = RunLogReader::open(folder);
    VERIFY_OK(reader);
    checkScalars(**reader);
    checkRest(**reader);
    checkArrays(**reader);
}

std::string stateOf(const fs::path& folder) {
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

}  // namespace

class TestRunLog : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void init() {
        m_dir = std::make_unique<QTemporaryDir>();
        m_folder = fs::path(m_dir->path().toStdString()) / "run";
    }

    void halfRoundTrip() {
        for (std::uint32_t bits = 0; bits < 65536; ++bits) {
            const float value = floatFromHalf(static_cast<std::uint16_t>(bits));
            if (std::isnan(value)) QVERIFY(std::isnan(floatFromHalf(halfFromFloat(value))));
            else QCOMPARE(std::uint32_t(halfFromFloat(value)), bits);
        }
        QCOMPARE(halfFromFloat(1.0f + 0x1p-11f), std::uint16_t(0x3C00));       // tie to even: down
        QCOMPARE(halfFromFloat(1.0f + 3 * 0x1p-11f), std::uint16_t(0x3C02));   // tie to even: up
        QCOMPARE(halfFromFloat(65519.0f), std::uint16_t(0x7BFF));
        QCOMPARE(halfFromFloat(65520.0f), std::uint16_t(0x7C00));
        QCOMPARE(halfFromFloat(0x1p-25f), std::uint16_t(0));
        QCOMPARE(halfFromFloat(0x1.8p-25f), std::uint16_t(1));
    }

    void noLogYet() {
        fs::create_directories(m_folder);
        QCOMPARE(RunLogReader::open(m_folder).error().code, ErrorCode::NotFound);
    }

    void roundTripClosed() {
        auto writer = RunLogWriter::open(m_folder);
        VERIFY_OK(writer);
        fill(**writer);
        VERIFY_OK((*writer)->close(false));
        QCOMPARE(stateOf(m_folder), std::string("live"));
        checkAll(m_folder);
    }

    void roundTripCompacted() {
        auto writer = RunLogWriter::open(m_folder);
        VERIFY_OK(writer);
        fill(**writer);
        VERIFY_OK((*writer)->close(true));
        QCOMPARE(stateOf(m_folder), std::string("compacted"));
        checkAll(m_folder);
        fs::remove(m_folder / "journal.esj");  // the archive stands alone
        checkAll(m_folder);
    }

    void liveRunFileAlone() {
        auto writer = RunLogWriter::open(m_folder);
        VERIFY_OK(writer);
        fill(**writer);
        VERIFY_OK((*writer)->close(false));
        fs::remove(m_folder / "journal.esj");
        checkAll(m_folder);
    }

    void liveReadWhileWriting() {
        auto writer = RunLogWriter::open(m_folder);
        VERIFY_OK(writer);
        fill(**writer);
        VERIFY_OK((*writer)->flush());
        checkAll(m_folder);  // same process
        const int status = inChild([&] {
            auto reader = RunLogReader::open(m_folder);
            if (!reader || (*reader)->read("train/loss")->values.size() != 1000) ::_exit(1);
            if ((*reader)->readArray(3)->floats.size() != 600000) ::_exit(2);
        });
        QCOMPARE(WEXITSTATUS(status), 0);
        auto reader = RunLogReader::open(m_folder);
        VERIFY_OK(reader);
        const auto late = (*writer)->series("late/series");
        (*writer)->scalar(late, 7, 1.0, 42.0);
        VERIFY_OK((*writer)->flush());
        const auto columns = (*reader)->read("late/series");  // an open reader follows
        VERIFY_OK(columns);
        QCOMPARE(columns->values, std::vector<double>{42.0});
        VERIFY_OK((*writer)->close(true));
        QCOMPARE((*reader)->read("late/series")->values, std::vector<double>{42.0});
        VERIFY_OK((*reader)->readArray(3));  // from the file that replaced the live one
    }

    void liveHdf5InAnotherProcess() {
        auto writer = RunLogWriter::open(m_folder);
        VERIFY_OK(writer);
        fill(**writer);
        VERIFY_OK((*writer)->flush());
        // Without the journal a second process has only SWMR.
        fs::rename(m_folder / "journal.esj", m_folder / "away");
        const int status = inChild([&] {
            auto reader = RunLogReader::open(m_folder);
            if (!reader) ::_exit(1);
            if ((*reader)->read("train/loss")->values.size() != 1000) ::_exit(2);
            if ((*reader)->tradeoff()->points.size() != 3) ::_exit(3);
        });
        QCOMPARE(status, 0);
        fs::rename(m_folder / "away", m_folder / "journal.esj");
    }

    void reopenKeepsIdsAndData() {
        {
            auto writer = RunLogWriter::open(m_folder);
            VERIFY_OK(writer);
            fill(**writer);
            VERIFY_OK((*writer)->close(false));
        }
        auto writer = RunLogWriter::open(m_folder);
        VERIFY_OK(writer);
        QCOMPARE((*writer)->series("valid/top1"), 1u);
        QCOMPARE((*writer)->series("train/loss"), 0u);
        QCOMPARE((*writer)->series("new"), 2u);
        (*writer)->scalar(0, 1000, 1.0, 5.0);
        (*writer)->array(makeArray(feed::ArrayType::Float32, "again", {3}));
        VERIFY_OK((*writer)->close(true));
        auto reader = RunLogReader::open(m_folder);
        VERIFY_OK(reader);
        QCOMPARE((*reader)->read("train/loss")->values.size(), std::size_t(1001));
        QCOMPARE((*reader)->arrays()->size(), std::size_t(5));
        QCOMPARE((*reader)->arrays()->back().index, std::uint64_t(4));
        QCOMPARE((*reader)->series()->at(2).count, std::uint64_t(0));
    }

    void reopenCompacted() {
        {
            auto writer = RunLogWriter::open(m_folder);
            VERIFY_OK(writer);
            fill(**writer);
            VERIFY_OK((*writer)->close(true));
        }
        auto reader = RunLogReader::open(m_folder);
        auto writer = RunLogWriter::open(m_folder);
        VERIFY_OK(writer);
        checkAll(m_folder);  // the large array was carried over
        (*writer)->scalar(0, 1000, 1.0, 5.0);
        VERIFY_OK((*writer)->close(true));
        QCOMPARE((*reader)->read("train/loss")->values.size(), std::size_t(1001));
    }

    void secondWriterIsRefused() {
        auto writer = RunLogWriter::open(m_folder);
        VERIFY_OK(writer);
        const auto second = RunLogWriter::open(m_folder);
        QVERIFY(!second);
        QVERIFY(second.error().what.find("another") != std::string::npos);
        VERIFY_OK((*writer)->close(false));
        VERIFY_OK(RunLogWriter::open(m_folder));
    }

    void wrongShapeIsAnError() {
        auto writer = RunLogWriter::open(m_folder);
        VERIFY_OK(writer);
        auto record = makeArray(feed::ArrayType::Float32, "bad", {4});
        record.info.shape = {5};
        (*writer)->array(std::move(record));
        QVERIFY(!(*writer)->flush());
        QCOMPARE((*writer)->error().error().where, std::string("bad"));
    }

    void killedWriterLosesLittle();
    void truncatedRunFileIsRebuilt();
    void damagedJournalTail();
    void damagedJournalMiddle();
    void compactionKilled();
    void fullDisk();
    void envelopeIsExact();
    void manySeriesPyramid();
    void newerVersionSaysSo();
    void pythonReader();

private:
    std::unique_ptr<QTemporaryDir> m_dir;
    fs::path m_folder;
};

void TestRunLog::killedWriterLosesLittle() {
    std::mt19937 random(7);
    double worstLoss = 0;
    for (int round = 0; round < 20; ++round) {
        const auto folder = m_folder / std::to_string(round);
        const double startedAt = wallClockSecs();
        const pid_t child = ::fork();
        if (child == 0) {
            auto writer = RunLogWriter::open(folder);
            if (!writer) ::_exit(1);
            const auto id = (*writer)->series("clock");
            for (std::int64_t i = 0;; ++i) {
                (*writer)->scalar(id, i, wallClockSecs(), static_cast<double>(i) * 0.5);
                // Every other writer is so slow that batches end by time, not by size.
                if (round % 2 == 0 || i % 50 == 49) std::this_thread::sleep_for(std::chrono::milliseconds(1));
                if (i % 20000 == 19999) (*writer)->array(makeArray(feed::ArrayType::Float16, "attn/layer1", {9, 1000}));
            }
        }
        const bool isSlow = round % 2 == 0;
        std::this_thread::sleep_for(std::chrono::microseconds((isSlow ? 250000 : 60000) + random() % 250000));
        ::kill(child, SIGKILL);
        const double killedAt = wallClockSecs();
        ::waitpid(child, nullptr, 0);
        std::size_t seen = 0;
        {
            auto reader = RunLogReader::open(folder);  // before anybody repairs it
            VERIFY_OK(reader);
            const auto columns = (*reader)->series()->empty() ? feed::SeriesColumns{} : *(*reader)->read("clock");
            seen = columns.values.size();
            for (std::size_t i = 0; i < seen; ++i) {
                QCOMPARE(columns.steps[i], std::int64_t(i));
                QCOMPARE(columns.values[i], double(i) * 0.5);
            }
            worstLoss = std::max(worstLoss, killedAt - (seen > 0 ? columns.wallSecs.back() : startedAt));
        }
        auto writer = RunLogWriter::open(folder);
        VERIFY_OK(writer);
        VERIFY_OK((*writer)->error());
        (*writer)->scalar((*writer)->series("clock"), std::int64_t(seen), 0, double(seen) * 0.5);
        VERIFY_OK((*writer)->close(true));
        auto reader = RunLogReader::open(folder);
        VERIFY_OK(reader);
        QCOMPARE((*reader)->read("clock")->values.size(), seen + 1);
    }
    qInfo("worst loss over 20 kills: %.3f s", worstLoss);
    QVERIFY(worstLoss <= 1.0);
}

void TestRunLog::truncatedRunFileIsRebuilt() {
    for (const double part : {0.0, 0.01, 0.3, 0.7, 0.99}) {
        const auto folder = m_folder / std::to_string(part);
        {
            auto writer = RunLogWriter::open(folder);
            VERIFY_OK(writer);
            fill(**writer);
            VERIFY_OK((*writer)->close(false));
        }
        fs::resize_file(folder / "run.h5", static_cast<std::uintmax_t>(double(fs::file_size(folder / "run.h5")) * part));
        const double before = steadySecs();
        {
            auto reader = RunLogReader::open(folder);
            VERIFY_OK(reader);
            checkScalars(**reader);
            checkRest(**reader);
            VERIFY_OK((*reader)->readArray(0));
        }
        auto writer = RunLogWriter::open(folder);
        VERIFY_OK(writer);
        VERIFY_OK((*writer)->error());
        QVERIFY(steadySecs() - before < 2.0);
        VERIFY_OK((*writer)->close(true));
        auto reader = RunLogReader::open(folder);
        VERIFY_OK(reader);
        checkScalars(**reader);
        const auto arrays = (*reader)->arrays();
        VERIFY_OK(arrays);
        QVERIFY(arrays->size() == 3 || arrays->size() == 4);
        if (arrays->size() == 3) {
            const auto warnings = (*reader)->warnings();
            QCOMPARE(warnings->back().kind, std::string("array_lost"));
        }
    }
}

void TestRunLog::damagedJournalTail() {
    {
        auto writer = RunLogWriter::open(m_folder);
        VERIFY_OK(writer);
        fill(**writer);
        VERIFY_OK((*writer)->close(false));
    }
    {
        std::ofstream out(m_folder / "journal.esj", std::ios::app | std::ios::binary);
        out << "ESJ1" << std::string(60, '\x07');  // half a frame
    }
    const auto size = fs::file_size(m_folder / "journal.esj");
    checkAll(m_folder);
    QCOMPARE(fs::file_size(m_folder / "journal.esj"), size);  // readers change nothing
    auto writer = RunLogWriter::open(m_folder);
    VERIFY_OK(writer);
    VERIFY_OK((*writer)->close(true));
    auto reader = RunLogReader::open(m_folder);
    VERIFY_OK(reader);
    checkScalars(**reader);
    checkArrays(**reader);
    const auto warnings = (*reader)->warnings();
    VERIFY_OK(warnings);
    QCOMPARE(warnings->size(), std::size_t(2));
    QCOMPARE(warnings->back().kind, std::string("journal_tail_cut"));
    QVERIFY(warnings->back().detail.find("64 bytes") != std::string::npos);
}

void TestRunLog::damagedJournalMiddle() {
    {
        auto writer = RunLogWriter::open(m_folder);
        VERIFY_OK(writer);
        const auto id = (*writer)->series("s");
        for (int i = 0; i < 10; ++i) {
            (*writer)->scalar(id, i, 0, i);
            VERIFY_OK((*writer)->flush());  // a frame each
        }
        VERIFY_OK((*writer)->close(false));
    }
    fs::remove(m_folder / "run.h5");
    {
        std::fstream file(m_folder / "journal.esj", std::ios::in | std::ios::out | std::ios::binary);
        file.seekp(-200, std::ios::end);  // inside one of the last scalar frames of 48 bytes
        file.put('\xA5');
    }
    auto writer = RunLogWriter::open(m_folder);
    VERIFY_OK(writer);
    VERIFY_OK((*writer)->close(true));
    auto reader = RunLogReader::open(m_folder);
    VERIFY_OK(reader);
    QCOMPARE((*reader)->read("s")->values.size(), std::size_t(9));
    QCOMPARE((*reader)->warnings()->front().kind, std::string("journal_damaged"));
}

void TestRunLog::compactionKilled() {
    {
        auto writer = RunLogWriter::open(m_folder);
        VERIFY_OK(writer);
        fill(**writer);
        const auto id = (*writer)->series("long");
        for (int i = 0; i < 300000; ++i) (*writer)->scalar(id, i, i, i % 977);
        VERIFY_OK((*writer)->close(false));
    }
    int killed = 0;
    for (int round = 0; round < 8; ++round) {
        const pid_t child = ::fork();
        if (child == 0) {
            (void)compactRunLog(m_folder);
            ::_exit(0);
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(2 + 9 * round));
        ::kill(child, SIGKILL);
        int status = 0;
        ::waitpid(child, &status, 0);
        killed += WIFSIGNALED(status);
        auto reader = RunLogReader::open(m_folder);
        VERIFY_OK(reader);
        QCOMPARE((*reader)->read("long")->values.size(), std::size_t(300000));
        checkArrays(**reader);
    }
    QVERIFY(killed > 0);
    VERIFY_OK(compactRunLog(m_folder));
    QCOMPARE(stateOf(m_folder), std::string("compacted"));
    VERIFY_OK(compactRunLog(m_folder));  // nothing left to do
    QVERIFY(!fs::exists(m_folder / ".run.h5.compact"));
    auto reader = RunLogReader::open(m_folder);
    VERIFY_OK(reader);
    QCOMPARE((*reader)->read("long")->values.size(), std::size_t(300000));
    checkArrays(**reader);
}

void TestRunLog::fullDisk() {
    const int status = inChild([&] {
        ::signal(SIGXFSZ, SIG_IGN);
        auto writer = RunLogWriter::open(m_folder);
        if (!writer) ::_exit(1);
        const auto id = (*writer)->series("s");
        for (int i = 0; i < 1000; ++i) (*writer)->scalar(id, i, 0, i);
        if (!(*writer)->flush()) ::_exit(2);
        const rlimit limit{fs::file_size(m_folder / "run.h5") + 100000, RLIM_INFINITY};
        ::setrlimit(RLIMIT_FSIZE, &limit);
        for (int i = 1000; i < 200000; ++i) (*writer)->scalar(id, i, 0, i);
        const auto flushed = (*writer)->flush();
        if (flushed || flushed.error().code != ErrorCode::Io) ::_exit(3);
        if ((*writer)->close(true)) ::_exit(4);
        writer->reset();
        ::alarm(20);  // the library must not hang over its unwritten cache at exit
        ::exit(0);
    });
    QVERIFY(WIFEXITED(status));
    QCOMPARE(WEXITSTATUS(status), 0);
    auto reader = RunLogReader::open(m_folder);
    VERIFY_OK(reader);
    const auto columns = (*reader)->read("s");
    VERIFY_OK(columns);
    QVERIFY(columns->values.size() >= 1000);
    for (std::size_t i = 0; i < columns->values.size(); ++i) QCOMPARE(columns->values[i], double(i));
    auto writer = RunLogWriter::open(m_folder);  // space is back
    VERIFY_OK(writer);
    VERIFY_OK((*writer)->close(true));
    QCOMPARE(stateOf(m_folder), std::string("compacted"));
}

void TestRunLog::envelopeIsExact() {
    std::mt19937 random(3);
    std::vector<std::int64_t> steps;
    std::vector<double> values;
    std::int64_t step = -50;
    for (int i = 0; i < 140000; ++i) {
        if (i % 7919 == 7918) step -= 900;  // resumed from an older checkpoint
        step += std::int64_t(random() % 3);
        steps.push_back(step);
        values.push_back(i % 1001 == 0 ? kNan : i % 2003 == 0 ? -kInf : double(random() % 100000) / 7.0);
    }
    auto writer = RunLogWriter::open(m_folder);
    VERIFY_OK(writer);
    const auto other = (*writer)->series("before");
    const auto id = (*writer)->series("s");
    for (std::size_t i = 0; i < steps.size(); ++i) {
        if (i % 3 == 0) (*writer)->scalar(other, std::int64_t(i), 0, -1);
        (*writer)->scalar(id, steps[i], 0, values[i]);
    }
    VERIFY_OK((*writer)->flush());
    const auto compare = [&](const RunLogReader& reader, std::int64_t first, std::int64_t last, int columns) {
        const auto result = reader.envelope("s", first, last, columns);
        VERIFY_OK(result);
        QCOMPARE(result->size(), std::size_t(columns));
        std::vector<RunLogReader::Column> expected(std::size_t(columns), {kNan, kNan, 0, 0, 0});
        for (std::size_t i = 0; i < steps.size(); ++i) {
            if (steps[i] < first || steps[i] > last) continue;
            auto& column = expected[std::size_t((steps[i] - first) * columns / (last - first + 1))];
            ++column.count;
            if (!std::isfinite(values[i])) { ++column.nonFinite; continue; }
            column.min = std::isnan(column.min) ? values[i] : std::min(column.min, values[i]);
            column.max = std::isnan(column.max) ? values[i] : std::max(column.max, values[i]);
            column.mean += values[i];
        }
        for (std::size_t c = 0; c < expected.size(); ++c) {
            QCOMPARE((*result)[c].count, expected[c].count);
            QCOMPARE((*result)[c].nonFinite, expected[c].nonFinite);
            QVERIFY(sameBits((*result)[c].min, expected[c].min));
            QVERIFY(sameBits((*result)[c].max, expected[c].max));
            const auto finite = expected[c].count - expected[c].nonFinite;
            if (finite) QVERIFY(std::abs((*result)[c].mean - expected[c].mean / double(finite)) < 1e-8);
            else QVERIFY(std::isnan((*result)[c].mean));
        }
    };
    const auto all = [&](const RunLogReader& reader) {
        compare(reader, -50, step, 1400);
        compare(reader, -5000, step + 5000, 37);
        compare(reader, 20000, 20500, 1400);  // fewer steps than columns
        compare(reader, 777, 777, 1);
        for (int i = 0; i < 20; ++i) {
            const auto first = std::int64_t(random() % 90000);
            compare(reader, first, first + std::int64_t(random() % 20000), 1 + int(random() % 800));
        }
    };
    all(*RunLogReader::open(m_folder).value());
    VERIFY_OK((*writer)->close(true));
    all(*RunLogReader::open(m_folder).value());
    QVERIFY(!(*RunLogReader::open(m_folder))->envelope("s", 5, 4, 10));
}

void TestRunLog::manySeriesPyramid() {
    auto writer = RunLogWriter::open(m_folder);
    VERIFY_OK(writer);
    for (int s = 0; s < 300; ++s) {
        const auto id = (*writer)->series("layer" + std::to_string(s));
        for (int i = 0; i <= s; ++i) (*writer)->scalar(id, i, s, s * 1000 + i);
    }
    VERIFY_OK((*writer)->close(true));
    auto reader = RunLogReader::open(m_folder);
    VERIFY_OK(reader);
    for (int s = 0; s < 300; s += 13) {
        const auto columns = (*reader)->read("layer" + std::to_string(s));
        VERIFY_OK(columns);
        QCOMPARE(columns->values.size(), std::size_t(s + 1));
        QCOMPARE(columns->values.front(), s * 1000.0);
        QCOMPARE(columns->values.back(), s * 1000.0 + s);
        const auto one = (*reader)->envelope("layer" + std::to_string(s), 0, 1000, 1);
        VERIFY_OK(one);
        QCOMPARE(one->front().max, s * 1000.0 + s);
        QCOMPARE(one->front().count, std::uint64_t(s + 1));
    }
}

void TestRunLog::newerVersionSaysSo() {
    {
        auto writer = RunLogWriter::open(m_folder);
        VERIFY_OK(writer);
        fill(**writer);
        VERIFY_OK((*writer)->close(true));
    }
    {
        auto file = h5::openFile(m_folder / "run.h5", h5::OpenMode::ReadWrite);
        VERIFY_OK(file);
        QVERIFY(H5Adelete(file->get(), "espalier_run_log") >= 0);
        VERIFY_OK(h5::writeAttribute(file->get(), "espalier_run_log", std::int64_t(2)));
    }
    const auto reader = RunLogReader::open(m_folder);
    QVERIFY(!reader);
    QCOMPARE(reader.error().code, ErrorCode::Unsupported);
    QVERIFY(reader.error().sentence().find("newer") != std::string::npos);
}

void TestRunLog::pythonReader() {
    QString python;
    for (const auto* candidate : {"python3", "/usr/bin/python3"}) {
        QProcess probe;
        probe.start(QString::fromLatin1(candidate), {QStringLiteral("-c"), QStringLiteral("import h5py")});
        if (probe.waitForFinished(20000) && probe.exitCode() == 0) python = QString::fromLatin1(candidate);
        if (!python.isEmpty()) break;
    }
    if (python.isEmpty()) QSKIP("no python3 with h5py on this machine");
    auto writer = RunLogWriter::open(m_folder);
    VERIFY_OK(writer);
    fill(**writer);
    VERIFY_OK((*writer)->flush());
    const QString script = QStringLiteral(ESPALIER_SOURCE_DIR "/resources/read_run.py");
    const auto file = QString::fromStdString((m_folder / "run.h5").string());
    const auto check = [&] {
        QProcess list;
        list.start(python, {script, file});
        QVERIFY(list.waitForFinished(30000));
        const auto text = list.readAllStandardOutput();
        QVERIFY2(list.exitCode() == 0, list.readAllStandardError().constData());
        QCOMPARE(text, QByteArray("train/loss\t1000\nvalid/top1\t2\n"));
        QProcess column;
        column.start(python, {script, file, QStringLiteral("valid/top1")});
        QVERIFY(column.waitForFinished(30000));
        QCOMPARE(column.readAllStandardOutput(), QByteArray("step,wall_secs,value\n10,5.0,0.25\n5,6.0,-inf\n"));
    };
    check();  // another process, while it is written
    VERIFY_OK((*writer)->close(true));
    check();
}

QTEST_GUILESS_MAIN(TestRunLog)
#include "tst_run_log.moc"
