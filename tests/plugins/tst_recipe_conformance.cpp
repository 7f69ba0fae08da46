#include <QElapsedTimer>
#include <QTemporaryDir>
#include <QtTest>

#include <cmath>
#include <filesystem>
#include <set>

#include <nlohmann/json.hpp>

#include "engine/api/torch.h"
#include "engine/base/glob.h"
#include "engine/interop/safetensors.h"
#include "engine/runtime/engine.h"
#include "engine/runtime/predict.h"
#include "tests/support/small_images.h"

using namespace espalier;
using feed::JobState;
namespace fs = std::filesystem;

/// What every recipe of the registry keeps, whatever it does. Registering a recipe enrols it here; exclusions stand in
/// its card with a reason.
class TestRecipeConformance : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void initTestCase();
    void cleanupTestCase();
    void cardIsComplete_data() { rows(); }
    void cardIsComplete();
    void defaultsAreValid_data() { rows(); }
    void defaultsAreValid();
    void forecastsWithoutTraining_data() { rows(); }
    void forecastsWithoutTraining();
    void smokeRunFinishesWithFiniteNumbers_data() { rows(); }
    void smokeRunFinishesWithFiniteNumbers();
    void writesOnlyWhatItDeclares_data() { rows(); }
    void writesOnlyWhatItDeclares();
    void touchesOnlyItsRunFolder_data() { rows(); }
    void touchesOnlyItsRunFolder();
    void sameSeedGivesSameNumbers_data() { rows(); }
    void sameSeedGivesSameNumbers();
    void stopsAndResumesToTheSameNumbers_data() { rows(); }
    void stopsAndResumesToTheSameNumbers();
    void predictsWithItsBestWeights_data() { rows(); }
    void predictsWithItsBestWeights();

private:
    void rows();
    const api::RecipeCard& card() const;
    bool isExcluded(const char* check) const;
    runtime::RunRequest request() const;
    JobState waitFor(feed::JobId job, const std::function<bool()>& until = {});
    std::string run();          ///< a smoke run to its end; its id
    const std::string& smoke(); ///< one such run a recipe, shared by the checks
    std::map<std::string, std::vector<double>> numbers(const std::string& runId) const;
    std::set<std::string> files() const;

    QTemporaryDir m_dir;
    api::RecipeRegistry m_registry;
    std::shared_ptr<runtime::Workspace> m_workspace;
    std::unique_ptr<runtime::Engine> m_engine;
    std::map<feed::JobId, JobState> m_states;
    std::map<std::string, std::string> m_smokeRuns;
    std::map<std::string, std::set<std::string>> m_newFiles;
    std::map<std::string, double> m_smokeSecs;
    std::string m_dataset, m_error;
};

void TestRecipeConformance::initTestCase() {
    QVERIFY(api::registerAllRecipes(m_registry));
    if (m_registry.cards().empty()) QSKIP("no recipe is registered yet");
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
    QCOMPARE(int(waitFor(*job)), int(JobState::Completed));
    const auto datasets = m_workspace->datasets();
    QVERIFY(datasets && datasets->size() == 1);
    m_dataset = datasets->front().id;
    QCOMPARE(datasets->front().samples, std::int64_t(72));
    QCOMPARE(datasets->front().classes.size(), std::size_t(3));
}

void TestRecipeConformance::cleanupTestCase() {
    m_engine.reset();
    m_workspace.reset();
}

void TestRecipeConformance::rows() {
    QTest::addColumn<QString>("recipe");
    for (const auto& card : m_registry.cards()) QTest::newRow(card.id.c_str()) << QString::fromStdString(card.id);
}

const api::RecipeCard& TestRecipeConformance::card() const {
    const auto* row = QTest::currentDataTag();
    return *m_registry.find(row);
}

bool TestRecipeConformance::isExcluded(const char* check) const {
    for (const auto& exclusion : card().conformanceExclusions)
        if (exclusion.rfind(check, 0) == 0) return true;
    return false;
}

