#include <QtTest>

#include "engine/base/files.h"
#include "tests/engine/intake/array_files.h"
#include "tests/engine/intake/build_helpers.h"
#include "tests/engine/intake/picture_files.h"

using namespace espalier;
using namespace espalier::intake;
using picturefiles::blobs;
using picturefiles::encoded;
using Counts = std::map<std::string, std::int64_t>;

/// Pictures whose classes stand in a table beside them.
class TestLabelTable : public QObject {
    Q_OBJECT
    std::unique_ptr<Builder> m_builder;
    int m_made = 0;

    void put(const std::string& name, const std::string& bytes) { arrayfiles::save(m_builder->root(), name, bytes); }
    void pictures(const std::string& folder, int count, const std::string& suffix = ".png") {
        for (int i = 0; i < count; ++i) put(folder + "p" + std::to_string(i) + suffix, encoded(blobs(m_made++), suffix));
    }
    feed::DatasetSummary import(const ImportOptions& options = {}, std::vector<std::filesystem::path> paths = {}) {
        BuildRequest request;
        request.options = options;
        request.paths = std::move(paths);
        auto summary = m_builder->build(request);
        if (!summary) qWarning("%s", summary.error().sentence().c_str());
        return summary ? *summary : feed::DatasetSummary{};
    }
    static const Warning* warningAt(const feed::DatasetSummary& summary, const std::string& kind, std::int64_t line) {
        for (const auto& warning : summary.warnings)
            if (warning.kind == kind && warning.line == line) return &warning;
        return nullptr;
    }

private Q_SLOTS:
    void init() { m_builder = std::make_unique<Builder>(), m_made = 0; }

