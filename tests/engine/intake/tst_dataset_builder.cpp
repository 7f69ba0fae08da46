#include <QtTest>

#include <atomic>
#include <set>

#include <cmath>
#include <thread>

#include "engine/base/files.h"
#include "engine/intake/fingerprint.h"
#include "engine/intake/row_collector.h"
#include "tests/engine/intake/build_helpers.h"
#include "tests/engine/intake/picture_files.h"

using namespace espalier;
using namespace espalier::intake;
using namespace picturefiles;

class TestDatasetBuilder : public QObject {
    Q_OBJECT

    std::unique_ptr<Builder> m_builder;

    void picture(const std::string& path, const cv::Mat& mat, const std::string& suffix = ".png") { write(m_builder->root() / path, encoded(mat, suffix)); }
    void twoClasses(int each) {
        for (int i = 0; i < each; ++i) {
            picture("a/" + std::to_string(i) + ".png", blobs(i + 1));
            picture("b/" + std::to_string(i) + ".png", blobs(1000 + i));
        }
    }

private Q_SLOTS:
    void init() { m_builder = std::make_unique<Builder>(); }

    void storesWhatItRead() {
        picture("a/1.png", quarters(20, 10));
        picture("b/1.png", quarters(20, 10));
        picture("b/2.png", cv::Mat(5, 7, CV_8UC1, cv::Scalar(9)));
        BuildRequest request;
        request.id = "id1";
        request.name = "My data";
        const auto summary = m_builder->build(request);
        QVERIFY(summary.has_value());
        const auto store = m_builder->open();
        QVERIFY(store != nullptr);
        QCOMPARE(store->summary().name, std::string("My data"));
        QCOMPARE(store->summary().id, std::string("id1"));
        QCOMPARE(store->summary().shape, (std::vector<std::int64_t>{3, 10, 20}));
        QVERIFY(!store->summary().hasOneSize);
        QCOMPARE(store->summary().sizes.front().first, std::string("20×10"));
        QCOMPARE(store->size(), std::int64_t(3));
        const auto grey = store->image(2);
        QVERIFY(grey.has_value());
        QCOMPARE(grey->channels, 1);
        QCOMPARE(grey->pixels, std::vector<std::uint8_t>(35, 9));
        QVERIFY(store->mappedPixels(0) == nullptr);
        QVERIFY(!store->image(3));
        QVERIFY(!store->image(-1));
        QCOMPARE(store->rows(feed::Split::Train).size() + store->rows(feed::Split::Valid).size() + store->rows(feed::Split::Test).size(), std::size_t(3));
    }

    void mapsRowsOfOneSize() {
        twoClasses(5);
        QVERIFY(m_builder->build({}).has_value());
        const auto store = m_builder->open();
        for (std::int64_t row = 0; row < store->size(); ++row) {
            const auto image = store->image(row);
            QVERIFY(store->mappedPixels(row) != nullptr);
            QVERIFY(std::equal(image->pixels.begin(), image->pixels.end(), store->mappedPixels(row)));
        }
    }

    void doesNotDependOnThreads() {
        twoClasses(40);
        BuildRequest request;
        request.threads = 1;
        const auto one = m_builder->build(request);
        request.threads = 7;
        const auto seven = m_builder->build(request);
        QVERIFY(one && seven);
        QCOMPARE(one->hash, seven->hash);
        QCOMPARE(one->hash.size(), std::size_t(64));
    }

    void hashFollowsPixelsLabelsAndSplit() {
        twoClasses(6);
        const auto first = m_builder->build({});
        BuildRequest reseeded;
        reseeded.seed = 5;
        const auto second = m_builder->build(reseeded);
        QVERIFY(first->hash != second->hash);
        fs::rename(m_builder->root() / "a" / "3.png", m_builder->root() / "b" / "99.png");
        const auto third = m_builder->build({});
        QVERIFY(first->hash != third->hash);
    }

    void measuresTheTrainSplit() {
        picture("train/a/1.png", cv::Mat(4, 4, CV_8UC3, cv::Scalar(0, 51, 255)));
        picture("train/b/1.png", cv::Mat(4, 4, CV_8UC3, cv::Scalar(255, 51, 255)));
        picture("test/a/1.png", cv::Mat(4, 4, CV_8UC3, cv::Scalar(7, 7, 7)));
        const auto summary = m_builder->build({});
        QVERIFY(summary.has_value());
        QVERIFY(std::abs(summary->channelMean[0] - 1.0) < 1e-12 && std::abs(summary->channelMean[1] - 0.2) < 1e-12 && std::abs(summary->channelMean[2] - 0.5) < 1e-12);
        QVERIFY(std::abs(summary->channelStd[0]) < 1e-12 && std::abs(summary->channelStd[2] - 0.5) < 1e-12);
    }

