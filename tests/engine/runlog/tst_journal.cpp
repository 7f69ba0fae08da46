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

    void goesOnInAnotherFile() {
        const auto written = rotated(100, 1000);
        QVERIFY(fs::exists(segmentPath(m_path, 4)));
        for (std::uint32_t i = 0; fs::exists(segmentPath(m_path, i)); ++i) QVERIFY(fs::file_size(segmentPath(m_path, i)) <= 1000);
        const auto read = scanAll(m_path);
        QVERIFY(read.frames == written);
        QCOMPARE(read.scan.damagedBytes, std::uint64_t(0));
        QCOMPARE(read.scan.tailBytes, std::uint64_t(0));
        auto writer = JournalWriter::open(m_path, 1000);
        QVERIFY(writer.has_value());
        QCOMPARE(writer->size(), read.scan.nextOffset);
        QVERIFY(!JournalWriter::open(m_path, 1000));  // one lock for all files
        std::string frame;
        appendFrame(frame, RecordType::Mark, "one more");
        QVERIFY(writer->append(frame).has_value());
        const auto more = scanAll(m_path, read.scan.nextOffset);
        QCOMPARE(more.frames.size(), std::size_t(1));
        QCOMPARE(scanAll(m_path).frames.size(), std::size_t(101));
    }

    void readerFollowsIntoTheNextFile() {
        auto writer = JournalWriter::open(m_path, 500);
        auto reader = JournalReader::open(m_path);
        QVERIFY(writer.has_value() && reader.has_value());
        std::uint64_t from = kJournalHeaderBytes, where = 0;
        int seen = 0;
        for (int i = 0; i < 60; ++i) {
            std::string frame;
            appendFrame(frame, RecordType::Mark, std::to_string(i) + std::string(40, 'x'));
            QVERIFY(writer->append(frame).has_value());
            if (i % 7 < 3) continue;
            const auto scan = reader->scan(from, [&](RecordType, std::string_view payload, std::uint64_t offset) -> Result<void> {
                seen += payload.substr(0, payload.find('x')) == std::to_string(seen);
                where = offset;
                return {};
            });
            QVERIFY(scan.has_value());
            QCOMPARE(seen, i + 1);
            QCOMPARE(scan->damagedBytes + scan->tailBytes, std::uint64_t(0));
            from = scan->nextOffset;
            QCOMPARE(from, writer->size());
            std::string last(2, '\0');
            QVERIFY(reader->readAt(where, last.data(), last.size()).has_value());
            QCOMPARE(last, (std::to_string(i) + "x").substr(0, 2));
        }
    }

    void everyTruncationOfTheLastFile() {
        const auto written = rotated(40, 400);
        std::uint32_t last = 0;
        while (fs::exists(segmentPath(m_path, last + 1))) ++last;
        QVERIFY(last > 3);
        const auto file = segmentPath(m_path, last);
        const auto bytes = *readFile(file);
        const auto before = segmentPath(m_path, last - 1);
        const auto sizeBefore = fs::file_size(before);
        std::size_t fewest = written.size();
        for (std::size_t size = bytes.size() + 1; size-- > 0;) {
            std::ofstream(file, std::ios::binary | std::ios::trunc) << bytes.substr(0, size);
            const auto read = scanAll(m_path);
            QVERIFY(read.frames.size() <= fewest && read.frames.size() >= written.size() - 10);
            fewest = read.frames.size();
            for (std::size_t i = 0; i < fewest; ++i) QVERIFY(read.frames[i] == written[i]);
            auto writer = JournalWriter::open(m_path, 400);
            QVERIFY(writer.has_value());
            QVERIFY(writer->cutAt(read.scan.nextOffset).has_value());
            std::string frame;
            appendFrame(frame, RecordType::Mark, "again");
            QVERIFY(writer->append(frame).has_value());
            const auto again = scanAll(m_path);
            QCOMPARE(again.frames.size(), fewest + 1);
            QCOMPARE(again.frames.back().payload, std::string("again"));
            QCOMPARE(again.scan.damagedBytes + again.scan.tailBytes, std::uint64_t(0));
            fs::remove(segmentPath(m_path, last + 1));
            fs::resize_file(before, sizeBefore);  // where the last file was of no use the frame went there
        }
    }

    void aMissingOrDamagedFileIsDamage() {
        const auto written = rotated(40, 400);
        const auto whole = scanAll(m_path);
        fs::rename(segmentPath(m_path, 2), m_path.parent_path() / "away");
        const auto gap = scanAll(m_path);
        QVERIFY(gap.frames.size() < written.size() && gap.frames.size() > written.size() / 2);
        QVERIFY(gap.frames.back() == written.back());
        QCOMPARE(gap.scan.nextOffset, whole.scan.nextOffset);
        QCOMPARE(gap.scan.damagedBytes, std::uint64_t(fs::file_size(m_path.parent_path() / "away")));
        fs::rename(m_path.parent_path() / "away", segmentPath(m_path, 2));
        auto bytes = *readFile(segmentPath(m_path, 2));
        for (std::size_t i = 0; i < 48; ++i) bytes[i] = '\0';  // its head, and the beginning of its first frame
        std::ofstream(segmentPath(m_path, 2), std::ios::binary | std::ios::trunc) << bytes;
        const auto damaged = scanAll(m_path);
        QCOMPARE(damaged.frames.size(), written.size() - 1);
        QVERIFY(damaged.scan.damagedBytes > 0);
        QCOMPARE(damaged.scan.nextOffset, whole.scan.nextOffset);
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
    /// Writes frames one by one into files of at most `segmentBytes`.
    std::vector<Frame> rotated(int count, std::uint64_t segmentBytes) {
        std::vector<Frame> written;
        auto writer = JournalWriter::open(m_path, segmentBytes);
        for (int i = 0; i < count; ++i) {
            written.push_back({RecordType::Mark, std::to_string(i) + std::string(std::size_t(i % 50), 'y')});
            std::string frame;
            appendFrame(frame, written.back().type, written.back().payload);
            if (!writer || !writer->append(frame)) return {};
        }
        return written;
    }
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