runtime::RunRequest TestRecipeConformance::request() const {
    runtime::RunRequest request;
    request.recipe = card().id;
    request.scale = api::Scale::Smoke;
    request.device = "cpu";
    request.threads = 1;
    request.seed = 3;
    if (!card().accepts.empty()) request.dataset = m_dataset;
    return request;
}

JobState TestRecipeConformance::waitFor(feed::JobId job, const std::function<bool()>& until) {
    const bool hasCome = QTest::qWaitFor(
        [&] {
            for (auto& event : m_engine->events().drain())
                if (auto* changed = std::get_if<feed::JobStateChanged>(&event)) {
                    m_states[changed->job] = changed->to;
                    if (changed->to == JobState::Failed) m_error = changed->sentence;
                }
            return feed::isFinal(m_states[job]) || (until && until());
        },
        120000);
    if (!hasCome) m_error = "the job did not get there in two minutes";
    return m_states[job];
}

std::string TestRecipeConformance::run() {
    auto wanted = request();
    if (card().needsParentRun) {
        // Quantizers start from a classifier: the first recipe of a kind they name, at smoke scale.
        std::string parent;
        for (const auto& candidate : m_registry.cards())
            if (!candidate.needsParentRun && parent.empty()) parent = candidate.id;
        if (!m_smokeRuns.count(parent)) {
            auto parentRequest = wanted;
            parentRequest.recipe = parent;
            const auto job = m_engine->submit(parentRequest);
            if (!job || waitFor(*job) != JobState::Completed) return {};
            m_smokeRuns[parent] = m_workspace->runs()->front().id;
        }
        wanted.from = m_smokeRuns[parent];
    }
    const auto job = m_engine->submit(wanted);
    if (!job) {
        m_error = job.error().sentence();
        return {};
    }
    const auto id = m_workspace->runs()->front().id;
    return waitFor(*job) == JobState::Completed ? id : std::string();
}

const std::string& TestRecipeConformance::smoke() {
    auto& id = m_smokeRuns[card().id];
    if (id.empty()) {
        const auto before = files();
        QElapsedTimer timer;
        timer.start();
        id = run();
        m_smokeSecs[card().id] = static_cast<double>(timer.elapsed()) / 1000.0;
        for (const auto& file : files())
            if (!before.count(file)) m_newFiles[card().id].insert(file);
    }
    return id;
}

std::map<std::string, std::vector<double>> TestRecipeConformance::numbers(const std::string& runId) const {
    std::map<std::string, std::vector<double>> all;
    const auto series = m_workspace->series(runId);
    if (!series) return all;
    for (const auto& one : *series) {
        if (one.name == "train/img_per_s") continue;  // the clock's, not the seed's
        if (const auto columns = m_workspace->readSeries(runId, one.name)) all[one.name] = columns->values;
    }
    return all;
}

std::set<std::string> TestRecipeConformance::files() const {
    std::set<std::string> found;
    for (const auto& entry : fs::recursive_directory_iterator(m_dir.path().toStdString()))
        if (entry.is_regular_file()) found.insert(entry.path().string());
    return found;
}

