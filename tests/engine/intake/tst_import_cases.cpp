#include <QtTest>

#include <algorithm>
#include <fstream>
#include <map>
#include <set>

#include <nlohmann/json.hpp>

#include "engine/base/clock.h"
#include "engine/base/files.h"
#include "engine/intake/dataset_builder.h"
#include "engine/intake/dataset_store.h"
#include "engine/intake/names.h"

using namespace espalier;
using namespace espalier::intake;
using nlohmann::json;
namespace fs = std::filesystem;

namespace {

QString shown(const std::string& text) { return QString::fromStdString(text); }

/// Peak memory of this process in MB since the last resetPeak(); 0 where the system does not tell.
double peakMb() {
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);)
        if (line.rfind("VmHWM:", 0) == 0) return std::stod(line.substr(6)) / 1000.0;
    return 0;
}
void resetPeak() { std::ofstream("/proc/self/clear_refs") << "5"; }

std::string allWords(const feed::DatasetSummary& summary) {
    std::string text;
    for (const Warning& warning : summary.warnings)
        text += warning.file + " " + (warning.line ? std::to_string(warning.line) : "") + " " + warning.kind + " " + warning.detail + "\n";
    return text;
}

/// The groups of `sentence_must_name` are joined by "and", the words inside one by "or"; case does not matter.
std::string missingWord(const json& groups, const std::string& sentence) {
    const std::string lower = lowerAscii(sentence);
    for (const json& group : groups) {
        bool isNamed = false;
        std::string words;
        for (const json& word : group.is_array() ? group : json::array({group})) {
            isNamed = isNamed || lower.find(lowerAscii(word.get<std::string>())) != std::string::npos;
            words += " " + word.get<std::string>();
        }
        if (!isNamed) return words;
    }
    return {};
}

std::map<std::string, std::int64_t> classCounts(const feed::DatasetSummary& summary) {
    std::map<std::string, std::int64_t> counts;
    for (const auto& info : summary.classes) counts[info.name] = info.total();
    return counts;
}

double meanDifference(const feed::Image8& a, const feed::Image8& b) {
    if (a.width != b.width || a.height != b.height) return 255;
    double sum = 0;
    const auto at = [](const feed::Image8& image, std::size_t pixel, std::size_t c) {
        return int(image.pixels[pixel * std::size_t(image.channels) + (image.channels == 1 ? 0 : c)]);
    };
    const std::size_t pixels = std::size_t(a.width) * std::size_t(a.height);
    for (std::size_t i = 0; i < pixels; ++i)
        for (std::size_t c = 0; c < 3; ++c) sum += std::abs(at(a, i, c) - at(b, i, c));
    return sum / double(3 * pixels);
}

}  // namespace

/// Every input of the shared fixtures, held against what cases.json says a careful user expects.
class TestImportCases : public QObject {
    Q_OBJECT

    QTemporaryDir m_scratch;
    fs::path m_fixtures;
    json m_cases;

    struct Outcome {
        Result<feed::DatasetSummary> result;
        std::shared_ptr<DatasetStore> store;
        double secs = 0, peak = 0;
    };

    Outcome runCase(const json& wanted) {
        BuildRequest request;
        const std::string path = wanted["path"];
        const bool isUnpacked = path.rfind("unpacked/", 0) == 0;
        request.paths = {(isUnpacked ? fs::path(m_scratch.path().toStdString()) : m_fixtures) / path};
        const std::string options = wanted["opts"];
        if (options.rfind("label=", 0) == 0) request.options.label = options.substr(6);
        request.threads = 2;
        const fs::path folder = fs::path(m_scratch.path().toStdString()) / "stored" / "one";
        fs::remove_all(folder.parent_path());
        fs::create_directories(folder.parent_path());
        resetPeak();
        const double start = steadySecs(), before = peakMb();
        Outcome outcome{buildDataset(request, folder, {}, {}), nullptr, 0, 0};
        outcome.secs = steadySecs() - start;
        outcome.peak = peakMb() - before;
        if (outcome.result) {
            auto store = DatasetStore::open(folder);
            if (store) outcome.store = *store;
        } else if (!fs::is_empty(folder.parent_path())) {
            outcome.secs = 1e9;  // a refused import left something behind
        }
        return outcome;
    }

