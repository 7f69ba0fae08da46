// labels: desk
#include <QDir>
#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QProcess>
#include <QStandardPaths>
#include <QTemporaryDir>
#include <QTest>

/// What `cmake --install` gives, used as a stranger would: both programs from the new place, the sample, the desktop
/// files, and a recipe module built outside the clone with find_package(Espalier).
class TestInstall : public QObject {
    Q_OBJECT

    QString path(const char* name) const { return m_folder.filePath(QString::fromLatin1(name)); }

    QByteArray run(const QString& program, const QStringList& words, int* code = nullptr) {
        QProcess process;
        process.setWorkingDirectory(m_folder.path());
        process.start(program, words);
        const bool hasEnded = process.waitForFinished(300000);
        m_said = process.readAllStandardError();
        const int exit = hasEnded && process.exitStatus() == QProcess::NormalExit ? process.exitCode() : -1;
        if (code) *code = exit;
        const auto out = process.readAllStandardOutput();
        if (!code && exit != 0) qWarning("%s\n%s", out.constData(), m_said.constData());
        return exit == 0 || code ? out : QByteArray();
    }
    QByteArray cli(QStringList words) {
        return run(path("prefix/bin/espalier-cli"), QStringList{QStringLiteral("--workspace"), path("workspace")} + words);
    }

private Q_SLOTS:
    void initTestCase() {
        qputenv("XDG_DATA_HOME", path("data").toUtf8());
        const auto out = run(QStringLiteral("cmake"), {QStringLiteral("--install"), QStringLiteral(ESPALIER_BUILD_DIR),
                                                       QStringLiteral("--prefix"), path("prefix")});
        QVERIFY(!out.isEmpty());
    }

    void bringsEveryPart_data() {
        QTest::addColumn<QString>("file");
        for (const char* file : {"bin/espalier", "bin/espalier-cli", "share/applications/org.espalier.Espalier.desktop",
                                 "share/metainfo/org.espalier.Espalier.metainfo.xml",
                                 "share/icons/hicolor/scalable/apps/org.espalier.Espalier.svg",
                                 "share/espalier/samples/digits/digits.csv.gz", "share/espalier/samples/digits/ORIGIN.md",
                                 "share/espalier/template/CMakeLists.txt", "include/espalier/engine/api/blocks.h",
                                 "include/espalier/engine/api/recipe_module.h"})
            QTest::newRow(file) << QString::fromLatin1(file);
    }
    void bringsEveryPart() {
        QFETCH(QString, file);
        QVERIFY(QFile::exists(path("prefix/") + file));
    }

    void desktopFilesAreValid() {
        const auto desktop = QStandardPaths::findExecutable(QStringLiteral("desktop-file-validate"));
        const auto appstream = QStandardPaths::findExecutable(QStringLiteral("appstreamcli"));
        if (desktop.isEmpty() && appstream.isEmpty()) QSKIP("neither desktop-file-validate nor appstreamcli is installed");
        int code = 0;
        if (!desktop.isEmpty()) {
            const auto out = run(desktop, {path("prefix/share/applications/org.espalier.Espalier.desktop")}, &code);
            QVERIFY2(code == 0, out.constData());
        }
        if (!appstream.isEmpty()) {
            const auto out = run(appstream, {QStringLiteral("validate"), QStringLiteral("--no-net"),
                                             path("prefix/share/metainfo/org.espalier.Espalier.metainfo.xml")}, &code);
            QVERIFY2(code == 0, out.constData());
        }
    }

    void programsRunFromTheNewPlace() {
        QVERIFY(cli({QStringLiteral("import"), path("prefix/share/espalier/samples/digits/digits.csv.gz"),
                     QStringLiteral("--name"), QStringLiteral("digits")}).contains("1,797 samples"));
        QVERIFY(cli({QStringLiteral("doctor")}).contains("LibTorch"));
        QVERIFY(run(path("prefix/bin/espalier"), {QStringLiteral("--version")}).contains(ESPALIER_VERSION));
        const auto pictures = run(path("prefix/bin/espalier"), {QStringLiteral("--workspace"), path("workspace"),
                                                                QStringLiteral("--screenshots"), path("shots")});
        QVERIFY(pictures.contains("data-dark.png") && QFile::exists(path("shots/data-dark.png")));
    }

    void strangerBuildsAModule() {
        const auto configured = run(QStringLiteral("cmake"),
                                    {QStringLiteral("-S"), path("prefix/share/espalier/template"), QStringLiteral("-B"), path("module"),
                                     QStringLiteral("-DCMAKE_PREFIX_PATH=") + path("prefix"),
                                     QStringLiteral("-DCMAKE_CXX_COMPILER=" ESPALIER_TEST_COMPILER)});
        QVERIFY(!configured.isEmpty());
        QVERIFY(!run(QStringLiteral("cmake"), {QStringLiteral("--build"), path("module")}).isEmpty());
        qputenv("ESPALIER_PLUGINS", path("module").toUtf8());
        QVERIFY(cli({QStringLiteral("recipes")}).contains("module/example_softmax.so"));
        const auto trained = cli({QStringLiteral("run"), QStringLiteral("example-softmax"), QStringLiteral("--data"),
                                  QStringLiteral("digits"), QStringLiteral("--name"), QStringLiteral("soft")});
        QVERIFY2(trained.contains("completed"), m_said.constData());
        const auto shown = QJsonDocument::fromJson(cli({QStringLiteral("--json"), QStringLiteral("show"), QStringLiteral("soft")})).object();
        const auto top1 = shown[QStringLiteral("summary")].toObject()[QStringLiteral("test/top1")].toObject()[QStringLiteral("last")].toDouble();
        // A linear classifier reaches about 0.95 on these digits; chance is 0.1.
        QVERIFY2(top1 > 0.85, qPrintable(QString::number(top1)));
    }

private:
    QTemporaryDir m_folder;
    QByteArray m_said;
};

QTEST_GUILESS_MAIN(TestInstall)
#include "tst_install.moc"
