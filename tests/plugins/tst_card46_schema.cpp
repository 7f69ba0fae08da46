#include <cmath>
#include <fstream>
#include <set>
#include <sstream>

#include <nlohmann/json.hpp>

#include "engine/data/store_image_source.h"
#include "engine/runtime/export.h"
#include "engine/runtime/workspace_impl.h"
#include "plugins/compress/flexround.h"
#include "tests/plugins/card46_bench.h"

using namespace espalier;
namespace fs = std::filesystem;

/// TRADEOFF-SCHEMA section 8, by number, and the tests that hold each:
///  1 bytes of choices, point and exported file    bytesAddUp here, exports through the command line in tst_cli_quantize
///  2 the base point loses nothing, also at the end theBaseIsReproduced here (another path than the job's own check)
///  3 `single` rows can be made again              singleRowsAreReproduced here
///  4 front and hypervolume                        tests/engine/feed/tst_tradeoff (random clouds, raster), tst_cli_quantize
///  5 bits_eff                                     bitsOfAWeight here, formulas in tests/engine/quant/tst_uniform_quantizer;
///                                                 its BitStack case belongs to recipe 09
///  6 a job cut short                              goesOnWhereItStopped here, tst_cli_quantize (through the command line),
///                                                 the view in tests/app/window/tst_quantize_page
/// Section 5.3 (tables written at the end): tablesLieBesideTheRun.
class TestCard46Schema : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() {
        QCOMPARE(m_bench.open(), std::string());
        m_parent = m_bench.train("cct_desk");
        QVERIFY2(!m_parent.empty(), m_bench.error.c_str());
        m_run = m_bench.run(quantize());
        QVERIFY2(!m_run.empty(), m_bench.error.c_str());
        m_tables = *m_bench.workspace->tradeoff(m_run);
        QCOMPARE(m_tables.points.size(), std::size_t(5));
    }

    void bytesAddUp() {
        for (const auto& point : m_tables.points) {
            std::int64_t sum = point.bytesOther;
            const auto choices = feed::resolvedChoices(m_tables, point.pointId);
            QVERIFY(choices.size() > 5);
            for (const auto& choice : choices) sum += choice.bytesTotal;
            QCOMPARE(sum, point.bytesTotal);
            const auto file = m_bench.folder() / "point.safetensors";
            QVERIFY(runtime::exportTradeoffPoint(*m_bench.workspace, m_run, point.pointId, file));
            std::ifstream stored(file, std::ios::binary);
            std::uint64_t header = 0;
            stored.read(reinterpret_cast<char*>(&header), 8);
            QCOMPARE(std::int64_t(fs::file_size(file)) - 8 - std::int64_t(header), point.bytesTotal);
        }
    }

    void theBaseIsReproduced() {
        const auto& base = m_tables.points.front();
        QCOMPARE(feed::metricLoss(m_tables.job, base), 0.0);
        QCOMPARE(base.loss, m_tables.job.baseLoss);
        const auto model = load();
        QVERIFY(std::abs(lossOn(*model, feed::Split::Test, {}) - base.loss) < 1e-6);
        QVERIFY(!m_tables.job.finishedUtc.empty());
    }

    void singleRowsAreReproduced() {
        int rows = 0;
        api::Params params(recipes::flexround::card().schema, api::Scale::Smoke);
        const auto source = images();
        const auto calibration = recipes::flexround::calibrationRows(*source, params.integer("calibration"), m_tables.job.seed);
        QCOMPARE(std::int64_t(calibration.size()), m_tables.job.calibN);
        const auto plain = load();
        const double base = lossOn(*plain, feed::Split::Train, calibration);
        for (const auto& row : m_tables.layers) {
            if (row.probeKind != "single") continue;
            const auto model = load();  // from disk, with that one weight replaced for good
            const auto layers = model->weightLayers();
            const auto& layer = layers[std::size_t(row.layerIx)];
            QCOMPARE(layer.name, row.layerName);
            const auto grid = quant::findGrid(layer.weight, {int(row.wBits), row.granularity == "channel", row.symmetric == 1, true});
            {
                at::NoGradGuard noGrad;
                layer.weight.detach().copy_(quant::roundToNearest(layer.weight.detach(), grid));
            }
            const double loss = lossOn(*model, feed::Split::Train, calibration);
            QVERIFY2(std::abs(loss - row.loss) < 1e-6, row.layerName.c_str());
            QVERIFY2(std::abs(loss - base - row.dLoss) < 2e-6, row.layerName.c_str());
            ++rows;
        }
        QCOMPARE(rows, int(2 * plain->weightLayers().size()));
    }

    void bitsOfAWeight() {
        for (const auto& row : m_tables.layers) {
            QCOMPARE(row.granularity, std::string("tensor"));
            QVERIFY(row.bitsEff >= double(row.wBits) && row.bitsEff <= double(row.wBits) + 8.0 * 9.0 / double(row.params));
        }
        std::map<int, std::int64_t> sizes;
        for (const auto& row : m_tables.layers) sizes[row.layerIx] = row.params;
        for (const auto& choice : m_tables.choices)
            if (choice.pointId == 0) QCOMPARE(8.0 * double(choice.bytesTotal) / double(sizes[choice.layerIx]), 32.0);
    }

    void latencyIsMeasured() {
        for (const auto& point : m_tables.points) {
            QVERIFY(point.latencyMsP50 > 0.0);
            QVERIFY(point.latencyMsP95 >= point.latencyMsP50);
        }
        QCOMPARE(m_tables.job.baseLatencyMs, m_tables.points.front().latencyMsP50);
        QVERIFY(m_tables.job.threads == 1 && m_tables.job.notes.find("one image") != std::string::npos);
    }

    void tablesLieBesideTheRun() {
        const auto folder = fs::path(m_bench.workspace->run(m_run)->folder) / "artifacts";
        const auto exported = m_bench.folder() / "tables";
        QVERIFY(m_bench.workspace->exportTradeoffCsv(m_run, exported));
        const std::map<std::string, std::size_t> rows{{"layer.csv", m_tables.layers.size()}, {"point.csv", m_tables.points.size()},
                                                      {"choice.csv", m_tables.choices.size()}, {"trace.csv", m_tables.traces.size()}};
        for (const auto& [name, count] : rows) {
            QVERIFY2(fs::exists(folder / name), name.c_str());
            const auto text = textOf(folder / name);
            QCOMPARE(std::size_t(std::count(text.begin(), text.end(), '\n')), count + 1);
            QCOMPARE(text, textOf(exported / name));
        }
        QVERIFY(textOf(folder / "point.csv").find("on_front") != std::string::npos);
        std::set<std::tuple<std::string, int, std::int64_t>> keys;  // a trace value has one place
        for (const auto& trace : m_tables.traces) QVERIFY(keys.insert({trace.series, trace.layerIx, trace.step}).second);
    }

    void theManifestNamesTheWeights() {
        const auto manifest = nlohmann::json::parse(*m_bench.workspace->manifestText(m_run));
        const auto hash = interop::sha256OfFile(weightsFile());
        QVERIFY(hash.has_value());
        QCOMPARE(manifest["parent"]["sha256"].get<std::string>(), *hash);
        QCOMPARE(m_tables.job.modelSha256, *hash);
    }

    /// Points that were finished before a stop are neither made again nor written twice, and the rest comes out as if
    /// nothing had happened.
    void goesOnWhereItStopped() {
        auto wanted = quantize();
        wanted.params["iterations"] = "20";
        const auto whole = m_bench.run(wanted);
        QVERIFY2(!whole.empty(), m_bench.error.c_str());
        const auto job = m_bench.engine->submit(wanted);
        QVERIFY(job.has_value());
        const auto id = m_bench.workspace->runs()->front().id;
        int marks = 0;
        const auto hasTwoPoints = [&] {
            for (const auto& batch : m_bench.engine->metrics().drain())
                if (batch.runId == id)
                    for (const auto& point : batch.points) marks = std::max(marks, int(point.step));
            return marks >= 2;
        };
        m_bench.waitFor(*job, hasTwoPoints);
        m_bench.engine->stop(*job);
        QCOMPARE(int(m_bench.waitFor(*job)), int(feed::JobState::Stopped));
        const auto before = *m_bench.workspace->tradeoff(id);
        QVERIFY(before.points.size() >= 2 && before.points.size() < 5);
        QVERIFY(before.job.finishedUtc.empty());
        const auto artifact = fs::path(m_bench.workspace->run(id)->folder) / "artifacts" / "point-1.safetensors";
        const auto written = fs::last_write_time(artifact);

        const auto rest = m_bench.engine->resumeRun(id);
        QVERIFY2(rest.has_value(), rest ? "" : rest.error().sentence().c_str());
        QVERIFY2(m_bench.waitFor(*rest) == feed::JobState::Completed, m_bench.error.c_str());
        const auto after = *m_bench.workspace->tradeoff(id), expected = *m_bench.workspace->tradeoff(whole);
        QVERIFY(fs::last_write_time(artifact) == written);
        QCOMPARE(after.points.size(), expected.points.size());
        QCOMPARE(after.layers.size(), expected.layers.size());
        QCOMPARE(after.choices.size(), expected.choices.size());
        QCOMPARE(after.traces.size(), expected.traces.size());
        QCOMPARE(after.job.startedUtc, before.job.startedUtc);
        for (std::size_t i = 0; i < before.points.size(); ++i) {  // clocks included: not measured again
            QCOMPARE(after.points[i].seconds, before.points[i].seconds);
            QCOMPARE(after.points[i].latencyMsP95, before.points[i].latencyMsP95);
        }
        for (std::size_t i = 0; i < expected.points.size(); ++i) {
            QCOMPARE(after.points[i].label, expected.points[i].label);
            QCOMPARE(after.points[i].loss, expected.points[i].loss);
            QCOMPARE(after.points[i].metric, expected.points[i].metric);
        }
        const auto losses = m_bench.workspace->readSeries(id, "test/loss");
        QVERIFY(losses.has_value());
        for (std::size_t i = 0; i < before.points.size(); ++i)
            QCOMPARE(std::count(losses->steps.begin(), losses->steps.end(), std::int64_t(i)), std::ptrdiff_t(1));
    }

    void aChangedParentIsRefused() {
        const auto file = m_bench.folder() / "model.safetensors";
        fs::copy_file(weightsFile(), file, fs::copy_options::overwrite_existing);
        auto wanted = quantize();
        wanted.from = file.string();
        wanted.dataset = m_bench.workspace->datasets()->front().id;
        wanted.params["iterations"] = "400";
        const auto job = m_bench.engine->submit(wanted);
        QVERIFY2(job.has_value(), job ? "" : job.error().sentence().c_str());
        const auto id = m_bench.workspace->runs()->front().id;
        m_bench.waitFor(*job, [&] {
            for (const auto& batch : m_bench.engine->metrics().drain())
                if (batch.runId == id) return true;
            return false;
        });
        m_bench.engine->stop(*job);
        QCOMPARE(int(m_bench.waitFor(*job)), int(feed::JobState::Stopped));
        {
            std::fstream bytes(file, std::ios::in | std::ios::out | std::ios::binary);
            bytes.seekp(-1, std::ios::end);
            bytes.put('\x01');
        }
        const auto rest = m_bench.engine->resumeRun(id);
        if (rest) QCOMPARE(int(m_bench.waitFor(*rest)), int(feed::JobState::Failed));
        const auto sentence = rest ? m_bench.error : rest.error().sentence();
        QVERIFY2(sentence.find("has changed since this run started") != std::string::npos, sentence.c_str());
    }

    void explainsBadValues_data() {
        QTest::addColumn<QString>("key");
        QTest::addColumn<QString>("value");
        QTest::addColumn<QString>("said");
        QTest::addRow("0 bits") << "bits" << "0" << "2";
        QTest::addRow("1 bit") << "bits" << "4,1" << "2";
        QTest::addRow("9 bits") << "bits" << "9" << "8";
        QTest::addRow("no width") << "bits" << "" << "at least one";
        QTest::addRow("no number") << "bits" << "4,three" << "whole numbers";
        QTest::addRow("unknown method") << "methods" << "rtn,gptq" << "\"gptq\" is not one of rtn, adaround, adaquant, flexround";
        QTest::addRow("misspelt method") << "methods" << "adaruond" << "Did you mean adaround?";
        QTest::addRow("no method") << "methods" << ",," << "at least one";
        QTest::addRow("17 bit activations") << "activation_bits" << "17" << "Use 2 to 16, or 32";
        QTest::addRow("granularity") << "granularity" << "row" << "tensor, channel";
    }
    void explainsBadValues() {
        QFETCH(QString, key);
        QFETCH(QString, value);
        QFETCH(QString, said);
        const auto runs = m_bench.workspace->runs()->size();
        auto wanted = tests::Card46Bench::request("46", {{key.toStdString(), value.toStdString()}});
        wanted.from = m_parent;
        const auto job = m_bench.engine->submit(wanted);
        QVERIFY(!job.has_value());
        const auto sentence = QString::fromStdString(job.error().sentence());
        QVERIFY2(sentence.contains(said) && sentence.contains(key), sentence.toUtf8().constData());
        QCOMPARE(m_bench.workspace->runs()->size(), runs);
    }

    /// Empty places in a list and repetitions are no reason to refuse, nor for a point twice.
    void aRepetitionCountsOnce() {
        auto wanted = tests::Card46Bench::request("46", {{"methods", "RTN,,rtn"}, {"bits", "4,4"}, {"calibration", "12"}});
        wanted.from = m_parent;
        const auto id = m_bench.run(wanted);
        QVERIFY2(!id.empty(), m_bench.error.c_str());
        QCOMPARE(m_bench.workspace->tradeoff(id)->points.size(), std::size_t(2));
    }

