// labels: gpu
#include <QTemporaryDir>
#include <QtTest>

#include <cmath>
#include <filesystem>
#include <set>

#include "engine/api/blocks.h"
#include "engine/runtime/device.h"
#include "engine/runtime/engine.h"
#include "tests/support/small_images.h"

using namespace espalier;
using feed::JobState;
namespace fs = std::filesystem;

/// A short training on the GPU, and its weights back on the CPU. Skips, with the reason, where there is no GPU.
class TestGpuTraining : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void initTestCase() {
        if (!runtime::cudaStatus().isUsable) QSKIP(runtime::cudaStatus().text.c_str());
        QVERIFY(api::registerAllRecipes(m_registry));
        const fs::path folder = m_dir.path().toStdString();
        tests::writeSmallImageSet(folder / "stripes", 24);
        auto opened = runtime::Workspace::open(folder / "workspace");
        QVERIFY2(opened.has_value(), opened ? "" : opened.error().sentence().c_str());
        m_workspace = *opened;
        m_engine = std::make_unique<runtime::Engine>(m_workspace, m_registry);
        runtime::ImportRequest import;
        import.paths = {folder / "stripes"};
        const auto job = m_engine->submitImport(import);
        QVERIFY(job.has_value());
        QVERIFY2(waitFor(*job) == JobState::Completed, m_sentence.c_str());
    }

    void trainsWithFiniteLosses() {
        const auto& losses = train("cuda:0").losses;
        QVERIFY2(!losses.empty(), m_sentence.c_str());
        for (const double loss : losses) QVERIFY(std::isfinite(loss));
        const auto run = m_workspace->run(m_runs["cuda:0"].id);
        QVERIFY(run.has_value());
        QCOMPARE(run->device, std::string("cuda:0"));
    }

    void startsWhereTheCpuStarts() {
        // Same seed, same weights, same first batch: only the arithmetic of one step differs.
        const auto& onGpu = train("cuda:0").losses;
        const auto& onCpu = train("cpu").losses;
        QVERIFY2(!onGpu.empty() && !onCpu.empty(), m_sentence.c_str());
        QVERIFY2(std::abs(onGpu.front() - onCpu.front()) < 0.05 * onCpu.front(),
                 qPrintable(QStringLiteral("%1 and %2").arg(onGpu.front()).arg(onCpu.front())));
    }

    void weightsGiveTheSameLogitsOnTheCpu() {
        QVERIFY2(!train("cuda:0").losses.empty(), m_sentence.c_str());
        const fs::path file = m_dir.filePath(QStringLiteral("weights.safetensors")).toStdString();
        const auto exported = m_engine->exportWeights(m_runs["cuda:0"].id, file);
        QVERIFY2(exported.has_value(), exported ? "" : exported.error().sentence().c_str());
        const auto weights = interop::readSafetensors(file);
        QVERIFY(weights.has_value());
        const auto onCpu = nn::loadImageClassifier(*weights, file.string());
        const auto onGpu = nn::loadImageClassifier(*weights, file.string());
        QVERIFY2(onCpu && onGpu, onCpu ? "" : onCpu.error().sentence().c_str());
        at::globalContext().setAllowTF32CuDNN(false);  // 10-bit mantissas would drown the comparison
        at::NoGradGuard noGrad;
        onCpu->model->eval();
        onGpu->model->eval();
        onGpu->model->to(at::kCUDA);
        auto generator = at::make_generator<at::CPUGeneratorImpl>(7);
        const auto images = at::randn({8, onCpu->model->channels(), onCpu->model->imageSize(), onCpu->model->imageSize()}, generator);
        const auto expected = onCpu->model->forward(images);
        const auto found = onGpu->model->forward(images.to(at::kCUDA)).cpu();
        QVERIFY(expected.isfinite().all().item<bool>());
        const double difference = (expected - found).abs().max().item<double>();
        QVERIFY2(difference < 1e-3, qPrintable(QString::number(difference)));
    }

    void cleanupTestCase() {
        m_engine.reset();
        m_workspace.reset();
    }

private:
    struct Trained {
        std::string id;
        std::vector<double> losses;
    };

    JobState waitFor(feed::JobId job) {
        auto state = JobState::Queued;
        const auto isOver = [&] {
            for (const auto& event : m_engine->events().drain())
                if (const auto* changed = std::get_if<feed::JobStateChanged>(&event); changed && changed->job == job) {
                    state = changed->to;
                    m_sentence = changed->sentence;
                    m_runId = changed->runId;
                }
            return feed::isFinal(state);
        };
        return QTest::qWaitFor(isOver, 120000) ? state : JobState::Running;
    }

    /// A smoke run on this device, once; no losses when it failed.
    const Trained& train(const std::string& device) {
        auto& trained = m_runs[device];
        if (!trained.id.empty()) return trained;
        runtime::RunRequest request;
        request.recipe = "70";
        request.dataset = m_workspace->datasets()->front().id;
        request.scale = api::Scale::Smoke;
        request.device = device;
        request.threads = 1;
        request.seed = 3;
        const auto job = m_engine->submit(request);
        if (!job) {
            m_sentence = job.error().sentence();
            return trained;
        }
        if (waitFor(*job) != JobState::Completed) return trained;
        trained.id = m_runId;
        if (const auto columns = m_workspace->readSeries(trained.id, "train/loss")) trained.losses = columns->values;
        return trained;
    }

    QTemporaryDir m_dir;
    api::RecipeRegistry m_registry;
    std::shared_ptr<runtime::Workspace> m_workspace;
    std::unique_ptr<runtime::Engine> m_engine;
    std::map<std::string, Trained> m_runs;
    std::string m_sentence, m_runId;
};

QTEST_GUILESS_MAIN(TestGpuTraining)
#include "tst_gpu_training.moc"
