#include <fstream>
#include <random>

#include <QTemporaryDir>
#include <QtTest>

#include "engine/base/files.h"
#include "engine/runlog/crc32c.h"
#include "engine/runlog/journal.h"
#include "engine/runlog/log_model.h"

using namespace espalier;
using namespace espalier::runlog;
namespace fs = std::filesystem;

namespace {
struct Frame {
    RecordType type;
    std::string payload;
    bool operator==(const Frame&) const = default;
};

struct Scanned {
    std::vector<Frame> frames;
    JournalScan scan;
};

Scanned scanAll(const fs::path& path, std::uint64_t from = kJournalHeaderBytes) {
    Scanned result;
    auto reader = JournalReader::open(path);
    if (!reader) return result;
    auto scan = reader->scan(from, [&](RecordType type, std::string_view payload, std::uint64_t) -> Result<void> {
        result.frames.push_back({type, std::string(payload)});
        return {};
    });
    if (scan) result.scan = *scan;
    return result;
}
}  // namespace

class TestJournal : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void init() {
        m_dir = std::make_unique<QTemporaryDir>();
        m_path = fs::path(m_dir->path().toStdString()) / "journal.esj";
    }

    void crcKnownValues() {
        // Check values of RFC 3720, appendix B.4, and of the CRC catalogue.
        QCOMPARE(crc32c("123456789", 9), 0xE3069283u);
        const std::string zeros(32, '\0'), ones(32, '\xFF');
        QCOMPARE(crc32c(zeros.data(), 32), 0x8A9136AAu);
        QCOMPARE(crc32c(ones.data(), 32), 0x62A8AB43u);
        QCOMPARE(crc32c("6789", 4, crc32c("12345", 5)), 0xE3069283u);
        std::mt19937 random(1);
        for (std::size_t size = 0; size < 100; ++size) {
            std::string bytes;
            for (std::size_t i = 0; i < size; ++i) bytes.push_back(static_cast<char>(random()));
            QCOMPARE(crc32c(bytes.data(), size), crc32cPortable(bytes.data(), size));
        }
    }

    void roundTrip() {
        const std::vector<Frame> written{{RecordType::Mark, "abc"},
                                         {RecordType::Array, std::string(9u << 20, 'x')},  // larger than the window
                                         {RecordType::Series, ""},
                                         {RecordType(999), "of a later version"}};
        write(written);
        const auto read = scanAll(m_path);
        QCOMPARE(read.frames.size(), std::size_t(4));
        QVERIFY(read.frames == written);
        QCOMPARE(read.scan.tailBytes, std::uint64_t(0));
        QCOMPARE(read.scan.damagedBytes, std::uint64_t(0));
        QCOMPARE(read.scan.nextOffset, std::uint64_t(fs::file_size(m_path)));
    }

    void everyTruncationKeepsWholeFrames() {
        std::vector<Frame> written;
        for (int i = 0; i < 8; ++i) written.push_back({RecordType::Mark, std::string(std::size_t(i * 5), char('a' + i))});
        write(written);
        const auto bytes = *readFile(m_path);
        std::vector<std::size_t> ends{kJournalHeaderBytes};
        for (const auto& frame : written) ends.push_back(ends.back() + kFrameHeaderBytes + frame.payload.size());
        for (std::size_t size = kJournalHeaderBytes; size <= bytes.size(); ++size) {
            put(bytes.substr(0, size));
            std::size_t whole = 0;
            while (whole + 1 < ends.size() && ends[whole + 1] <= size) ++whole;
            const auto read = scanAll(m_path);
            QCOMPARE(read.frames.size(), whole);
            QCOMPARE(read.scan.nextOffset, std::uint64_t(ends[whole]));
            QCOMPARE(read.scan.tailBytes, std::uint64_t(size - ends[whole]));
        }
    }

    void everyFlippedByteLosesOneFrameAtMost() {
        std::vector<Frame> written;
        for (int i = 0; i < 6; ++i) written.push_back({RecordType::Mark, std::string(20, char('a' + i))});
        write(written);
        const auto bytes = *readFile(m_path);
        for (std::size_t at = kJournalHeaderBytes; at < bytes.size(); ++at) {
            auto damaged = bytes;
            damaged[at] = static_cast<char>(damaged[at] ^ 0x40);
            put(damaged);
            const auto read = scanAll(m_path);
            QCOMPARE(read.frames.size(), std::size_t(5));
            for (const auto& frame : read.frames) QVERIFY(std::count(written.begin(), written.end(), frame) == 1);
            QCOMPARE(read.scan.damagedBytes + read.scan.tailBytes, std::uint64_t(36));
        }
    }

    void damagedHeaderIsRefused() {
        write({{RecordType::Mark, "abc"}});
        const auto bytes = *readFile(m_path);
        for (std::size_t at = 0; at < kJournalHeaderBytes; ++at) {
            auto damaged = bytes;
            damaged[at] = static_cast<char>(damaged[at] ^ 1);
            put(damaged);
            QVERIFY(!JournalReader::open(m_path));
            QVERIFY(!JournalWriter::open(m_path));
        }
    }

    void newerVersionSaysSo() {
        std::string header("ESPJRNL\n\x02\0\0\0", 12);
        const auto crc = crc32c(header.data(), header.size());
        header.append(reinterpret_cast<const char*>(&crc), 4);
        put(header);
        const auto reader = JournalReader::open(m_path);
        QVERIFY(!reader);
        QCOMPARE(reader.error().code, ErrorCode::Unsupported);
    }

    void writerHoldsTheLock() {
        auto first = JournalWriter::open(m_path);
        QVERIFY(first.has_value());
        QVERIFY(!JournalWriter::open(m_path));
        { JournalWriter gone(std::move(*first)); }
        QVERIFY(JournalWriter::open(m_path).has_value());
    }

    void readerFollows() {
        auto writer = JournalWriter::open(m_path);
        std::string frame;
        appendFrame(frame, RecordType::Mark, "one");
        QVERIFY(writer->append(frame).has_value());
        const auto first = scanAll(m_path);
        QCOMPARE(first.frames.size(), std::size_t(1));
        QVERIFY(writer->append(frame).has_value());
        QCOMPARE(scanAll(m_path, first.scan.nextOffset).frames.size(), std::size_t(1));
    }

    void mutatedRecordsNeverCrashTheModel() {
        std::string frames;
        appendSeriesFrame(frames, 0, "s");
        const std::vector<EventRow> rows{{0, 0, 1, 2.0, 3.0}, {0, 0, 2, 2.0, 4.0}};
        appendScalarFrames(frames, rows);
        appendRowFrame(frames, RecordType::Mark, feed::RunMark{1, 2, "kind", "text"});
        feed::ArrayInfo info;
        info.name = "a";
        info.shape = {2, 2};
        appendArrayFrame(frames, info, std::string(16, '\1'));
        appendRowFrame(frames, RecordType::TradeoffPoint, feed::TradeoffPoint{});
        std::mt19937 random(11);
        for (int round = 0; round < 20000; ++round) {
            LogModel model;
            std::size_t at = 0;
            while (at < frames.size()) {  // frames are built again, so that their checksums are right
                std::uint32_t length;
                std::uint16_t type;
                std::memcpy(&length, &frames[at + 4], 4);
                std::memcpy(&type, &frames[at + 8], 2);
                std::string payload = frames.substr(at + kFrameHeaderBytes, length);
                if (!payload.empty()) payload[random() % payload.size()] = static_cast<char>(random());
                if (random() % 4 == 0) payload.resize(random() % (payload.size() + 1));
                (void)model.apply(RecordType(type), payload, 0);
                at += kFrameHeaderBytes + length;
            }
            for (std::size_t i = 0; i < model.series.size(); ++i)
                QCOMPARE(model.series[i].count, std::uint64_t(model.columns[i].values.size()));
            for (const auto& entry : model.arrays) QVERIFY(elementCount(entry.info.shape) >= 0);
        }
    }

private:
    void write(const std::vector<Frame>& frames) {
        auto writer = JournalWriter::open(m_path);
        std::string bytes;
        for (const auto& frame : frames) appendFrame(bytes, frame.type, frame.payload);
        QVERIFY(writer->append(bytes).has_value());
    }
    void put(const std::string& bytes) {
        std::ofstream out(m_path, std::ios::binary | std::ios::trunc);
        out << bytes;
    }
    std::unique_ptr<QTemporaryDir> m_dir;
    fs::path m_path;
};

QTEST_GUILESS_MAIN(TestJournal)
#include "tst_journal.moc"
