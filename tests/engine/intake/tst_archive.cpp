// labels: fast gate
#include <QtTest>

#include "tests/engine/intake/archive_files.h"
#include "tests/engine/intake/array_files.h"
#include "tests/engine/intake/build_helpers.h"
#include "tests/engine/intake/picture_files.h"

using namespace espalier;
using namespace espalier::intake;
using namespace picturefiles;
using archivefiles::Entry;
using archivefiles::packed;
using Counts = std::map<std::string, std::int64_t>;

namespace {

std::vector<Entry> animals(const std::string& prefix = {}) {
    std::vector<Entry> entries;
    for (int i = 1; i <= 6; ++i)
        entries.push_back({prefix + (i % 2 ? "cat/" : "dog/") + std::to_string(i) + ".png", encoded(blobs(i), ".png")});
    return entries;
}

}  // namespace

class TestArchive : public QObject {
    Q_OBJECT
    Builder m_builder;

    Result<feed::DatasetSummary> import(const std::string& bytes, const std::string& name) {
        write(m_builder.root() / name, bytes);
        BuildRequest request;
        request.paths = {m_builder.root() / name};
        return m_builder.build(request);
    }

private Q_SLOTS:
    void readsEveryKind_data() {
        QTest::addColumn<QString>("format");
        QTest::addColumn<QString>("filter");
        QTest::addColumn<QString>("name");
        QTest::addColumn<QString>("shown");
        const auto row = [](const char* format, const char* filter, const char* name, const char* shown) {
            QTest::newRow(name) << QString::fromLatin1(format) << QString::fromLatin1(filter) << QString::fromLatin1(name) << QString::fromLatin1(shown);
        };
        row("ustar", "", "a.tar", "tar");
        row("pax", "gzip", "a.tar.gz", "tar");
        row("gnutar", "gzip", "a.tgz", "tar");
        row("pax", "bzip2", "a.tar.bz2", "tar");
        row("pax", "xz", "a.TAR.XZ", "tar");
        row("pax", "zstd", "a.tar.zst", "tar");
        row("zip", "", "a.zip", "zip");
        row("7zip", "", "a.7z", "7z");
    }
    void readsEveryKind() {
        QFETCH(QString, format);
        QFETCH(QString, filter);
        QFETCH(QString, name);
        QFETCH(QString, shown);
        const auto summary = import(packed(animals("outer/"), format.toStdString(), filter.toStdString()), name.toStdString());
        QVERIFY2(summary.has_value(), summary ? "" : summary.error().sentence().c_str());
        QCOMPARE(countsOf(*summary), (Counts{{"cat", 3}, {"dog", 3}}));
        QCOMPARE(summary->name, std::string("a"));
        QCOMPARE(summary->format, shown.toStdString());
        QVERIFY(summary->warnings.empty());
    }

    /// A folder and an archive of it are the same data: same order, same hash.
    void isTheFolderItself() {
        auto entries = animals();
        std::reverse(entries.begin(), entries.end());
        for (const Entry& entry : entries) write(m_builder.root() / "same" / entry.name, entry.data);
        BuildRequest request;
        request.paths = {m_builder.root() / "same"};
        const auto folder = m_builder.build(request);
        const auto archive = import(packed(entries, "pax"), "same.tar");
        QVERIFY(folder && archive);
        QCOMPARE(archive->hash, folder->hash);
    }

    void refusesNamesThatClimbOut_data() {
        QTest::addColumn<QString>("name");
        for (const char* name : {"../escaped.png", "cat/../../escaped.png", "/tmp/escaped.png", "C:/escaped.png", "cat/..", "\\escaped.png"})
            QTest::newRow(name) << QString::fromLatin1(name);
    }
    void refusesNamesThatClimbOut() {
        QFETCH(QString, name);
        auto entries = animals();
        entries.push_back({name.toStdString(), encoded(blobs(9), ".png")});
        const auto summary = import(packed(entries, "pax"), "bad.tar");
        QVERIFY(!summary);
        QVERIFY2(summary.error().sentence().find("outside") != std::string::npos, summary.error().sentence().c_str());
        for (const auto& entry : fs::recursive_directory_iterator(m_builder.scratch.path().toStdString()))
            QVERIFY(entry.path().filename() != "escaped.png");
    }

    void skipsLinksAndDevices() {
        auto entries = animals();
        entries.push_back({"cat/link.png", {}, AE_IFLNK, "/etc/passwd"});
        entries.push_back({"cat/pipe.png", {}, AE_IFIFO});
        const auto summary = import(packed(entries, "pax"), "links.tar");
        QVERIFY(summary.has_value());
        QCOMPARE(summary->samples, std::int64_t(6));
        QCOMPARE(warningOf(*summary, "link")->file, std::string("cat/link.png"));
        QCOMPARE(warningOf(*summary, "not_a_file")->file, std::string("cat/pipe.png"));
    }