    static std::map<std::string, std::int64_t> rowsBySource(const DatasetStore& store) {
        std::map<std::string, std::int64_t> rows;
        for (std::int64_t row = 0; row < store.size(); ++row) rows[store.info(row).source] = row;
        return rows;
    }

    void checkRefusal(const json& wanted, const Error& error) {
        const std::string sentence = error.sentence();
        const std::string missing = missingWord(wanted["must_name"], sentence);
        QVERIFY2(missing.empty(), ("the sentence does not name" + missing + ": " + sentence).c_str());
        QVERIFY2(!error.what.empty() && sentence.find('\n') == std::string::npos, sentence.c_str());
    }

    void checkCounts(const json& wanted, const feed::DatasetSummary& summary) {
        if (wanted.contains("samples")) {
            std::set<std::int64_t> right{wanted["samples"].get<std::int64_t>()};
            for (const json& also : wanted.value("samples_also_ok", json::array())) right.insert(also.get<std::int64_t>());
            QVERIFY2(right.count(summary.samples), (std::to_string(summary.samples) + " samples\n" + allWords(summary)).c_str());
        }
        if (wanted.contains("classes") && !(wanted["status"] == "import-or-refuse" && summary.classes.empty())) {
            auto counts = classCounts(summary);
            bool isRight = wanted.contains("samples_also_ok") && summary.samples != wanted["samples"].get<std::int64_t>();
            isRight = isRight || counts == wanted["classes"].get<std::map<std::string, std::int64_t>>();
            for (const json& also : wanted.value("classes_also_ok", json::array()))
                isRight = isRight || counts == also.get<std::map<std::string, std::int64_t>>();
            QVERIFY2(isRight, json(counts).dump().c_str());
        }
        if (wanted.contains("splits")) {
            QCOMPARE(summary.splits[0], wanted["splits"].value("train", std::int64_t(0)));
            QCOMPARE(summary.splits[1], wanted["splits"].value("valid", std::int64_t(0)));
            QCOMPARE(summary.splits[2], wanted["splits"].value("test", std::int64_t(0)));
            QCOMPARE(summary.splitKind, std::string("folders"));
        }
        if (wanted.contains("features")) QCOMPARE(summary.columns.size(), wanted["features"].get<std::size_t>());
        if (wanted.contains("header")) {
            auto header = wanted["header"].get<std::vector<std::string>>();
            header.pop_back();  // the label
            QCOMPARE(summary.columns, header);
        }
    }

    void checkWarnings(const json& wanted, const feed::DatasetSummary& summary) {
        const std::string words = allWords(summary);
        if (wanted["status"] == "import+warn") QVERIFY(!summary.warnings.empty());
        for (const json& name : wanted.value("warnings", json::array())) {
            const auto isNamed = [&](const Warning& warning) {
                return warning.file.find(name.get<std::string>()) != std::string::npos && !warning.detail.empty();
            };
            QVERIFY2(std::any_of(summary.warnings.begin(), summary.warnings.end(), isNamed),
                     ("no warning about " + name.get<std::string>() + "\n" + words).c_str());
        }
        for (const json& line : wanted.value("warning_lines", json::array())) {
            const auto isNamed = [&](const Warning& warning) { return warning.line == line.get<std::int64_t>(); };
            QVERIFY2(std::any_of(summary.warnings.begin(), summary.warnings.end(), isNamed), (line.dump() + "\n" + words).c_str());
        }
        if (wanted.contains("warnings_count"))
            for (const auto& [key, value] : wanted["warnings_count"].items()) {
                if (key == "missing") continue;  // counted by warning_lines
                for (const json& number : value.is_array() ? value : json::array({value}))
                    QVERIFY2(words.find(number.dump()) != std::string::npos, (number.dump() + " is not in " + words).c_str());
            }
        if (wanted.contains("samples_plus_warnings")) {
            const auto lines = std::count_if(summary.warnings.begin(), summary.warnings.end(), [](const Warning& w) { return w.line > 0; });
            QCOMPARE(summary.samples + lines, wanted["samples_plus_warnings"].get<std::int64_t>());
        }
        // What came in smaller or odd has to say so; full imports need not.
        if (wanted["status"] == "import-or-refuse" && wanted["expect"].get<std::string>().find("warning") != std::string::npos) {
            const std::string missing = missingWord(wanted["must_name"], words);
            QVERIFY2(missing.empty(), ("no warning names" + missing + "\n" + words).c_str());
        }
    }

