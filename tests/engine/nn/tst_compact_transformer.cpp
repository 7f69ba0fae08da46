#include <QDir>
#include <QFile>
#include <QJsonDocument>
#include <QJsonObject>
#include <QTest>

#include "engine/interop/safetensors.h"
#include "engine/nn/attention_readouts.h"
#include "engine/nn/compact_transformer.h"
#include "engine/nn/model_io.h"

using namespace espalier;
using namespace espalier::nn;

namespace {

CompactConfig named(const char* name, std::int64_t image, std::int64_t classes, PositionalKind positional) {
    CompactConfig base;
    base.imageSize = image;
    base.classes = classes;
    base.positional = positional;
    return *namedCompactConfig(name, base);
}

/// The model of a reference case: "cct_7_3x1_32_sine" is CCT-7/3x1, "vit_2_4_32" ViT-Lite-2/4.
CompactConfig referenceConfig(const QString& file) {
    QFile opened(file);
    if (!opened.open(QIODevice::ReadOnly)) qFatal("%s cannot be opened", qPrintable(file));
    const auto meta = QJsonDocument::fromJson(opened.readAll()).object();
    const auto parts = meta[QStringLiteral("built_by")].toString().split(u'_');
    const auto arguments = meta[QStringLiteral("arguments")].toObject();
    const auto family = parts[0] == QStringLiteral("vit") ? QStringLiteral("ViT-Lite") : parts[0].toUpper();
    const auto positional = arguments[QStringLiteral("positional_embedding")].toString();
    return named(qPrintable(family + u'-' + parts[1] + u'/' + parts[2]), arguments[QStringLiteral("img_size")].toInt(),
                 arguments[QStringLiteral("num_classes")].toInt(),
                 positional == QStringLiteral("sine")   ? PositionalKind::Sine
                 : positional == QStringLiteral("none") ? PositionalKind::None
                                                        : PositionalKind::Learnable);
}

double difference(const at::Tensor& a, const at::Tensor& b) { return (a - b).abs().max().item<double>(); }

class Recorder : public TapSink {
public:
    bool wants(const std::string&) const override { return true; }
    void take(const std::string& name, const at::Tensor& value) override { values[name] = value; }
    std::map<std::string, at::Tensor> values;
};

at::Tensor images(std::int64_t count, std::int64_t side) {
    return at::randn({count, 3, side, side}, at::make_generator<at::CPUGeneratorImpl>(3));
}

}  // namespace

