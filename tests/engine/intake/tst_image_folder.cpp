#include <QtTest>

#include "tests/engine/intake/build_helpers.h"
#include "tests/engine/intake/picture_files.h"

using namespace espalier;
using namespace espalier::intake;
using namespace picturefiles;
using Counts = std::map<std::string, std::int64_t>;

class TestImageFolder : public QObject {
    Q_OBJECT

    std::unique_ptr<Builder> m_builder;
    int m_seed = 0;

    void picture(const std::string& path) { write(m_builder->root() / path, encoded(blobs(++m_seed), ".png")); }
    void pictures(const std::vector<std::string>& paths) {
        for (const auto& path : paths) picture(path);
    }

private Q_SLOTS:
    void init() {
        m_builder = std::make_unique<Builder>();
        fs::create_directories(m_builder->root());
    }

    void sortsNaturally() {
        pictures({"b/10.png", "b/9.png", "b/1.png", "a10/1.png", "a9/1.png"});
        const auto summary = m_builder->build({});
        QVERIFY(summary.has_value());
        QCOMPARE(summary->classes.size(), std::size_t(3));
        QCOMPARE(summary->classes[0].name, std::string("a9"));
        QCOMPARE(sourcesOf(*m_builder->open()),
                 (std::vector<std::string>{"a9/1.png", "a10/1.png", "b/1.png", "b/9.png", "b/10.png"}));
    }

    void aFolderOfLinksSaysSo() {
        picture("../elsewhere/1.png");
        fs::create_directory_symlink("../elsewhere", m_builder->root() / "cat");
        const auto refused = m_builder->build({});
        QVERIFY(!refused);
        QVERIFY2(refused.error().sentence().find("cat is a link to a folder") != std::string::npos, refused.error().sentence().c_str());
    }
    void namesThatDifferInCaseAreTold() {
        pictures({"Cat/1.png", "cat/1.png", "dog/1.png"});
        const auto summary = m_builder->build({});
        QVERIFY(summary.has_value());
        QCOMPARE(summary->classes.size(), std::size_t(3));
        const Warning* warning = warningOf(*summary, "like_names");
        QVERIFY(warning && warning->file == "cat" && warning->detail.find("\"Cat\"") != std::string::npos);
    }

    void findsTheLayout_data() {
        QTest::addColumn<QStringList>("paths");
        QTest::addColumn<QString>("classes");
        QTest::addColumn<QString>("splits");
        const auto row = [](const char* name, const QStringList& paths, const char* classes, const char* splits) {
            QTest::newRow(name) << paths << QString::fromLatin1(classes) << QString::fromLatin1(splits);
        };
        const QString a = QStringLiteral("a/1.png"), b = QStringLiteral("b/1.png");
        const auto below = [&](const QString& folder) { return QStringList{folder + QStringLiteral("/") + a, folder + QStringLiteral("/") + b}; };
        row("classes", {a, b}, "a=1 b=1", "seed");
        row("one wrapper", below(QStringLiteral("pets")), "a=1 b=1", "seed");
        row("three wrappers", below(QStringLiteral("x/y/z")), "a=1 b=1", "seed");
        row("train and test", below(QStringLiteral("train")) + below(QStringLiteral("test")), "a=2 b=2", "2 0 2");
        row("all words", below(QStringLiteral("Training")) + below(QStringLiteral("VALIDATION")) + below(QStringLiteral("Testing")), "a=3 b=3", "2 2 2");
        row("val", below(QStringLiteral("train")) + below(QStringLiteral("val")), "a=2 b=2", "2 2 0");
        row("splits in wrapper", below(QStringLiteral("w/train")) + below(QStringLiteral("w/valid")), "a=2 b=2", "2 2 0");
        row("classes before splits", {QStringLiteral("a/train/1.png"), QStringLiteral("a/test/2.png"), QStringLiteral("b/train/1.png")}, "a=2 b=1", "2 0 1");
        row("only train", below(QStringLiteral("train")), "a=1 b=1", "seed");
        row("deeper folders in a class", {QStringLiteral("a/x/1.png"), QStringLiteral("a/y/2.png"), b}, "a=2 b=1", "seed");
        row("a class called train", {QStringLiteral("train/1.png"), QStringLiteral("bus/1.png")}, "bus=1 train=1", "seed");
        row("picture beside splits", below(QStringLiteral("train")) + below(QStringLiteral("test")) + QStringList{QStringLiteral("preview.png")}, "a=2 b=2", "2 0 2");
    }
    void findsTheLayout() {
        QFETCH(QStringList, paths);
        QFETCH(QString, classes);
        QFETCH(QString, splits);
        for (const QString& path : paths) picture(path.toStdString());
        const auto summary = m_builder->build({});
        QVERIFY2(summary.has_value(), summary ? "" : summary.error().sentence().c_str());
        QStringList found;
        for (const auto& info : summary->classes) found << QStringLiteral("%1=%2").arg(QString::fromStdString(info.name)).arg(info.total());
        QCOMPARE(found.join(QLatin1Char(' ')), classes);
        const auto& s = summary->splits;
        QCOMPARE(summary->splitKind == "seed" ? QStringLiteral("seed") : QStringLiteral("%1 %2 %3").arg(s[0]).arg(s[1]).arg(s[2]), splits);
    }

