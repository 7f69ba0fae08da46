#include <algorithm>
#include <memory>
#include <random>

#include <QProcess>
#include <QTemporaryDir>
#include <QtTest>

#include "engine/runlog/half.h"
#include "engine/runlog/live_file.h"
#include "tests/support/run_log_samples.h"

using namespace espalier;
using namespace espalier::tests;

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

    void journalInManyFiles() {
        const RunLogOptions options{8192};
        {
            auto writer = RunLogWriter::open(m_folder, options);
            VERIFY_OK(writer);
            fill(**writer);
            VERIFY_OK((*writer)->flush());
            checkAll(m_folder);
            VERIFY_OK((*writer)->close(false));
        }
        QVERIFY(fs::exists(m_folder / "journal-0001.esj"));
        fs::rename(m_folder / "run.h5", m_folder / "away");  // built anew from all of the files
        auto writer = RunLogWriter::open(m_folder, options);
        VERIFY_OK(writer);
        QCOMPARE((*writer)->series("valid/top1"), 1u);
        for (int i = 0; i < 20; ++i) {
            (*writer)->scalar(0, 1000 + i, 1.0, 5.0);
            (*writer)->array(makeArray(feed::ArrayType::Float32, "again", {300}));
            VERIFY_OK((*writer)->flush());
        }
        QVERIFY(fs::exists(m_folder / "journal-0003.esj"));
        auto live = RunLogReader::open(m_folder);
        VERIFY_OK(live);
        QCOMPARE((*live)->arrays()->size(), std::size_t(3 + 20));  // the large one was only in run.h5
        QCOMPARE((*live)->readArray((*live)->arrays()->back().index)->floats, makeArray(feed::ArrayType::Float32, "", {300}).floats);
        VERIFY_OK((*writer)->close(true));
        auto reader = RunLogReader::open(m_folder);
        VERIFY_OK(reader);
        QCOMPARE((*reader)->read("train/loss")->values.size(), std::size_t(1020));
        QCOMPARE((*reader)->arrays()->size(), std::size_t(3 + 20));
        QCOMPARE((*reader)->warnings()->back().kind, std::string("array_lost"));
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

    void envelopeIsExact();
    void overviewKeepsEveryPointInNarrowSpans_data();
    void overviewKeepsEveryPointInNarrowSpans();
    void manySeriesPyramid();
    void newerVersionSaysSo();
    void pythonReader();

private:
    std::unique_ptr<QTemporaryDir> m_dir;
    fs::path m_folder;
};

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

void TestRunLog::overviewKeepsEveryPointInNarrowSpans_data() {
    QTest::addColumn<int>("stride");
    QTest::addColumn<bool>("goesBack");
    QTest::addColumn<int>("columns");
    QTest::newRow("every step") << 1 << false << 1400;
    QTest::newRow("bucket a little wider than a column") << 1 << false << 1100;
    QTest::newRow("every tenth step") << 10 << false << 300;
    QTest::newRow("fewer points than columns") << 1000 << false << 300000;
    QTest::newRow("bursts and steps that went back") << 3 << true << 700;
    QTest::newRow("one column") << 1 << true << 1;
}

void TestRunLog::overviewKeepsEveryPointInNarrowSpans() {
    QFETCH(int, stride);
    QFETCH(bool, goesBack);
    QFETCH(int, columns);
    std::mt19937 random(7);
    std::vector<std::int64_t> steps;
    std::vector<double> values;
    std::int64_t step = 0;
    for (int i = 0; i < 200000; ++i) {
        step += goesBack && i % 5003 == 5002 ? -700 : goesBack && i % 997 == 0 ? 5000 : stride;
        steps.push_back(step);
        values.push_back(i % 1501 == 0 ? kNan : double(random() % 1000) / 7.0);
    }
    auto writer = RunLogWriter::open(m_folder);
    VERIFY_OK(writer);
    const auto id = (*writer)->series("s");
    for (std::size_t i = 0; i < steps.size(); ++i) (*writer)->scalar(id, steps[i], 0, values[i]);
    const auto [low, high] = std::minmax_element(steps.begin(), steps.end());
    const auto check = [&](std::int64_t first, std::int64_t last, bool isWhole) {
        const auto spans = (*RunLogReader::open(m_folder))->overview("s", first, last, columns);
        VERIFY_OK(spans);
        const auto widest = std::max<std::int64_t>(1, (last - first + 1) / columns);
        // Spans are consecutive runs of points: find the first one by its range, then walk both lists together.
        std::size_t point = 0, covered = 0;
        for (const auto& span : *spans) {
            QVERIFY(span.count == 1 || span.lastStep - span.firstStep + 1 <= widest);
            if (!isWhole) continue;
            std::int64_t lowest = steps[point], highest = steps[point];
            double min = kNan, max = kNan;
            std::uint64_t nonFinite = 0;
            for (std::uint64_t i = 0; i < span.count; ++i, ++point) {
                QVERIFY(point < steps.size());
                lowest = std::min(lowest, steps[point]);
                highest = std::max(highest, steps[point]);
                if (!std::isfinite(values[point])) { ++nonFinite; continue; }
                min = std::isnan(min) ? values[point] : std::min(min, values[point]);
                max = std::isnan(max) ? values[point] : std::max(max, values[point]);
            }
            QCOMPARE(span.firstStep, lowest);
            QCOMPARE(span.lastStep, highest);
            QCOMPARE(span.nonFinite, nonFinite);
            QVERIFY(sameBits(span.min, min) && sameBits(span.max, max));
            covered += span.count;
        }
        if (isWhole) QCOMPARE(covered, steps.size());
        if (!isWhole) {
            std::uint64_t inside = 0, counted = 0;
            for (const auto s : steps) inside += s >= first && s <= last;
            for (const auto& span : *spans) counted += span.count;
            QVERIFY(counted >= inside);
        }
    };
    VERIFY_OK((*writer)->flush());
    check(*low, *high, true);
    VERIFY_OK((*writer)->close(true));
    check(*low, *high, true);
    check(*low + (*high - *low) / 3, *low + (*high - *low) / 2, false);
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
        QVERIFY(H5Adelete(file->get(), kVersionAttribute) >= 0);
        VERIFY_OK(h5::writeAttribute(file->get(), kVersionAttribute, kRunFileVersion + 1));
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