void TestRecipeConformance::cardIsComplete() {
    const auto& c = card();
    QVERIFY(c.id.size() > 3 && c.id[2] == '-');
    for (const auto* text : {&c.name, &c.title, &c.paperLink, &c.about, &c.version}) QVERIFY(!text->empty());
    QVERIFY(c.year > 1980 && c.year < 2100);
    QVERIFY(!c.kinds.empty() && !c.domains.empty() && !c.outputs.empty());
    // A quantizer's paper claims what it does to other people's models; there may be no number to hold a run against.
    if (c.kinds.front() != "quantize") QVERIFY(!c.claims.empty());
    QVERIFY(!c.schema.specs().empty());
    for (const auto& claim : c.claims) QVERIFY(!claim.dataset.empty() && !claim.metric.empty() && !claim.source.empty());
    std::set<std::string> keys;
    for (const auto& spec : c.schema.specs()) {
        QVERIFY2(keys.insert(spec.key).second, spec.key.c_str());
        QVERIFY2(!spec.help.empty() && !spec.group.empty() && !spec.label.empty(), spec.key.c_str());
        if (!spec.onlyWhenKey.empty()) QVERIFY2(c.schema.find(spec.onlyWhenKey), spec.key.c_str());
    }
    for (const auto& exclusion : c.conformanceExclusions)
        QVERIFY2(exclusion.find(": ") != std::string::npos, "an exclusion names its check and a reason");
}

void TestRecipeConformance::defaultsAreValid() {
    const auto recipe = m_registry.create(card().id);
    QVERIFY(recipe.has_value());
    for (const auto scale : {api::Scale::Paper, api::Scale::Desk, api::Scale::Smoke}) {
        const api::Params params(card().schema, scale);
        for (const auto& spec : card().schema.specs()) {
            const auto valid = card().schema.validate(spec.key, params.value(spec.key));
            QVERIFY2(valid.has_value(), valid ? "" : valid.error().sentence().c_str());
            // Text and back gives the same value: manifests and command lines depend on it.
            const auto again = card().schema.parse(spec.key, api::valueText(params.value(spec.key)));
            QVERIFY2(again && *again == params.value(spec.key), spec.key.c_str());
        }
        const auto checked = (*recipe)->check(params, nullptr);
        QVERIFY2(checked.has_value(), checked ? "" : checked.error().sentence().c_str());
    }
}

void TestRecipeConformance::forecastsWithoutTraining() {
    QElapsedTimer timer;
    timer.start();
    const auto forecast = m_engine->forecast(request());
    QVERIFY2(forecast.has_value(), forecast ? "" : forecast.error().sentence().c_str());
    QVERIFY(timer.elapsed() < 2000);
}

void TestRecipeConformance::smokeRunFinishesWithFiniteNumbers() {
    const auto id = smoke();
    QVERIFY2(!id.empty(), m_error.c_str());
    qInfo("%s: smoke run took %.2f s", card().id.c_str(), m_smokeSecs[card().id]);
    const auto all = numbers(id);
    QVERIFY(!all.empty());
    for (const auto& [series, values] : all)
        for (const double value : values) QVERIFY2(std::isfinite(value), series.c_str());
    QVERIFY(m_smokeSecs[card().id] < 30.0);
}

void TestRecipeConformance::writesOnlyWhatItDeclares() {
    const auto id = smoke();
    QVERIFY2(!id.empty(), m_error.c_str());
    const auto isDeclared = [&](const std::string& name) {
        for (const auto& pattern : card().outputs)
            if (globMatches(pattern, name)) return true;
        return false;
    };
    const auto series = m_workspace->series(id);
    const auto arrays = m_workspace->arrays(id);
    QVERIFY(series && arrays && !series->empty());
    for (const auto& one : *series) QVERIFY2(isDeclared(one.name), one.name.c_str());
    for (const auto& one : *arrays) QVERIFY2(isDeclared(one.name), one.name.c_str());
}

void TestRecipeConformance::touchesOnlyItsRunFolder() {
    const auto id = smoke();
    QVERIFY2(!id.empty(), m_error.c_str());
    const auto own = (fs::path(m_dir.path().toStdString()) / "workspace").string();
    for (const auto& file : m_newFiles[card().id])
        QVERIFY2(file.rfind(own + "/runs/", 0) == 0 || file.rfind(own + "/catalog.sqlite", 0) == 0, file.c_str());
}