    void labelsFlatPictures_data() {
        QTest::addColumn<QString>("name");
        QTest::addColumn<QByteArray>("table");
        const auto row = [](const char* what, const char* name, const QByteArray& table) { QTest::newRow(what) << QString::fromLatin1(name) << table; };
        row("file,label", "labels.csv", "file,label\np0.png,cat\np1.png,dog\np2.png,cat\np3.png,dog\n");
        row("filename;class", "labels.csv", "filename;class\r\np0.png;cat\r\np1.png;dog\r\np2.png;cat\r\np3.png;dog\r\n");
        row("tabs", "labels.tsv", "image\ttarget\np0.png\tcat\np1.png\tdog\np2.png\tcat\np3.png\tdog\n");
        row("id without suffix", "train.csv", "id,breed\np0,cat\np1,dog\np2,cat\np3,dog\n");
        row("label first", "labels.csv", "label,path\ncat,./p0.png\ndog,./p1.png\ncat,p2.png\ndog,p3.png\n");
        row("no header", "labels.csv", "p0.png,cat\np1.png,dog\np2.png,cat\np3.png,dog\n");
        row("blanks", "labels.txt", "p0.png cat\np1.png dog\np2.png cat\np3.png dog\n");
        row("more columns", "meta.csv", "width,image_id,age,label\n32,p0,1.5,cat\n32,p1,2.5,dog\n32,p2,3.5,cat\n32,p3,9.5,dog\n");
        row("one column a class", "labels.csv", "image,cat,dog\np0,1,0\np1,0,1\np2,1.0,0.0\np3,0,1\n");
        row("mark and case", "labels.csv", "\xEF\xBB\xBF" "File,Label\nP0.PNG,cat\nP1.PNG,dog\np2.png,cat\np3.png,dog\n");
        row("paths of Windows", "labels.csv", "file,label\nC:\\data\\p0.png,cat\nC:\\data\\p1.png,dog\nC:\\data\\p2.png,cat\nC:\\data\\p3.png,dog\n");
    }
    void labelsFlatPictures() {
        QFETCH(QString, name);
        QFETCH(QByteArray, table);
        pictures("", 4);
        put(name.toStdString(), table.toStdString());
        const auto summary = import();
        QCOMPARE(countsOf(summary), (Counts{{"cat", 2}, {"dog", 2}}));
        const Warning* note = warningOf(summary, "labels_from_table");
        QVERIFY(note && note->file == name.toStdString());
        for (const auto& warning : summary.warnings) QVERIFY2(warning.outcome == Outcome::Kept, warning.detail.c_str());
        const auto store = m_builder->open();
        QVERIFY(store);
        for (std::int64_t i = 0; i < store->size(); ++i)
            QCOMPARE(summary.classes[std::size_t(store->info(i).label)].name, std::string(store->info(i).source == "p0.png" || store->info(i).source == "p2.png" ? "cat" : "dog"));
    }
    void namesWhatDoesNotFit() {
        pictures("", 5);
        put("labels.csv", "file,label\np0.png,cat\ngone.png,dog\np1.png,dog\np2.png,\np3.png,cat\np3.png,dog\n");
        const auto summary = import();
        QCOMPARE(countsOf(summary), (Counts{{"cat", 2}, {"dog", 1}}));
        const Warning* missing = warningAt(summary, "missing_file", 3);
        QVERIFY(missing && missing->file == "labels.csv" && missing->detail.find("\"gone.png\"") != std::string::npos && missing->outcome == Outcome::Skipped);
        const Warning* empty = warningAt(summary, "missing_label", 5);
        QVERIFY(empty && empty->detail.find("\"p2.png\"") != std::string::npos);
        const Warning* conflict = warningAt(summary, "label_conflict", 7);
        QVERIFY(conflict && conflict->detail.find("the earlier one counts") != std::string::npos);
        QStringList unlabelled;
        for (const auto& warning : summary.warnings)
            if (warning.kind == "no_label") unlabelled << QString::fromStdString(warning.file);
        QCOMPARE(unlabelled, (QStringList{QStringLiteral("p2.png"), QStringLiteral("p4.png")}));
    }
    void manyTroublesAreSummedUp() {
        pictures("", 3);
        std::string table = "file,label\np0.png,a\np1.png,b\np2.png,a\n";
        for (int i = 0; i < 50; ++i) table += "gone" + std::to_string(i) + ".png,a\n";
        put("labels.csv", table);
        const auto summary = import();
        QCOMPARE(summary.samples, 3);
        int named = 0;
        bool isSummed = false;
        for (const auto& warning : summary.warnings) {
            named += warning.kind == "missing_file" && warning.line > 0;
            isSummed = isSummed || (warning.kind == "missing_file" && warning.detail.find("30 more") != std::string::npos);
        }
        QCOMPARE(named, 20);
        QVERIFY(isSummed);
    }
    void aFolderOfPicturesBesideTheTableIsNoClass() {
        pictures("train/", 4);
        pictures("test/", 2);
        put("labels.csv", "id,label\ntrain/p0,cat\ntrain/p1,dog\ntrain/p2,cat\ntrain/p3,dog\n");
        const auto summary = import();
        QCOMPARE(countsOf(summary), (Counts{{"cat", 2}, {"dog", 2}}));
        QCOMPARE(summary.splitKind, std::string("seed"));  // the test pictures have no labels
        QVERIFY(warningOf(summary, "no_label"));
    }
    void foldersAndColumnsGiveSplits() {
        pictures("train/", 4);
        pictures("test/", 2);
        put("train.csv", "file,label\np0.png,cat\np1.png,dog\np2.png,cat\np3.png,dog\n");
        put("test.csv", "file,label\np0.png,dog\np1.png,dog\n");
        const auto summary = import();
        QCOMPARE(countsOf(summary), (Counts{{"cat", 2}, {"dog", 4}}));
        QCOMPARE(summary.splits[0], 4);
        QCOMPARE(summary.splits[2], 2);
    }
    void splitColumnCounts() {
        pictures("images/", 4);
        put("labels.csv", "file,label,split\nimages/p0.png,a,train\nimages/p1.png,b,train\nimages/p2.png,a,test\nimages/p3.png,b,test\n");
        const auto summary = import();
        QCOMPARE(countsOf(summary), (Counts{{"a", 2}, {"b", 2}}));
        QCOMPARE(summary.splits[0], 2);
        QCOMPARE(summary.splits[2], 2);
    }
    void classFoldersCountMoreThanATable() {
        pictures("cat/", 2);
        pictures("dog/", 2);
        put("list.csv", "file,label\ncat/p0.png,x\ncat/p1.png,y\ndog/p0.png,x\ndog/p1.png,y\n");
        QCOMPARE(countsOf(import()), (Counts{{"cat", 2}, {"dog", 2}}));
        ImportOptions options;
        options.label = "label";  // said by the user
        QCOMPARE(countsOf(import(options)), (Counts{{"x", 2}, {"y", 2}}));
    }
    void numberedFoldersAreNoClassesWhenATableSaysMore() {
        pictures("images_001/", 2);
        pictures("images_002/", 2);
        put("labels.csv", "file,label\nimages_001/p0.png,x\nimages_001/p1.png,y\nimages_002/p0.png,x\nimages_002/p1.png,y\n");
        QCOMPARE(countsOf(import()), (Counts{{"x", 2}, {"y", 2}}));
    }
    void theUsersColumnMustExist() {
        pictures("", 2);
        put("labels.csv", "file,kind,other\np0.png,a,c\np1.png,b,c\n");
        ImportOptions options;
        options.label = "kidn";
        BuildRequest request;
        request.options = options;
        const auto refused = m_builder->build(request);
        QVERIFY(!refused);
        QVERIFY2(refused.error().sentence().find("\"kidn\"") != std::string::npos && refused.error().sentence().find("\"kind\" is meant") != std::string::npos, refused.error().sentence().c_str());
        options.label = "kind";
        QCOMPARE(countsOf(import(options)), (Counts{{"a", 1}, {"b", 1}}));
    }
    void aTableOfOtherPicturesIsTold() {
        pictures("", 3);
        put("labels.csv", "file,label\nx.png,a\ny.png,b\n");
        const auto summary = import();
        QVERIFY(summary.samples == 3 && summary.classes.empty());
        const Warning* warning = warningOf(summary, "missing_file");
        QVERIFY(warning && warning->detail.find("\"y.png\"") != std::string::npos);
    }
    void aGuessIsTold() {
        pictures("", 4);
        put("meta.csv", "file,place,kind\np0.png,here,cat\np1.png,there,dog\np2.png,here,cat\np3.png,there,dog\n");
        const auto summary = import();
        QCOMPARE(countsOf(summary), (Counts{{"cat", 2}, {"dog", 2}}));
        const Warning* warning = warningOf(summary, "label_guessed");
        QVERIFY(warning && warning->detail.find("\"place\"") != std::string::npos);
    }
    void filesOfBoxesAreNoLabels() {
        pictures("images/", 3);
        for (int i = 0; i < 3; ++i) put("labels/p" + std::to_string(i) + ".txt", "0 0.5 0.5 0.1 0.1\n1 0.2 0.2 0.1 0.1\n");
        const auto summary = import();
        QCOMPARE(countsOf(summary), (Counts{{"images", 3}}));
        QVERIFY(!warningOf(summary, "labels_from_table") && !warningOf(summary, "no_label_column"));
    }
    void answersToHandInAreNoLabels() {
        pictures("", 3);
        put("sample_submission.csv", "id,label\np0,0\np1,0\np2,0\n");
        const auto summary = import();
        QVERIFY(summary.samples == 3 && summary.classes.empty());
        QVERIFY(warningOf(summary, "unlabelled"));
    }
    void tablesThatNameNoPicturesStayOut() {
        pictures("", 3);
        put("notes.csv", "a,b\n1,2\n3,4\n");
        const auto summary = import();
        QVERIFY(summary.samples == 3 && summary.classes.empty());
        const Warning* warning = warningOf(summary, "not_an_image");
        QVERIFY(warning && warning->file == "notes.csv");
    }
    void worksInsideArchives() {
        std::vector<arrayfiles::ZipEntry> entries;
        for (int i = 0; i < 4; ++i) entries.push_back({"set/images/p" + std::to_string(i) + ".png", encoded(blobs(i), ".png")});
        entries.push_back({"set/labels.csv", "file,label\np0.png,cat\np1.png,dog\np2.png,cat\np3.png,dog\n"});
        put("set.zip", arrayfiles::zip(entries));
        QCOMPARE(countsOf(import({}, {m_builder->root() / "set.zip"})), (Counts{{"cat", 2}, {"dog", 2}}));
    }
    void worksForFilesDroppedTogether() {
        pictures("", 3);
        put("labels.csv", "file,label\np0.png,cat\np1.png,dog\np2.png,cat\n");
        const auto root = m_builder->root();
        QCOMPARE(countsOf(import({}, {root / "labels.csv", root / "p0.png", root / "p1.png", root / "p2.png"})), (Counts{{"cat", 2}, {"dog", 1}}));
    }
};

QTEST_GUILESS_MAIN(TestLabelTable)
#include "tst_label_table.moc"