    void leavesSystemFilesOut() {
        pictures({"cat/1.png", "dog/1.png", ".git/1.png", "__MACOSX/cat/1.png", "@eaDir/1.png", ".ipynb_checkpoints/1.png", "cat/._1.png",
                  "$RECYCLE.BIN/1.png", ".hidden.png"});
        write(m_builder->root() / "cat" / "Thumbs.db", "x");
        write(m_builder->root() / "desktop.ini", "x");
        const auto summary = m_builder->build({});
        QVERIFY(summary.has_value());
        QCOMPARE(countsOf(*summary), (Counts{{"cat", 1}, {"dog", 1}}));
        QVERIFY(summary->warnings.empty());
    }

    void takesPicturesByContent() {
        write(m_builder->root() / "cat" / "A.JPE", encoded(blobs(1), ".jpg"));
        write(m_builder->root() / "cat" / "noSuffix", encoded(blobs(2), ".png"));
        write(m_builder->root() / "cat" / "wrong.jpg", encoded(blobs(3), ".png"));
        write(m_builder->root() / "dog" / "b.TIFF", encoded(blobs(4), ".tiff"));
        write(m_builder->root() / "dog" / "notes.txt", "nothing");
        const auto summary = m_builder->build({});
        QVERIFY(summary.has_value());
        QCOMPARE(countsOf(*summary), (Counts{{"cat", 3}, {"dog", 1}}));
        const Warning* warning = warningOf(*summary, "not_an_image");
        QVERIFY(warning);
        QCOMPARE(warning->file, std::string("dog/notes.txt"));
    }

    void namesEmptyClassFolders() {
        pictures({"cat/1.png", "dog/1.png"});
        fs::create_directories(m_builder->root() / "unicorn" / "deep");
        const auto summary = m_builder->build({});
        QVERIFY(summary.has_value());
        QCOMPARE(countsOf(*summary), (Counts{{"cat", 1}, {"dog", 1}}));
        const Warning* warning = warningOf(*summary, "empty_class");
        QVERIFY(warning);
        QCOMPARE(warning->file, std::string("unicorn"));
    }

    void endsInFolderLoops() {
        pictures({"cat/1.png", "dog/1.png"});
        fs::create_directory_symlink("..", m_builder->root() / "cat" / "up");
        fs::create_directory_symlink(".", m_builder->root() / "self");
        fs::create_symlink("missing", m_builder->root() / "dog" / "gone.png");
        fs::create_symlink("../cat/1.png", m_builder->root() / "dog" / "link.png");
        const auto summary = m_builder->build({});
        QVERIFY(summary.has_value());
        QCOMPARE(countsOf(*summary), (Counts{{"cat", 1}, {"dog", 2}}));
        QVERIFY(warningOf(*summary, "folder_link"));
        QCOMPARE(warningOf(*summary, "broken_link")->file, std::string("dog/gone.png"));
        QVERIFY(warningOf(*summary, "label_conflict"));
    }

    void keepsAnyBytesInNames() {
        const std::string odd = "caf\xE9\n<b>.png";
        pictures({"cat/" + odd, "dog/1.png"});
        const auto summary = m_builder->build({});
        QVERIFY(summary.has_value());
        const auto store = m_builder->open();
        QCOMPARE(store->info(0).source, "cat/" + odd);
        QVERIFY(store->image(0).has_value());
    }

    /// "café" typed on a Mac and on Linux is one class.
    void joinsNormalForms() {
        pictures({"train/caf\xC3\xA9/1.png", "train/x/1.png", "test/cafe\xCC\x81/1.png", "test/x/1.png"});
        const auto summary = m_builder->build({});
        QVERIFY(summary.has_value());
        QCOMPARE(countsOf(*summary), (Counts{{"caf\xC3\xA9", 2}, {"x", 2}}));
        QVERIFY(!warningOf(*summary, "class_mismatch"));
    }

    void takesAFlatFolderUnlabelled() {
        pictures({"1.png", "2.png"});
        const auto summary = m_builder->build({});
        QVERIFY(summary.has_value());
        QVERIFY(summary->classes.empty());
        QCOMPARE(summary->samples, std::int64_t(2));
        QVERIFY(warningOf(*summary, "unlabelled"));
        QCOMPARE(m_builder->open()->info(0).label, std::int64_t(-1));
    }

    void takesFoldersDroppedTogetherAsClasses() {
        pictures({"cat/1.png", "dog/1.png", "bird/1.png"});
        BuildRequest request;
        request.paths = {m_builder->root() / "cat", m_builder->root() / "dog"};
        const auto summary = m_builder->build(request);
        QVERIFY(summary.has_value());
        QCOMPARE(countsOf(*summary), (Counts{{"cat", 1}, {"dog", 1}}));
    }

    void saysWhatAnEmptyFolderLacks() {
        auto summary = m_builder->build({});
        QVERIFY(!summary);
        QVERIFY(summary.error().what.find("no pictures") != std::string::npos);
        write(m_builder->root() / "train.npz", "PK");
        summary = m_builder->build({});
        QVERIFY(!summary);
        QVERIFY2(summary.error().sentence().find("train.npz") != std::string::npos, summary.error().sentence().c_str());
        std::filesystem::remove(m_builder->root() / "train.npz");
        write(m_builder->root() / "a_batch", std::string("\x80\x02}q", 4));
        summary = m_builder->build({});
        QVERIFY2(summary.error().what.find("pickle") != std::string::npos, summary.error().sentence().c_str());
    }
};

QTEST_GUILESS_MAIN(TestImageFolder)
#include "tst_image_folder.moc"
