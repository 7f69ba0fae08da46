#include <QtTest>

#include <cmath>
#include <fstream>
#include <numbers>

#include <nlohmann/json.hpp>

#include "engine/nn/schedules.h"

using namespace espalier;

class TestSchedules : public QObject {
    Q_OBJECT

    nlohmann::json m_recorded;

    std::vector<double> rates(const char* name) const {
        return m_recorded.at("schedules").at(name).at("lr").get<std::vector<double>>();
    }
    static bool agree(double actual, double expected) {
        return std::abs(actual - expected) <= 1e-9 * std::abs(expected) + 1e-18;
    }

private Q_SLOTS:
    void initTestCase() {
        std::ifstream in(qEnvironmentVariable("ESPALIER_SHARED").toStdString() + "/fixtures/optim/schedules.json");
        if (in) in >> m_recorded;
    }

    void stepCosineFollowsTheRecord() {
        if (m_recorded.is_null()) QSKIP("ESPALIER_SHARED names no folder with recorded schedules");
        const auto expected = rates("cosine_with_warmup");
        QCOMPARE(expected.size(), std::size_t(60));
        for (std::int64_t step = 0; step < 60; ++step)
            QVERIFY2(agree(nn::cosineStepRate(0.003, step, 8, 60), expected[std::size_t(step)]),
                     qPrintable(QString::number(step)));
    }

    void epochCosineFollowsTheRecordIntoCoolDown() {
        if (m_recorded.is_null()) QSKIP("ESPALIER_SHARED names no folder with recorded schedules");
        const auto expected = rates("timm_cosine_epochs");
        QCOMPARE(expected.size(), std::size_t(60));
        for (std::int64_t epoch = 0; epoch < 60; ++epoch)
            QVERIFY2(agree(nn::cosineEpochRate(0.003, 1e-5, 1e-5, epoch, 8, 50), expected[std::size_t(epoch)]),
                     qPrintable(QString::number(epoch)));
    }

    void quickRateRisesByFractionsThenFallsAsACosine() {
        const double lr = 5e-4;
        const double warm[] = {lr / 5, lr / 4, lr / 3, lr / 2, lr};
        for (std::int64_t epoch = 0; epoch < 5; ++epoch) QCOMPARE(nn::quickRate(lr, epoch, 5, 200), warm[epoch]);
        QCOMPARE(nn::quickRate(lr, 5, 5, 200), lr);
        // Half way between epoch 5 and 200 lies between two epochs; their mean is half the rate by symmetry.
        QVERIFY(agree(nn::quickRate(lr, 102, 5, 200) + nn::quickRate(lr, 103, 5, 200), lr));
        QVERIFY(agree(nn::quickRate(lr, 199, 5, 200), 0.5 * lr * (1 - std::cos(std::numbers::pi / 195))));
        QVERIFY(agree(nn::quickRate(lr, 70, 5, 200), 0.75 * lr));  // a third of the way: cos 60° = ½
    }

    void shortRunsStayFinite() {
        QCOMPARE(nn::quickRate(1e-3, 0, 2, 1), 5e-4);
        QCOMPARE(nn::quickRate(1e-3, 2, 2, 2), 1e-3);
        QCOMPARE(nn::cosineStepRate(1e-3, 0, 0, 1), 1e-3);
        QCOMPARE(nn::cosineStepRate(1e-3, 0, 4, 2), 0.0);
        QCOMPARE(nn::cosineEpochRate(1e-3, 1e-5, 1e-5, 0, 0, 1), 1e-3);
        QCOMPARE(nn::cosineEpochRate(1e-3, 1e-5, 1e-5, 1, 0, 1), 1e-5);
    }
};

QTEST_GUILESS_MAIN(TestSchedules)
#include "tst_schedules.moc"