    void checkPictures(const json& wanted, const DatasetStore& store) {
        const auto rows = rowsBySource(store);
        for (const json& pair : wanted.value("similar", json::array())) {
            const auto a = store.image(rows.at(pair[0])), b = store.image(rows.at(pair[1]));
            QVERIFY(a && b);
            QVERIFY2(meanDifference(*a, *b) < 6, (pair.dump() + " differ by " + std::to_string(meanDifference(*a, *b))).c_str());
        }
        std::multiset<std::pair<int, int>> sizes;
        for (std::int64_t row = 0; row < store.size(); ++row) {
            const auto info = store.info(row);
            sizes.emplace(info.width, info.height);
            if (wanted.contains("size_wh") && info.source.rfind("tagged/", 0) == 0)
                QCOMPARE(std::make_pair(info.width, info.height), (wanted["size_wh"].get<std::pair<int, int>>()));
        }
        for (const json& size : wanted.value("sizes_wh", json::array())) QVERIFY2(sizes.count(size.get<std::pair<int, int>>()), size.dump().c_str());
    }

    void checkDuplicates(const json& wanted, const DatasetStore& store) {
        const auto& summary = store.summary();
        const auto source = [&](std::int64_t row) { return store.info(row).source; };
        if (wanted.contains("exact_groups")) {
            std::set<std::set<std::string>> found, expected;
            for (const auto& group : summary.exactGroups) {
                std::set<std::string> names;
                for (const auto row : group) names.insert(source(row));
                found.insert(names);
            }
            for (const json& group : wanted["exact_groups"]) expected.insert(group.get<std::set<std::string>>());
            QCOMPARE(json(found).dump(), json(expected).dump());
            QVERIFY2(allWords(summary).find("leak") != std::string::npos, allWords(summary).c_str());
        }
        std::set<std::set<std::string>> near;
        std::string words;
        for (const auto& pair : summary.nearPairs) {
            near.insert({source(pair.a), source(pair.b)});
            words += source(pair.a) + " ~ " + source(pair.b) + " " + std::to_string(pair.similarity) + "\n";
            QVERIFY(pair.similarity >= 0 && pair.similarity <= 1);
        }
        // A pair may be told of any copy of its members.
        const auto isFound = [&](const json& pair) { return near.count(pair.get<std::set<std::string>>()) > 0; };
        for (const json& pair : wanted.value("near_pairs", json::array())) QVERIFY2(isFound(pair), (pair.dump() + " is not in\n" + words).c_str());
        for (const json& pair : wanted.value("not_near", json::array())) QVERIFY2(!isFound(pair), (pair.dump() + " is in\n" + words).c_str());
    }

    /// Bytes must be the file's own, floats in 0…1 the rounded 255-fold, other ranges a rising line through them.
    void checkArray(const json& array, const DatasetStore& store) {
        if (store.summary().kind != "images") return;
        const auto first = array["first"].get<std::vector<double>>();
        const auto image = store.image(0);
        QVERIFY(image.has_value());
        const bool isByte = array["dtype"] == "uint8";
        const bool isUnit = !isByte && array["mean"].get<double>() < 1 && *std::min_element(first.begin(), first.end()) >= 0 &&
                            *std::max_element(first.begin(), first.end()) <= 1;
        const bool isFirstChannelLast = store.summary().shape[0] == 1 || array["shape"].size() == 4;
        if (!isFirstChannelLast) return;
        for (std::size_t i = 0; i < first.size(); ++i) {
            const int pixel = image->pixels[i];
            if (isByte) QCOMPARE(pixel, int(first[i]));
            else if (isUnit) QVERIFY(std::abs(pixel - first[i] * 255) <= 0.51);
            for (std::size_t j = 0; j < i; ++j)
                if (first[i] > first[j]) QVERIFY(pixel > int(image->pixels[j]));
        }
        if (!isByte) return;
        double sum = 0, count = 0;
        for (std::int64_t row = 0; row < store.size(); ++row) {
            const auto picture = store.image(row);
            QVERIFY(picture.has_value());
            for (const auto pixel : picture->pixels) sum += pixel;
            count += double(picture->pixels.size());
        }
        QVERIFY2(std::abs(sum / count - array["mean"].get<double>()) < 1e-6, std::to_string(sum / count).c_str());
    }