    void findsCopiesAndLeaks() {
        for (int i = 0; i < 12; ++i) picture("train/a/" + std::to_string(i) + ".png", blobs(i, 64));
        picture("train/b/copy.bmp", blobs(3, 64), ".bmp");
        picture("test/a/leak.png", blobs(5, 64));
        cv::Mat half, bright;
        cv::resize(blobs(7, 64), half, cv::Size(32, 32), 0, 0, cv::INTER_AREA);
        blobs(8, 64).convertTo(bright, CV_8U, 0.8, 30);
        picture("test/b/half.png", half);
        picture("train/b/bright.jpg", bright, ".jpg");
        const auto summary = m_builder->build({});
        QVERIFY(summary.has_value());
        QCOMPARE(summary->exactDuplicates, std::int64_t(2));
        QCOMPARE(summary->exactAcrossSplits, std::int64_t(1));
        QCOMPARE(summary->exactGroups.size(), std::size_t(2));
        const auto store = m_builder->open();
        std::set<std::set<std::string>> near;
        for (const auto& pair : summary->nearPairs) near.insert({store->info(pair.a).source, store->info(pair.b).source});
        QVERIFY(near.count({"train/a/7.png", "test/b/half.png"}));
        QVERIFY(near.count({"train/a/8.png", "train/b/bright.jpg"}));
        QCOMPARE(near.size(), std::size_t(2));
        QVERIFY(warningOf(*summary, "leak")->detail.find("test/a/leak.png") != std::string::npos);
        QCOMPARE(warningOf(*summary, "near_leak")->file, std::string("test/b/half.png"));
        QVERIFY(warningOf(*summary, "label_conflict"));
    }

    /// 60,000 fingerprints in a few seconds, and the planted pairs among them.
    void searchesManyFingerprints() {
        std::vector<Fingerprint> prints;
        std::vector<std::int64_t> rows;
        std::uint64_t state = 1;
        const auto next = [&] { return state = state * 6364136223846793005ull + 1442695040888963407ull; };
        for (int i = 0; i < 60000; ++i) {
            feed::Image8 image{16, 16, 3, std::vector<std::uint8_t>(768)};
            if (i % 1000 == 999) {
                prints.push_back(prints[static_cast<std::size_t>(i - 500)]);
                prints.back().thumb[5] ^= 3;
            } else {
                for (auto& pixel : image.pixels) pixel = static_cast<std::uint8_t>(next() >> 56);
                prints.push_back(fingerprintOf(image));
            }
            rows.push_back(i);
        }
        QElapsedTimer timer;
        timer.start();
        const auto found = findNearPairs(prints, rows, [] { return false; });
        QVERIFY2(timer.elapsed() < 8000, std::to_string(timer.elapsed()).c_str());
        QCOMPARE(found.pairs.size(), std::size_t(60));
        for (const auto& pair : found.pairs) QCOMPARE(pair.b - pair.a, std::int64_t(500));
        QVERIFY(!findNearPairs(prints, rows, [] { return true; }).pairs.size());
    }

    void stopsSoonAndLeavesNothing() {
        twoClasses(400);
        std::stop_source stop;
        QElapsedTimer timer;
        BuildRequest request;
        request.paths = {m_builder->root()};
        const fs::path folder = m_builder->stored();
        fs::create_directories(folder.parent_path());
        const auto result = buildDataset(request, folder, [&](const BuildProgress& progress) {
            if (progress.done < 50 || stop.stop_requested()) return;
            stop.request_stop();
            timer.start();
        }, stop.get_token());
        QVERIFY(!result);
        QVERIFY(timer.isValid());
        QVERIFY2(timer.elapsed() < 500, std::to_string(timer.elapsed()).c_str());
        QVERIFY(result.error().what.find("stopped") != std::string::npos);
        QVERIFY(fs::is_empty(folder.parent_path()));
    }

    void failsWithoutLeftovers() {
        write(m_builder->root() / "a" / "1.png", "no picture");
        const auto summary = m_builder->build({});
        QVERIFY(!summary);
        QVERIFY(summary.error().what.find("a/1.png") != std::string::npos);
        QVERIFY(fs::is_empty(m_builder->stored().parent_path()));
    }

    void keepsAClassWhosePicturesAreAllBroken() {
        picture("a/1.png", blobs(1));
        picture("c/1.png", blobs(2));
        write(m_builder->root() / "b" / "1.png", "this is no picture at all");
        const auto summary = m_builder->build({});
        QVERIFY(summary.has_value());
        QCOMPARE(countsOf(*summary), (std::map<std::string, std::int64_t>{{"a", 1}, {"b", 0}, {"c", 1}}));
        QCOMPARE(warningOf(*summary, "empty_class")->file, std::string("b"));
        QVERIFY(warningOf(*summary, "not_an_image"));
        QCOMPARE(warningOf(*summary, "not_an_image")->file, std::string("b/1.png"));
    }