/// Card 70, "Works when" 1 to 5, and parity with the reference implementation.
class TestCompactTransformer : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void init() { at::manual_seed(1); }

    void parameterTotalsEqualTheTable_data() {
        QTest::addColumn<QByteArray>("name");
        QTest::addColumn<int>("image");
        QTest::addColumn<int>("classes");
        QTest::addColumn<int>("tokens");
        QTest::addColumn<int>("learnable");
        QTest::addColumn<int>("plain");
        const auto row = [](const char* name, int image, int classes, int tokens, int learnable, int plain) {
            QTest::addRow("%s %d px %d classes", name, image, classes) << QByteArray(name) << image << classes << tokens << learnable << plain;
        };
        row("CCT-2/3x2", 32, 10, 64, 283723, 275531);
        row("CCT-4/3x2", 32, 10, 64, 482123, 473931);
        row("CCT-6/3x1", 32, 10, 256, 3233803, 3168267);
        row("CCT-6/3x2", 32, 10, 64, 3326923, 3310539);
        row("CCT-7/3x1", 32, 10, 256, 3760139, 3694603);
        row("CCT-7/3x1", 32, 100, 256, 3783269, 3717733);
        row("CCT-7/3x2", 32, 10, 64, 3853259, 3836875);
        row("CCT-7/7x2", 224, 102, 196, 4573735, 4523559);
        row("CCT-14/7x2", 224, 1000, 196, 22367273, 22292009);
        row("CCT-14/7x2", 384, 1000, 576, 22513193, 22292009);
        row("CCT-14/7x2", 384, 102, 576, 22167463, 21946279);
        row("CVT-2/4", 32, 10, 64, 214539, 206347);
        row("CVT-4/4", 32, 10, 64, 412939, 404747);
        row("CVT-6/4", 32, 10, 64, 3190283, 3173899);
        row("CVT-7/4", 32, 10, 64, 3716619, 3700235);
        row("ViT-Lite-2/4", 32, 10, 64, 214666, 206346);
        row("ViT-Lite-4/4", 32, 10, 64, 413066, 404746);
        row("ViT-Lite-6/4", 32, 10, 64, 3190538, 3173898);
        row("ViT-Lite-7/4", 32, 10, 64, 3716874, 3700234);
    }
    void parameterTotalsEqualTheTable() {
        QFETCH(QByteArray, name);
        QFETCH(int, image);
        QFETCH(int, classes);
        QFETCH(int, tokens);
        QFETCH(int, learnable);
        QFETCH(int, plain);
        for (const auto kind : {PositionalKind::Learnable, PositionalKind::Sine, PositionalKind::None}) {
            const auto config = named(name.constData(), image, classes, kind);
            const auto expected = kind == PositionalKind::Learnable ? learnable : plain;
            QCOMPARE(config.parameterCount(), std::int64_t(expected));
            QCOMPARE(config.tokens(), std::int64_t(tokens));
            if (expected > 5000000 && kind != PositionalKind::Learnable) continue;  // building it once is enough
            CompactTransformer model(config);
            QCOMPARE(trainableParameters(model), std::int64_t(expected));
            if (image == 32) {
                at::NoGradGuard noGrad;
                QCOMPARE(model.tokenize(images(1, 32)).size(1), std::int64_t(tokens));
            }
        }
    }

    void macsAreThePapers() {
        const auto giga = [](const char* name, int image, int classes) {
            return double(named(name, image, classes, PositionalKind::Learnable).macsPerImage()) / 1e9;
        };
        QVERIFY(std::abs(giga("CCT-7/3x1", 32, 10) - 0.947) < 0.001);
        QVERIFY(std::abs(giga("CCT-2/3x2", 32, 10) - 0.033) < 0.001);
        QVERIFY(std::abs(giga("CCT-14/7x2", 224, 1000) - 5.11) < 0.02);
    }

    void fieldsAreTheCards() {
        const auto config = [](const char* name) { return named(name, 32, 10, PositionalKind::None); };
        QCOMPARE(config("CCT-7/3x1").jump(), 2.0);
        QCOMPARE(config("CCT-7/3x1").field(), 5.0);
        QCOMPARE(config("CCT-7/3x2").jump(), 4.0);
        QCOMPARE(config("CCT-7/3x2").field(), 13.0);
        QCOMPARE(config("CCT-14/7x2").jump(), 16.0);
        QCOMPARE(config("CCT-14/7x2").field(), 51.0);
        QCOMPARE(config("CVT-7/4").offset(), 1.5);
    }

    void classContributionsAddUpToTheLogits() {
        at::NoGradGuard noGrad;
        CompactTransformer model(named("CCT-2/3x2", 32, 10, PositionalKind::Learnable));
        model.eval();
        const auto input = images(3, 32);
        const auto encoded = model.encode(model.embed(input));
        const auto pooled = model.pool(encoded);
        QVERIFY(difference(pooled.weights.sum(1), at::ones({3})) < 1e-6);
        const auto shares = classContribution(pooled.weights, encoded, model.headWeight());
        QVERIFY(difference(shares.sum(-1) + model.headBias(), model.forward(input)) < 1e-4);
        // Without a preference the pooled token is the mean.
        for (auto& item : model.named_parameters())
            if (item.key().rfind("pool.", 0) == 0) item.value().zero_();
        QVERIFY(difference(model.pool(encoded).summary, encoded.mean(1)) < 1e-6);
    }

    void aSilencedBlockReturnsItsSecondNorm() {
        at::NoGradGuard noGrad;
        BlockOptions options;
        options.width = 32;
        options.heads = 2;
        options.hidden = 64;
        EncoderBlock block(options);
        block->norm2->weight.uniform_(0.5, 1.5);
        block->norm2->bias.normal_();
        block->attention->projection->weight.zero_();
        block->attention->projection->bias.zero_();
        block->mlpOut->weight.zero_();
        block->mlpOut->bias.zero_();
        const auto x = at::randn({2, 5, 32});
        block->eval();
        QVERIFY(difference(block(x), block->norm2(x)) < 1e-6);
        QVERIFY(difference(block(x), x) > 0.1);
        block->train();  // with the branch silent, training adds nothing either
        QVERIFY(difference(block(x), block->norm2(x)) < 1e-6);
    }

    void dropPathKeepsTheMean() {
        at::manual_seed(5);
        const auto branch = at::full({20000, 3}, 2.0);
        QVERIFY(at::equal(dropPath(branch, 0.5, false), branch));
        QVERIFY(std::abs(dropPath(branch, 0.5, true).mean().item<double>() - 2.0) < 0.04);
        const auto dropped = dropPath(branch, 0.5, true);
        QVERIFY(at::equal(dropped.select(1, 0), dropped.select(1, 2)));  // a whole sample at a time
        QCOMPARE(CompactConfig().stochasticDepth, 0.1);
        CompactConfig single = named("cct_desk", 32, 10, PositionalKind::None);
        single.layers = 1;
        CompactTransformer model(single);  // the rate of a single layer is 0, not 0/0
        model.train();
        QVERIFY(model.forward(images(2, 32)).isfinite().all().item<bool>());
    }

    void positionsMatterOnlyWhereThereAreSome() {
        at::NoGradGuard noGrad;
        const auto row = sineTable(4, 8)[0][0];
        QVERIFY(at::equal(row, at::tensor({0.f, 1.f, 0.f, 1.f, 0.f, 1.f, 0.f, 1.f})));
        const auto table = at::randn({1, 1 + 16, 8});
        QVERIFY(at::equal(resizedTable(table, 1, 4, 4, 4, 4), table));
        QCOMPARE(resizedTable(table, 1, 4, 4, 6, 6).size(1), std::int64_t(37));
        QVERIFY(at::equal(resizedTable(table, 1, 4, 4, 6, 6).select(1, 0), table.select(1, 0)));
        for (const auto kind : {PositionalKind::None, PositionalKind::Learnable}) {
            CompactTransformer model(named("CCT-2/3x2", 32, 10, kind));
            model.eval();
            // Five times the initial head: as a fresh head hardly looks at anything.
            for (auto& item : model.named_parameters())
                if (item.key() == "head.weight") item.value().mul_(5.0);
            const auto tokens = model.tokenize(images(2, 32));
            const auto order = at::randperm(64, at::make_generator<at::CPUGeneratorImpl>(1));
            const auto logits = [&](const at::Tensor& t) { return model.classify(model.pool(model.encode(model.addPositions(t)))); };
            const double moved = difference(logits(tokens), logits(tokens.index_select(1, order)));
            if (kind == PositionalKind::None) QVERIFY2(moved < 1e-5, std::to_string(moved).c_str());
            else QVERIFY2(moved > 1e-3, std::to_string(moved).c_str());
        }
    }

    void attentionRowsSumToOneAndTheFusedKernelAgrees() {
        at::NoGradGuard noGrad;
        CompactTransformer model(named("ViT-Lite-2/4", 32, 10, PositionalKind::Learnable));
        model.eval();
        const auto input = images(2, 32);
        const auto fused = model.forward(input);
        Recorder recorder;
        at::Tensor explicitLogits;
        {
            TapScope scope(&recorder);
            explicitLogits = model.forward(input);
        }
        QVERIFY(difference(fused, explicitLogits) < 1e-5);
        std::vector<at::Tensor> maps{recorder.values["block.0.attn"], recorder.values["block.1.attn"]};
        for (const auto& map : maps) QVERIFY(difference(map.sum(-1), at::ones({2, 2, 65})) < 1e-5);
        QVERIFY(difference(attentionRollout(maps).sum(-1), at::ones({2, 65})) < 1e-5);
    }

    void distanceAndEntropyOfKnownMaps() {
        const auto uniform = at::full({1, 1, 4, 4}, 0.25);
        QVERIFY(std::abs(attentionEntropy(uniform).item<double>() - 1.0) < 1e-6);
        QVERIFY(attentionEntropy(at::eye(4).reshape({1, 1, 4, 4})).item<double>() < 1e-6);
        QCOMPARE(attentionDistance(at::eye(4).reshape({1, 1, 4, 4}), 2, 2.0, false).item<double>(), 0.0);
        // On a 2×2 grid each token is 0, 1, 1 and √2 steps from the four.
        QVERIFY(std::abs(attentionDistance(uniform, 2, 2.0, false).item<double>() - 2.0 * (2.0 + std::sqrt(2.0)) / 4.0) < 1e-5);
    }

    void meetsTheReferenceImplementation_data() {
        QTest::addColumn<QString>("base");
        const QDir folder(qEnvironmentVariable("ESPALIER_SHARED") + QStringLiteral("/fixtures/compact-transformers"));
        for (const auto& file : folder.entryList({QStringLiteral("*.json")}, QDir::Files, QDir::Name))
            if (!file.startsWith(QStringLiteral("text_")))  // no image model
                QTest::addRow("%s", qPrintable(file)) << folder.filePath(file.chopped(5));
    }
    void meetsTheReferenceImplementation() {
        if (QTest::currentDataTag() == nullptr) QSKIP("the reference outputs are not on this machine");
        QFETCH(QString, base);
        at::NoGradGuard noGrad;
        const auto weights = interop::readSafetensors(base.toStdString() + ".weights.safetensors");
        const auto io = interop::readSafetensors(base.toStdString() + ".io.safetensors");
        QVERIFY(weights && io);
        auto config = referenceConfig(base + QStringLiteral(".json"));
        if (holdsLearnedPositions(*weights)) config.positional = PositionalKind::Learnable;
        CompactTransformer model(config);
        const auto loaded = model.loadWeights(*weights, base.toStdString());
        QVERIFY2(loaded.has_value(), loaded ? "" : loaded.error().sentence().c_str());
        model.eval();
        Recorder recorder;
        at::Tensor logits;
        {
            TapScope scope(&recorder);
            logits = model.forward(*io->find("input"));
        }
        QVERIFY2(difference(logits, *io->find("logits")) < 1e-5, std::to_string(difference(logits, *io->find("logits"))).c_str());
        int compared = 0;
        for (const auto& [name, expected] : io->tensors) {
            if (name == "input" || name == "logits" || name.find("attn_received") != std::string::npos) continue;
            const auto found = recorder.values.find(name);
            QVERIFY2(found != recorder.values.end(), name.c_str());
            const bool isAttention = name.find(".attn") == name.size() - 5 || name == "pool_weight";
            const auto ours = found->second.narrow(0, 0, expected.size(0));
            QVERIFY2(difference(ours, expected) < (isAttention ? 5e-6 : 3e-5), name.c_str());
            ++compared;
        }
        QVERIFY(compared >= 4);
    }

    void weightsOfAnotherModelAreNamed() {
        CompactTransformer small(named("CCT-2/3x2", 32, 10, PositionalKind::Learnable));
        CompactTransformer other(named("CCT-4/3x2", 32, 10, PositionalKind::Learnable));
        const auto missing = other.loadWeights(small.state(), "small.safetensors");
        QVERIFY(!missing && missing.error().what.find("block_2") != std::string::npos);
        const auto surplus = small.loadWeights(other.state(), "other.safetensors");
        QVERIFY(!surplus && surplus.error().what.find("no place") != std::string::npos);
        CompactTransformer classes(named("CCT-2/3x2", 32, 7, PositionalKind::Learnable));
        const auto shape = classes.loadWeights(small.state(), "small.safetensors");
        QVERIFY(!shape && shape.error().what.find("head.weight") != std::string::npos);
        QVERIFY(classes.loadWeights(small.state(), "small.safetensors", true).has_value());
        CompactTransformer larger(named("CCT-2/3x2", 64, 10, PositionalKind::Learnable));
        QVERIFY(larger.loadWeights(small.state(), "small.safetensors", true).has_value());
        QVERIFY(!larger.loadWeights(small.state(), "small.safetensors"));
    }

    void aLearnedTableIsNeverTakenForSineOrNone() {
        at::NoGradGuard noGrad;
        CompactTransformer learned(named("CCT-2/3x2", 32, 10, PositionalKind::Learnable));
        QVERIFY(holdsLearnedPositions(learned.state()));
        for (const auto kind : {PositionalKind::Sine, PositionalKind::None}) {
            CompactTransformer other(named("CCT-2/3x2", 32, 10, kind));
            QVERIFY(!holdsLearnedPositions(other.state()));
            for (const bool adapts : {false, true}) {
                const auto refused = other.loadWeights(learned.state(), "learned.safetensors", adapts);
                QVERIFY(!refused);
                QVERIFY2(refused.error().sentence().find("learned position table") != std::string::npos, refused.error().sentence().c_str());
            }
        }
        // The reference stores a frozen sine table; its angles are float32.
        CompactTransformer sine(named("CCT-2/3x2", 32, 10, PositionalKind::Sine));
        auto stored = sine.state();
        stored.add("classifier.positional_emb", sineTable(64, 128) + 2e-5);
        QVERIFY(!holdsLearnedPositions(stored));
        QVERIFY(sine.loadWeights(stored, "sine.safetensors").has_value());
    }

    void unitsInARowAreTheModel() {
        at::NoGradGuard noGrad;
        for (const char* name : {"CCT-2/3x2", "CVT-2/4", "ViT-Lite-2/4"}) {
            CompactTransformer model(named(name, 32, 10, PositionalKind::Learnable));
            model.eval();
            auto x = images(2, 32);
            const auto logits = model.forward(x);
            std::size_t layers = 0;
            for (const auto& unit : model.units()) {
                x = unit.forward(x);
                layers += unit.layers.size();
            }
            QVERIFY(difference(x, logits) < 1e-6);
            const auto weights = model.weightLayers();
            QCOMPARE(layers, weights.size());
            for (std::size_t i = 0; i < weights.size(); ++i) QCOMPARE(weights[i].number, int(i));
        }
    }

    void aWeightsFileBuildsItsModelAgain() {
        CompactTransformer model(named("cct_desk", 32, 4, PositionalKind::Sine));
        auto state = model.state();
        Normalization normalization;
        normalization.mean = {0.5f, 0.5f, 0.5f};
        normalization.std = {0.2f, 0.2f, 0.2f};
        state.metadata["espalier.normalization"] = normalization.toJson();
        state.metadata["espalier.classes"] = "[\"a\",\"b\",\"c\",\"d\"]";
        const auto loaded = loadImageClassifier(state, "w.safetensors");
        QVERIFY2(loaded.has_value(), loaded ? "" : loaded.error().sentence().c_str());
        at::NoGradGuard noGrad;
        model.eval();
        QVERIFY(at::equal(loaded->model->forward(images(2, 32)), model.forward(images(2, 32))));
        QCOMPARE(loaded->classNames.size(), std::size_t(4));
        state.metadata["espalier.architecture"] = "{\"layers\": 999999999}";
        QVERIFY(!loadImageClassifier(state, "w.safetensors"));
    }
};

QTEST_GUILESS_MAIN(TestCompactTransformer)
#include "tst_compact_transformer.moc"
