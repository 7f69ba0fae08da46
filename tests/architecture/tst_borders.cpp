#include "tests/architecture/borders.h"

#include <QDir>
#include <QFile>
#include <QProcess>
#include <QTemporaryDir>
#include <QTest>

using namespace espalier::architecture;

namespace {
const QString kSource = QStringLiteral(ESPALIER_SOURCE_DIR);
const QString kBuild = QStringLiteral(ESPALIER_BUILD_DIR);
}  // namespace

/// Reads what the compiler itself read. Needs a build made by ninja.
class TestBorders : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void noSourceReadsAcrossABorder() {
        QProcess ninja;
        ninja.start(QStringLiteral("ninja"), {QStringLiteral("-C"), kBuild, QStringLiteral("-t"), QStringLiteral("deps")});
        QVERIFY2(ninja.waitForFinished(60000), "ninja -t deps did not answer");
        const auto objects = parseNinjaDeps(QString::fromUtf8(ninja.readAllStandardOutput()), kBuild);
        // A test that saw nothing would pass by accident.
        for (const auto* room : {"engine/base/", "engine/runlog/", "engine/catalog/", "engine/intake/"}) {
            const QString prefix = kSource + u'/' + QString::fromLatin1(room);
            const auto count = std::count_if(objects.begin(), objects.end(),
                                             [&](const auto& object) { return object.source.startsWith(prefix); });
            QVERIFY2(count > 0, room);
        }
        const auto found = violations(objects, kSource);
        QVERIFY2(found.isEmpty(), qPrintable(found.join(QLatin1Char('\n'))));
    }

    void namesThePathOfAPlantedViolation() {
        QTemporaryDir folder;
        const auto write = [&](const char* name, const char* text) {
            const auto path = folder.filePath(QString::fromLatin1(name));
            QDir().mkpath(QFileInfo(path).path());
            QFile file(path);
            QVERIFY(file.open(QIODevice::WriteOnly));
            file.write(text);
        };
        write("widgets/plot/bad.cpp", "#include \"widgets/plot/bad.h\"\n");
        write("widgets/plot/bad.h", "#include \"engine/nn/block.h\"\n");
        write("engine/nn/block.h", "#include <torch/torch.h>\n");
        const auto deps = QStringLiteral(
            "x/bad.cpp.o: #deps 4, deps mtime 1 (VALID)\n    %1/widgets/plot/bad.cpp\n    %1/widgets/plot/bad.h\n"
            "    %1/engine/nn/block.h\n    /opt/lib/torch/include/torch/torch.h\n").arg(folder.path());
        const auto found = violations(parseNinjaDeps(deps, folder.path()), folder.path());
        QCOMPARE(found.size(), 1);
        QVERIFY2(found[0].contains(QStringLiteral("widgets/plot/bad.cpp -> widgets/plot/bad.h -> engine/nn/block.h")),
                 qPrintable(found[0]));
    }

    void aRecipeMayNotReadAnother() {
        const auto deps = QStringLiteral(
            "x.o: #deps 2, deps mtime 1 (VALID)\n    /r/plugins/compress/flexround.cpp\n    /r/plugins/pretrain/other.h\n");
        const auto found = violations(parseNinjaDeps(deps, QStringLiteral("/r")), QStringLiteral("/r"));
        QCOMPARE(found.size(), 1);
        QVERIFY(found[0].contains(QStringLiteral("recipes do not know each other")));
    }

    void allowsWhatTheTableAllows() {
        const auto deps = QStringLiteral(
            "x.o: #deps 3, deps mtime 1 (VALID)\n    /r/app/pages/p.cpp\n    /r/engine/runtime/engine.h\n"
            "    /usr/include/x86_64-linux-gnu/qt6/QtCore/qobject.h\n");
        QCOMPARE(violations(parseNinjaDeps(deps, QStringLiteral("/r")), QStringLiteral("/r")), QStringList());
    }
};

QTEST_GUILESS_MAIN(TestBorders)
#include "tst_borders.moc"