    void storesTables() {
        write(m_builder->root() / "t.csv", "x,y,kind\n1,2.5,red\n3,4,blue\n1,2.5,red\n");
        BuildRequest request;
        request.paths = {m_builder->root() / "t.csv"};
        const auto summary = m_builder->build(request);
        QVERIFY2(summary.has_value(), summary ? "" : summary.error().sentence().c_str());
        QCOMPARE(summary->kind, std::string("table"));
        QCOMPARE(summary->columns, (std::vector<std::string>{"x", "y"}));
        QCOMPARE(summary->exactDuplicates, std::int64_t(1));
        const auto store = m_builder->open();
        QCOMPARE(*store->features(1), (std::vector<float>{3, 4}));
        QVERIFY(!store->image(1));
    }

    void refusesAFolderThatIsInUse() {
        twoClasses(2);
        BuildRequest request;
        QVERIFY(m_builder->build(request).has_value());
        --m_builder->count;
        const auto again = m_builder->build(request);
        QVERIFY(!again);
        QVERIFY(m_builder->open() != nullptr);  // what was there is whole
    }

    void dryRunStoresNothing() {
        twoClasses(3);
        BuildRequest request;
        request.isDryRun = true;
        const auto dry = m_builder->build(request);
        QVERIFY(dry.has_value());
        QCOMPARE(dry->samples, std::int64_t(6));
        QVERIFY(!fs::exists(m_builder->stored()));
        QCOMPARE(m_builder->build({})->hash, dry->hash);
    }

    void dealsAnewWithoutReadingAgain() {
        twoClasses(10);
        const auto before = m_builder->build({});
        fs::remove_all(m_builder->root());
        const auto after = resplitDataset(m_builder->stored(), {0.5, 0.25, 0.25}, 9);
        QVERIFY(before && after);
        QCOMPARE(after->splits, (std::array<std::int64_t, 3>{10, 5, 5}));
        QCOMPARE(after->splitSeed, std::int64_t(9));
        QVERIFY(after->hash != before->hash);
        QVERIFY(after->channelMean != before->channelMean);
        QCOMPARE(m_builder->open()->rows(feed::Split::Test).size(), std::size_t(5));
        QCOMPARE(resplitDataset(m_builder->stored(), {0.8, 0.1, 0.1}, 0)->hash, before->hash);
        QVERIFY(!resplitDataset(m_builder->stored(), {0.5, 0.5, 0.5}, 9));
    }

    /// Past the size for decoded rows, pictures stay where they are and archives' bytes are kept.
    void refersToFilesPastTheBound() {
        const fs::path staging = fs::path(m_builder->scratch.path().toStdString()) / "staging";
        fs::create_directories(staging);
        RowCollector::Setup setup;
        setup.staging = staging;
        setup.threads = 2;
        setup.maxPixelBytes = 2 * 32 * 32 * 3;
        RowCollector collector(setup);
        for (int i = 0; i < 4; ++i) {
            const fs::path path = m_builder->root() / (std::to_string(i) + ".png");
            const std::string bytes = encoded(blobs(i), ".png");
            write(path, bytes);
            QVERIFY(collector.encodedImage({std::to_string(i), std::nullopt, std::nullopt, 1}, bytes, i == 3 ? fs::path() : path).has_value());
        }
        QVERIFY(collector.finish().has_value());
        auto rows = collector.takeRows();
        QCOMPARE(rows.table.records[1].storage, RowStorage::Pixels);
        QCOMPARE(rows.table.records[2].storage, RowStorage::Path);
        QCOMPARE(rows.table.records[3].storage, RowStorage::Blob);
        feed::DatasetSummary summary;
        summary.kind = "images";
        summary.samples = 4;
        QVERIFY(writeRowTable(staging / "rows.bin", rows.table).has_value());
        QVERIFY(writeFileAtomically(staging / "dataset.json", summaryToJson(summary)).has_value());
        const auto store = DatasetStore::open(staging);
        QVERIFY2(store.has_value(), store ? "" : store.error().sentence().c_str());
        for (int i = 0; i < 4; ++i) {
            const auto image = (*store)->image(i);
            QVERIFY(image.has_value());
            QCOMPARE(int(image->pixels[0]), int(blobs(i).at<cv::Vec3b>(0, 0)[2]));
        }
        fs::remove(m_builder->root() / "2.png");
        QVERIFY(!(*store)->image(2));
        QVERIFY((*store)->image(3).has_value());
    }

