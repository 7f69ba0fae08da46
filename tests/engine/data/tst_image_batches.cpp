#include "engine/api/torch.h"

#include <chrono>
#include <set>

#include <QtTest>

#include "engine/data/image_batches.h"
#include "engine/data/image_pipeline.h"
#include "tests/engine/data/fake_images.h"

using namespace espalier;
using namespace espalier::data;

namespace {

ImagePipeline recipeQ() {
    ImagePipeline pipeline;
    pipeline.isAugmented = true;
    pipeline.autoAugment = "cifar10";
    pipeline.cropPadding = 4;
    pipeline.isFlipped = true;
    pipeline.erasing = 0.25;
    return pipeline;
}

std::vector<nn::Batch> readEpoch(ImageBatches& batches, std::int64_t epoch, std::int64_t first = 0) {
    std::vector<nn::Batch> all;
    batches.begin(epoch, first);
    for (;;) {
        auto batch = batches.next();
        if (!batch || !batch->inputs.defined()) return all;
        all.push_back(std::move(*batch));
    }
}

}  // namespace

class TestImageBatches : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void givesEveryRowOnce() {
        FakeImages images(103, 8, 3);
        ImagePipeline pipeline;
        pipeline.size = 8;
        ImageBatches batches(images, feed::Split::Train, pipeline, 10, 1, true, false, 3, at::kCPU);
        QCOMPARE(batches.itemsPerEpoch(), std::int64_t(83));
        QCOMPARE(batches.batchesPerEpoch(), std::int64_t(9));
        std::multiset<std::int64_t> seen;
        for (const nn::Batch& batch : readEpoch(batches, 0))
            for (std::int64_t i = 0; i < batch.size(); ++i) {
                const auto row = batch.rowIds[i].item<std::int64_t>();
                seen.insert(row);
                QCOMPARE(batch.targets[i].item<std::int64_t>(), row % 10);
            }
        const auto& rows = images.rows(feed::Split::Train);
        QVERIFY(seen == std::multiset<std::int64_t>(rows.begin(), rows.end()));
    }

    void dropsTheLastPartialBatch() {
        FakeImages images(103, 8, 3);
        ImagePipeline pipeline;
        pipeline.size = 8;
        ImageBatches batches(images, feed::Split::Train, pipeline, 10, 1, true, true, 2, at::kCPU);
        QCOMPARE(batches.itemsPerEpoch(), std::int64_t(80));
        const auto all = readEpoch(batches, 0);
        QCOMPARE(all.size(), std::size_t(8));
        QCOMPARE(all.back().size(), std::int64_t(10));
    }

    void isTheSameWithAnyNumberOfThreads() {
        FakeImages images(70, 32, 3);
        ImageBatches one(images, feed::Split::Train, recipeQ(), 16, 5, true, false, 0, at::kCPU);
        ImageBatches three(images, feed::Split::Train, recipeQ(), 16, 5, true, false, 3, at::kCPU);
        for (const std::int64_t epoch : {0, 1}) {
            const auto a = readEpoch(one, epoch), b = readEpoch(three, epoch);
            QCOMPARE(a.size(), b.size());
            for (std::size_t i = 0; i < a.size(); ++i) {
                QVERIFY(a[i].rowIds.equal(b[i].rowIds));
                QVERIFY(a[i].inputs.equal(b[i].inputs));
            }
        }
    }

    void resumesInTheMiddleOfAnEpoch() {
        FakeImages images(70, 32, 3);
        ImageBatches whole(images, feed::Split::Train, recipeQ(), 8, 5, true, false, 2, at::kCPU);
        ImageBatches part(images, feed::Split::Train, recipeQ(), 8, 5, true, false, 2, at::kCPU);
        const auto all = readEpoch(whole, 3);
        const auto rest = readEpoch(part, 3, 4);
        QCOMPARE(rest.size(), all.size() - 4);
        for (std::size_t i = 0; i < rest.size(); ++i) QVERIFY(rest[i].inputs.equal(all[i + 4].inputs));
    }

    void startsAgainWhileThreadsAreBusy() {
        FakeImages images(200, 32, 3);
        ImageBatches batches(images, feed::Split::Train, recipeQ(), 8, 5, true, false, 3, at::kCPU);
        const auto all = readEpoch(batches, 2);
        for (int i = 0; i < 20; ++i) {
            batches.begin(1, i % 7);
            QVERIFY(batches.next().has_value());
        }
        const auto again = readEpoch(batches, 2);
        QCOMPARE(again.size(), all.size());
        QVERIFY(again.back().inputs.equal(all.back().inputs));
    }

    void shufflesDifferentlyEachEpoch() {
        FakeImages images(100, 8, 3);
        ImagePipeline pipeline;
        pipeline.size = 8;
        ImageBatches batches(images, feed::Split::Train, pipeline, 80, 5, true, false, 1, at::kCPU);
        QVERIFY(!readEpoch(batches, 0)[0].rowIds.equal(readEpoch(batches, 1)[0].rowIds));
        ImageBatches plain(images, feed::Split::Valid, pipeline, 20, 5, false, false, 1, at::kCPU);
        QCOMPARE(readEpoch(plain, 0)[0].rowIds[1].item<std::int64_t>(), std::int64_t(9));
    }

    void normalisesBytes() {
        FakeImages images(5, 4, 3);
        ImagePipeline pipeline;
        pipeline.size = 4;
        pipeline.mean = {0.5f, 0.25f, 0.0f};
        pipeline.std = {0.5f, 0.25f, 1.0f};
        ImageBatches batches(images, feed::Split::Train, pipeline, 4, 1, false, false, 1, at::kCPU);
        const auto batch = readEpoch(batches, 0)[0];
        const auto image = *images.image(0);
        for (int c = 0; c < 3; ++c) {
            const float expected = (float(image.pixels[std::size_t(3 * 5 + c)]) / 255.0f - pipeline.mean[std::size_t(c)]) / pipeline.std[std::size_t(c)];
            QCOMPARE(batch.inputs[0][c][1][1].item<float>(), expected);
        }
    }

    void turnsGreyToColourAndBack() {
        const feed::Image8 grey{1, 1, 1, {90}}, colour{1, 1, 3, {30, 60, 90}};
        ImagePipeline pipeline;
        pipeline.size = 1;
        QCOMPARE(PipelineRunner(pipeline).prepare(grey, 0, 0, 0).pixels, (std::vector<std::uint8_t>{90, 90, 90}));
        pipeline.channels = 1;
        QCOMPARE(PipelineRunner(pipeline).prepare(colour, 0, 0, 0).pixels, (std::vector<std::uint8_t>{60}));
    }

    void resizesOtherSizes() {
        FakeImages images(4, 50, 1);
        ImageBatches batches(images, feed::Split::Train, ImagePipeline{}, 4, 1, false, false, 1, at::kCPU);
        QCOMPARE(readEpoch(batches, 0)[0].inputs.sizes(), (at::IntArrayRef{4, 3, 32, 32}));
    }

    void usesOnlyTheRowsItIsRestrictedTo() {
        FakeImages images(100, 8, 3);
        ImagePipeline pipeline;
        pipeline.size = 8;
        ImageBatches batches(images, feed::Split::Train, pipeline, 2, 5, false, false, 1, at::kCPU);
        batches.restrictTo({7, 3, 11});
        QCOMPARE(batches.itemsPerEpoch(), std::int64_t(3));
        QCOMPARE(readEpoch(batches, 0)[0].rowIds[1].item<std::int64_t>(), std::int64_t(3));
    }

    void handsOnTheErrorOfABrokenPicture() {
        FakeImages images(20, 8, 3);
        images.brokenRow = 6;
        ImagePipeline pipeline;
        pipeline.size = 8;
        ImageBatches batches(images, feed::Split::Train, pipeline, 4, 5, false, false, 2, at::kCPU);
        batches.begin(0, 0);
        QVERIFY(batches.next().has_value());
        const auto second = batches.next();
        QVERIFY(!second);
        QCOMPARE(second.error().where, std::string("fake[6]"));
    }

    void keepsUpWithTraining() {
        FakeImages images(1250, 32, 3);
        ImagePipeline pipeline = recipeQ();
        pipeline.erasing = 0;
        ImageBatches batches(images, feed::Split::Train, pipeline, 100, 5, true, false, 1, at::kCPU);
        const auto start = std::chrono::steady_clock::now();
        const auto all = readEpoch(batches, 0);
        const double secs = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
        qInfo("recipe Q at 32 px: %.0f images a second on one loader thread", 1000 / secs);
        QCOMPARE(all.size(), std::size_t(10));
        QVERIFY2(1000 / secs > 2000, "the loader is slower than 2,000 images a second");
    }
};

QTEST_GUILESS_MAIN(TestImageBatches)
#include "tst_image_batches.moc"