    void checkValues(const json& values, const DatasetStore& store) {
        std::set<float> found;
        for (std::int64_t row = 0; row < store.size(); ++row) {
            const auto features = store.features(row);
            QVERIFY(features.has_value());
            found.insert(features->begin(), features->end());
        }
        for (const auto& [text, value] : values.items()) QVERIFY2(found.count(value.get<float>()), text.c_str());
        QVERIFY2(!found.count(15.0f), "1,5 became 15");
    }

private Q_SLOTS:
    void initTestCase() {
        const QByteArray shared = qgetenv("ESPALIER_SHARED");
        m_fixtures = fs::path(shared.toStdString()) / "fixtures" / "data-in";
        if (shared.isEmpty() || !fs::exists(m_fixtures / "cases.json")) QSKIP("ESPALIER_SHARED names no folder with fixtures/data-in");
        m_cases = json::parse(*readFile(m_fixtures / "cases.json"));
        const fs::path unpacked = fs::path(m_scratch.path().toStdString()) / "unpacked";
        fs::create_directories(unpacked);
        QCOMPARE(QProcess::execute(QStringLiteral("tar"), {QStringLiteral("-xf"), shown((m_fixtures / "fragile.tar").string()), QStringLiteral("-C"),
                                                           shown(unpacked.string())}), 0);
    }

    void cleanupTestCase() {
        std::error_code ignored;  // Qt cannot remove names that are no text
        fs::remove_all(m_scratch.path().toStdString(), ignored);
    }

    void comesOutAsExpected_data() {
        QTest::addColumn<int>("index");
        int index = 0;
        for (const json& wanted : m_cases) QTest::newRow(wanted["name"].get<std::string>().c_str()) << index++;
        if (index == 0) QTest::newRow("none") << -1;
    }

    void comesOutAsExpected() {
        QFETCH(int, index);
        if (index < 0) QSKIP("no cases");
        const json& wanted = m_cases[static_cast<std::size_t>(index)];
        const Outcome outcome = runCase(wanted);
        const std::string status = wanted["status"];
        if (outcome.secs > 1e8) QFAIL("a refused import left something behind");
        if (wanted.contains("max_seconds")) QVERIFY2(outcome.secs <= wanted["max_seconds"].get<double>(), std::to_string(outcome.secs).c_str());
        if (wanted.contains("max_rss_mb")) QVERIFY2(outcome.peak <= wanted["max_rss_mb"].get<double>(), std::to_string(outcome.peak).c_str());
        if (wanted.contains("forbidden_file")) {
            const std::string name = fs::path(wanted["forbidden_file"].get<std::string>()).filename().string();
            QVERIFY(!fs::exists("/tmp/" + name));
            for (const auto& entry : fs::recursive_directory_iterator(m_scratch.path().toStdString())) QVERIFY(entry.path().filename() != name);
        }
        if (!outcome.result) {
            const Error& error = outcome.result.error();
            if (wanted.contains("also_refuse")) {
                QVERIFY2(missingWord(json::array({wanted["also_refuse"]}), error.sentence()).empty(), error.sentence().c_str());
                return;
            }
            QVERIFY2(status == "refuse" || status == "import-or-refuse", error.sentence().c_str());
            checkRefusal(wanted, error);
            return;
        }
        QVERIFY2(status != "refuse" || wanted.value("also_import", false), allWords(*outcome.result).c_str());
        QVERIFY(outcome.store != nullptr);
        QCOMPARE(outcome.store->size(), outcome.result->samples);
        checkCounts(wanted, *outcome.result);
        if (QTest::currentTestFailed()) return;
        checkWarnings(wanted, *outcome.result);
        checkPictures(wanted, *outcome.store);
        checkDuplicates(wanted, *outcome.store);
        if (wanted.contains("array") && outcome.result->samples == wanted.value("samples", std::int64_t(0))) checkArray(wanted["array"], *outcome.store);
        if (wanted.contains("values")) checkValues(wanted["values"], *outcome.store);
    }
};

QTEST_GUILESS_MAIN(TestImportCases)
#include "tst_import_cases.moc"