private:
    runtime::RunRequest quantize() const {
        auto wanted = tests::Card46Bench::request("46-flexround", {{"methods", "rtn,flexround"}, {"bits", "3,2"}, {"granularity", "tensor"}, {"iterations", "12"}});
        wanted.from = m_parent;
        return wanted;
    }
    fs::path weightsFile() const {
        const auto folder = fs::path(m_bench.workspace->run(m_parent)->folder) / "checkpoints";
        return fs::exists(folder / "best.safetensors") ? folder / "best.safetensors" : folder / "last.safetensors";
    }
    std::shared_ptr<nn::ImageClassifier> load() const {
        const auto weights = interop::readSafetensors(weightsFile());
        if (!weights) return {};
        auto loaded = nn::loadImageClassifier(*weights, "parent");
        m_normalization = loaded->normalization;
        return loaded->model;
    }
    std::shared_ptr<data::StoreImageSource> images() const {
        return std::make_shared<data::StoreImageSource>(*m_bench.workspace->impl().datasetStore(m_bench.workspace->datasets()->front().id));
    }
    /// Mean cross entropy, in batches of another size than the job's.
    double lossOn(nn::ImageClassifier& model, feed::Split split, const std::vector<std::int64_t>& rows) const {
        at::NoGradGuard noGrad;
        const auto source = images();
        data::ImagePipeline pipeline;
        pipeline.size = m_normalization.size;
        pipeline.channels = m_normalization.channels;
        pipeline.mean = m_normalization.mean;
        pipeline.std = m_normalization.std;
        data::ImageBatches batches(*source, split, pipeline, 7, 0, false, false, 1, at::kCPU);
        if (!rows.empty()) batches.restrictTo(rows);
        batches.begin(0, 0);
        double sum = 0, count = 0;
        for (;;) {
            const auto batch = batches.next();
            if (!batch || !batch->inputs.defined()) break;
            const auto logits = at::log_softmax(model.forward(batch->inputs).to(at::kDouble), 1);
            sum -= logits.gather(1, batch->targets.unsqueeze(1)).sum().item<double>();
            count += double(batch->inputs.size(0));
        }
        return sum / count;
    }
    static std::string textOf(const fs::path& file) {
        std::ifstream stream(file, std::ios::binary);
        std::ostringstream text;
        text << stream.rdbuf();
        return text.str();
    }

    tests::Card46Bench m_bench;
    std::string m_parent, m_run;
    feed::TradeoffTables m_tables;
    mutable nn::Normalization m_normalization;
};

QTEST_GUILESS_MAIN(TestCard46Schema)
#include "tst_card46_schema.moc"
