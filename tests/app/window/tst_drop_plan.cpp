#include <QDir>
#include <QTemporaryDir>
#include <QtTest>

#include "app/intake/drop_controller.h"

using espalier::app::DropPlan;
using espalier::app::planDrop;

/// What a drop would do, by the names alone: everything that the importers read is let in.
class TestDropPlan : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void letsInWhatTheImportersRead_data() {
        QTest::addColumn<QString>("name");
        for (const char* name : {"a.jpg", "a.JPEG", "a.jfif", "a.apng", "a.tiff", "a.tar", "a.tar.gz", "a.tar.bz2", "a.tar.xz", "a.txz", "a.rar", "a.7z", "a.npy", "a.npz",
                                 "a.h5", "a.hdf", "a.mat", "train-images-idx3-ubyte", "train-images.idx3-ubyte", "t10k-labels-idx1-ubyte.gz", "data_batch_1.bin",
                                 "a.csv", "a.tab", "a.dat", "noSuffix"})
            QTest::newRow(name) << QString::fromLatin1(name);
    }
    void letsInWhatTheImportersRead() {
        QFETCH(QString, name);
        const auto plan = planDrop({QDir::rootPath() + name});
        QVERIFY2(plan.kind == DropPlan::Kind::Import, qPrintable(plan.sentence));
        QVERIFY(plan.sentence.contains(name));
    }
    void takesATableTogetherWithItsPictures() {
        const auto plan = planDrop({QStringLiteral("/data/labels.csv"), QStringLiteral("/data/1.png"), QStringLiteral("/data/2.png")});
        QCOMPARE(plan.kind, DropPlan::Kind::Import);
        QCOMPARE(plan.paths.size(), 3);
    }
    void foldersAndWeights() {
        QTemporaryDir folder;
        QCOMPARE(planDrop({folder.path()}).kind, DropPlan::Kind::Import);
        QCOMPARE(planDrop({QStringLiteral("/data/best.safetensors")}).kind, DropPlan::Kind::Weights);
    }
    void refusesByName_data() {
        QTest::addColumn<QString>("name");
        QTest::addColumn<QString>("word");
        for (const char* name : {"model.pt", "model.PTH", "last.ckpt", "data.pkl", "forest.joblib"}) QTest::newRow(name) << QString::fromLatin1(name) << QStringLiteral("pickle");
        for (const char* name : {"film.mp4", "book.pdf", "sheet.xlsx"}) QTest::newRow(name) << QString::fromLatin1(name) << QStringLiteral("not data that can be imported");
    }
    void refusesByName() {
        QFETCH(QString, name);
        QFETCH(QString, word);
        const auto plan = planDrop({QStringLiteral("/data/1.png"), QStringLiteral("/data/") + name});
        QCOMPARE(plan.kind, DropPlan::Kind::Refused);
        QVERIFY2(plan.sentence.contains(name) && plan.sentence.contains(word), qPrintable(plan.sentence));
    }
    void nothingLocalIsRefused() { QCOMPARE(planDrop({}).kind, DropPlan::Kind::Refused); }
};

QTEST_GUILESS_MAIN(TestDropPlan)
#include "tst_drop_plan.moc"