    void scalesFloatsByOneRule_data() {
        QTest::addColumn<QVector<float>>("values");
        QTest::addColumn<QVector<int>>("pixels");
        QTest::addColumn<bool>("isTold");
        QTest::newRow("0 to 1") << QVector<float>{0, 0.5f, 1, 0.25f} << QVector<int>{0, 128, 255, 64} << false;
        QTest::newRow("0 to 255") << QVector<float>{0, 12, 255, 200} << QVector<int>{0, 12, 255, 200} << false;
        QTest::newRow("minus 1 to 1") << QVector<float>{-1, 0, 1, 0.5f} << QVector<int>{0, 128, 255, 191} << true;
        QTest::newRow("0 to 16") << QVector<float>{0, 16, 8, 4} << QVector<int>{0, 255, 128, 64} << true;
    }
    void scalesFloatsByOneRule() {
        QFETCH(QVector<float>, values);
        QFETCH(QVector<int>, pixels);
        QFETCH(bool, isTold);
        RowCollector collector({{}, 1, {}, {}});
        // Two pictures, so that the rule spans both.
        QVERIFY(collector.floatImage({"0", std::nullopt, std::nullopt, 0}, 2, 1, 1, {values[0], values[1]}).has_value());
        QVERIFY(collector.floatImage({"1", std::nullopt, std::nullopt, 0}, 2, 1, 1, {values[2], values[3]}).has_value());
        QVERIFY(collector.finish().has_value());
        const auto rows = collector.takeRows();
        QCOMPARE(rows.table.records[0].sums[0], double(pixels[0] + pixels[1]));
        QCOMPARE(rows.table.records[1].sums[0], double(pixels[2] + pixels[3]));
        QCOMPARE(!rows.warnings.empty(), isTold);
    }

    void countsWhatIsNoNumber() {
        RowCollector collector({{}, 1, {}, {}});
        const float nan = std::nanf(""), inf = std::numeric_limits<float>::infinity();
        QVERIFY(collector.floatImage({"x[0]", std::nullopt, std::nullopt, 0}, 2, 1, 1, {0.5f, 1}).has_value());
        QVERIFY(collector.floatImage({"x[1]", std::nullopt, std::nullopt, 0}, 2, 1, 1, {nan, inf}).has_value());
        QVERIFY(collector.finish().has_value());
        const auto rows = collector.takeRows();
        QCOMPARE(rows.warnings.front().kind, std::string("nan_values"));
        QVERIFY(rows.warnings.front().detail.find("2 values in 1 sample (1)") != std::string::npos);
        QCOMPARE(rows.table.records[1].sums[0], 0.0);
    }

    void openRefusesDamage() {
        twoClasses(3);
        QVERIFY(m_builder->build({}).has_value());
        const fs::path folder = m_builder->stored();
        for (const char* name : {"rows.bin", "pixels.bin", "dataset.json"}) {
            const std::string whole = *readFile(folder / name);
            for (const std::size_t size : {std::size_t(0), std::size_t(7), whole.size() / 2, whole.size() - 1}) {
                write(folder / name, whole.substr(0, size));
                const auto store = DatasetStore::open(folder);
                QVERIFY2(!store, name);
                QVERIFY(store.error().code == ErrorCode::Corrupt);
            }
            write(folder / name, whole);
        }
        const std::string rows = *readFile(folder / "rows.bin");
        for (std::size_t i = 32; i < 32 + 144; ++i) {  // the first record
            std::string bad = rows;
            bad[i] = static_cast<char>(0xFF);
            write(folder / "rows.bin", bad);
            const auto store = DatasetStore::open(folder);
            if (store) (void)(*store)->image(0);  // what passes the checks is readable
        }
    }

    void summaryComesBackFromJson() {
        twoClasses(4);
        picture("a/bad.png", cv::Mat(2, 2, CV_8UC3, cv::Scalar(1, 2, 3)));
        write(m_builder->root() / "b" / "bad.jpg", "no");
        const auto summary = m_builder->build({});
        const auto again = summaryFromJson(summaryToJson(*summary), "here");
        QVERIFY(again.has_value());
        QCOMPARE(summaryToJson(*again), summaryToJson(*summary));
        QCOMPARE(again->warnings.size(), summary->warnings.size());
        QVERIFY(!summaryFromJson("{", "here"));
        QVERIFY(!summaryFromJson("{\"format_version\": 2}", "here"));
    }

    void readsFromManyThreads() {
        twoClasses(20);
        QVERIFY(m_builder->build({}).has_value());
        const auto store = m_builder->open();
        std::atomic<int> bad{0};
        std::vector<std::jthread> threads;
        for (int t = 0; t < 4; ++t)
            threads.emplace_back([&] {
                for (std::int64_t row = 0; row < store->size(); ++row)
                    if (!store->image(row) || store->info(row).source.empty()) ++bad;
            });
        threads.clear();
        QCOMPARE(bad.load(), 0);
    }
};

QTEST_GUILESS_MAIN(TestDatasetBuilder)
#include "tst_dataset_builder.moc"