    void namesDamagedEntry() {
        std::string bytes = packed(animals(), "zip");
        const std::size_t first = bytes.find("IDAT", bytes.find("cat/3.png"));
        QVERIFY(first != std::string::npos || bytes.size() > 2000);
        bytes[bytes.find("cat/3.png") + 60] = static_cast<char>(bytes[bytes.find("cat/3.png") + 60] ^ 0x10);
        const auto summary = import(bytes, "crc.zip");
        QVERIFY2(summary.has_value(), summary ? "" : summary.error().sentence().c_str());
        QCOMPARE(summary->samples, std::int64_t(5));
        QCOMPARE(summary->warnings.front().file, std::string("cat/3.png"));
    }

    void saysWhereATruncatedArchiveEnds() {
        std::vector<Entry> entries;
        for (int i = 0; i < 40; ++i) {
            cv::Mat noise(64, 64, CV_8UC3);
            cv::randu(noise, 0, 255);
            entries.push_back({(i % 2 ? "cat/" : "dog/") + std::to_string(i) + ".png", encoded(noise, ".png")});
        }
        const std::string bytes = packed(entries, "pax", "gzip");
        const auto summary = import(bytes.substr(0, bytes.size() / 2), "cut.tar.gz");
        QVERIFY2(summary.has_value(), summary ? "" : summary.error().sentence().c_str());
        QVERIFY(summary->samples > 0 && summary->samples < 40);
        QCOMPARE(warningOf(*summary, "truncated_archive")->file, std::string("cut.tar.gz"));
    }

    void refusesBombsByRatio() {
        auto entries = animals();
        entries.push_back({"cat/zeros.png", std::string(60'000'000, '\0')});
        const auto summary = import(packed(entries, "pax", "gzip"), "bomb.tar.gz");
        QVERIFY(summary.has_value());
        QCOMPARE(summary->samples, std::int64_t(6));
        const Warning* warning = warningOf(*summary, "ratio");
        QVERIFY(warning);
        QCOMPARE(warning->file, std::string("cat/zeros.png"));
    }

    void refusesHugeClaims() {
        QElapsedTimer timer;
        timer.start();
        // The header of the first entry only: 8 GiB are promised.
        std::string bytes = packed({{"cat/1.png", {}, AE_IFREG, {}, std::int64_t(8) << 30}}, "gnutar").substr(0, 512) + std::string(2048, 'x');
        const auto summary = import(bytes, "claim.tar");
        QVERIFY(!summary);
        QVERIFY(summary.error().sentence().find("claim.tar") != std::string::npos);
        QVERIFY(timer.elapsed() < 2000);
    }

    void readsUnicodeNames() {
        auto entries = animals();
        for (auto& entry : entries) entry.name = "\xE7\x8C\xAB " + entry.name;
        const auto summary = import(packed(entries, "gnutar"), "cats.tar");
        QVERIFY(summary.has_value());
        QCOMPARE(countsOf(*summary), (Counts{{"\xE7\x8C\xAB cat", 3}, {"\xE7\x8C\xAB dog", 3}}));
    }

    void saysWhatIsInsideWithoutPictures_data() {
        QTest::addColumn<QString>("name");
        QTest::addColumn<QByteArray>("data");
        QTest::addColumn<QString>("word");
        QTest::newRow("archive") << QStringLiteral("inner.tar.gz") << QByteArray("\x1F\x8B") << QStringLiteral("inner.tar.gz");
        QTest::newRow("pickle") << QStringLiteral("batch_1") << QByteArray("\x80\x02}q\x01.") << QStringLiteral("pickle");
        QTest::newRow("heic") << QStringLiteral("a/1.heic") << QByteArray("\0\0\0\x18" "ftypheic", 12) << QStringLiteral("JPEG or PNG");
    }
    void saysWhatIsInsideWithoutPictures() {
        QFETCH(QString, name);
        QFETCH(QByteArray, data);
        QFETCH(QString, word);
        const auto summary = import(packed({{name.toStdString(), data.toStdString()}}, "zip"), "other.zip");
        QVERIFY(!summary);
        QVERIFY2(summary.error().sentence().find(word.toStdString()) != std::string::npos, summary.error().sentence().c_str());
    }

    void aWrongChecksumInTheDirectoryAloneIsAWarning() {
        std::vector<arrayfiles::ZipEntry> entries;
        for (const auto& each : animals()) entries.push_back({each.name, each.data});
        std::string bytes = arrayfiles::zip(entries);
        const std::size_t entry = bytes.find("PK\1\2");
        QVERIFY(entry != std::string::npos);
        bytes[entry + 16] = static_cast<char>(bytes[entry + 16] ^ 0x55);
        const auto summary = import(bytes, "directory.zip");
        QVERIFY2(summary.has_value(), summary ? "" : summary.error().sentence().c_str());
        QCOMPARE(countsOf(*summary), (Counts{{"cat", 3}, {"dog", 3}}));
        const Warning* warning = warningOf(*summary, "damaged_entry");
        QVERIFY(warning && warning->outcome == Outcome::Kept && !warning->file.empty());
        QVERIFY2(warning->detail.find("CRC") != std::string::npos, warning->detail.c_str());
    }
};

QTEST_GUILESS_MAIN(TestArchive)
#include "tst_archive.moc"