void TestRecipeConformance::sameSeedGivesSameNumbers() {
    const auto first = smoke();
    QVERIFY2(!first.empty(), m_error.c_str());
    const auto second = run();
    QVERIFY2(!second.empty(), m_error.c_str());
    const auto a = numbers(first), b = numbers(second);
    QCOMPARE(a.size(), b.size());
    for (const auto& [series, values] : a) QVERIFY2(b.at(series) == values, series.c_str());
}

void TestRecipeConformance::stopsAndResumesToTheSameNumbers() {
    if (isExcluded("resume")) QSKIP("excluded by its card");
    const auto whole = smoke();
    QVERIFY2(!whole.empty(), m_error.c_str());
    auto wanted = request();
    if (const auto parent = m_workspace->run(whole)->parentRun; !parent.empty()) wanted.from = parent;
    const auto job = m_engine->submit(wanted);
    QVERIFY(job.has_value());
    const auto id = m_workspace->runs()->front().id;
    // Stopped when its first numbers come.
    const auto hasStarted = [&] {
        for (const auto& batch : m_engine->metrics().drain())
            if (batch.runId == id) return true;
        return false;
    };
    waitFor(*job, hasStarted);
    m_engine->stop(*job);
    QElapsedTimer timer;
    timer.start();
    const auto state = waitFor(*job);
    QVERIFY2(state == JobState::Stopped || state == JobState::Completed, m_error.c_str());
    qInfo("%s: %s %lld ms after the request", card().id.c_str(), feed::jobStateName(state), timer.elapsed());
    if (state == JobState::Stopped) {
        const auto rest = m_engine->resumeRun(id);
        QVERIFY2(rest.has_value(), rest ? "" : rest.error().sentence().c_str());
        QVERIFY2(waitFor(*rest) == JobState::Completed, m_error.c_str());
    }
    // The same value at every step; a step that was repeated after the checkpoint is there twice.
    for (const auto& [series, values] : numbers(whole)) {
        const auto expected = m_workspace->readSeries(whole, series), joined = m_workspace->readSeries(id, series);
        QVERIFY2(expected && joined, series.c_str());
        std::map<std::int64_t, std::set<double>> a, b;
        for (std::size_t i = 0; i < expected->steps.size(); ++i) a[expected->steps[i]].insert(expected->values[i]);
        for (std::size_t i = 0; i < joined->steps.size(); ++i) b[joined->steps[i]].insert(joined->values[i]);
        QVERIFY2(a == b, series.c_str());
    }
    const auto tables = m_workspace->tradeoff(whole), joinedTables = m_workspace->tradeoff(id);
    if (tables && joinedTables) {
        QCOMPARE(joinedTables->points.size(), tables->points.size());
        QCOMPARE(joinedTables->layers.size(), tables->layers.size());
        for (std::size_t i = 0; i < tables->points.size(); ++i)
            QVERIFY(joinedTables->points[i].bytesTotal == tables->points[i].bytesTotal);
    }
}

void TestRecipeConformance::predictsWithItsBestWeights() {
    if (card().needsParentRun || card().accepts.empty()) QSKIP("has no model of its own");
    const auto id = smoke();
    QVERIFY2(!id.empty(), m_error.c_str());
    runtime::PredictRequest wanted;
    wanted.run = id;
    wanted.input = m_dataset;
    wanted.output = fs::path(m_dir.path().toStdString()) / "out.safetensors";
    const auto done = runtime::predictToFile(*m_workspace, m_registry, wanted);
    if (!done && done.error().code == ErrorCode::Unsupported) QSKIP("it does not predict");
    QVERIFY2(done.has_value(), done ? "" : done.error().sentence().c_str());
    const auto output = interop::readSafetensors(wanted.output);
    QVERIFY(output && output->find("logits"));
    QCOMPARE(output->find("logits")->size(0), std::int64_t(72));
    QCOMPARE(output->find("logits")->size(1), std::int64_t(3));
}

QTEST_GUILESS_MAIN(TestRecipeConformance)
#include "tst_recipe_conformance.moc"
