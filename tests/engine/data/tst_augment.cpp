#include "engine/api/torch.h"

#include <fstream>

#include <QtTest>
#include <nlohmann/json.hpp>

#include "engine/data/augment/geometry_ops.h"
#include "engine/data/augment/pixel_ops.h"
#include "engine/data/augment/policies.h"
#include "engine/interop/safetensors.h"

using namespace espalier;
using namespace espalier::data;
using namespace espalier::data::augment;

namespace {

/// How far two pictures are apart.
struct Difference {
    int largest = 0;
    double share = 0.0;  ///< of values that differ
};

struct Fixture {
    nlohmann::json json;
    nn::NamedTensors tensors;
    Image8 image(const std::string& key) const {
        const at::Tensor* tensor = tensors.find(key);
        if (!tensor) return {};
        const at::Tensor flat = tensor->contiguous();
        Image8 image{int(flat.size(1)), int(flat.size(0)), int(flat.size(2)), {}};
        image.pixels.assign(flat.data_ptr<std::uint8_t>(), flat.data_ptr<std::uint8_t>() + flat.numel());
        return image;
    }
};

std::optional<Fixture> load(const char* name) {
    const char* shared = std::getenv("ESPALIER_SHARED");
    const std::string base = std::string(shared ? shared : "") + "/fixtures/augment/" + name;
    std::ifstream stream(base + ".json");
    if (!shared || !stream) return std::nullopt;
    Fixture fixture;
    fixture.json = nlohmann::json::parse(stream);
    auto tensors = interop::readSafetensors(base + ".safetensors");
    if (!tensors) return std::nullopt;
    fixture.tensors = std::move(*tensors);
    return fixture;
}

Difference compare(const Image8& a, const Image8& b) {
    if (a.pixels.size() != b.pixels.size() || a.pixels.empty()) return {999, 1.0};
    Difference difference;
    std::size_t count = 0;
    for (std::size_t i = 0; i < a.pixels.size(); ++i) {
        const int d = std::abs(int(a.pixels[i]) - int(b.pixels[i]));
        difference.largest = std::max(difference.largest, d);
        count += d != 0;
    }
    difference.share = double(count) / double(a.pixels.size());
    return difference;
}

enum class Hold { Exact, RareLevel, Level };

bool isMet(const Difference& d, Hold hold) {
    if (hold == Hold::Exact) return d.largest == 0;
    return d.largest <= 1 && (hold == Hold::Level || d.share <= 0.01);
}

Interpolation interpolationOf(const std::string& name) {
    return name == "bicubic" ? Interpolation::Bicubic : name == "bilinear" ? Interpolation::Bilinear : Interpolation::Nearest;
}

Image8 torchvisionOp(const Image8& image, const std::string& op, double m, Interpolation how) {
    if (op == "ShearX") return affine(image, {1, m, 0, 0, 1, 0}, how, kGreyFill);
    if (op == "ShearY") return affine(image, {1, 0, 0, m, 1, 0}, how, kGreyFill);
    if (op == "TranslateX") return affine(image, {1, 0, -double(int(m)), 0, 1, 0}, how, kGreyFill);
    if (op == "TranslateY") return affine(image, {1, 0, 0, 0, 1, -double(int(m))}, how, kGreyFill);
    if (op == "Rotate") return rotate(image, m, how, kGreyFill);
    Image8 out = image;
    if (op == "Brightness") adjustBrightness(out, 1 + m);
    else if (op == "Color") adjustColor(out, 1 + m);
    else if (op == "Contrast") adjustContrast(out, 1 + m);
    else if (op == "Sharpness") adjustSharpness(out, 1 + m);
    else if (op == "Posterize") posterize(out, int(m));
    else if (op == "Solarize") solarize(out, m);
    else if (op == "AutoContrast") autoContrast(out);
    else if (op == "Equalize") equalize(out);
    else if (op == "Invert") invert(out);
    else if (op != "Identity") return {};
    return out;
}

Hold holdOf(const std::string& op, Interpolation how) {
    if (op == "Brightness" || op == "Sharpness" || op == "BrightnessIncreasing" || op == "SharpnessIncreasing" || op == "adjust_brightness" ||
        op == "adjust_sharpness" || op == "brightness" || op == "sharpness")
        return Hold::RareLevel;
    return how == Interpolation::Nearest ? Hold::Exact : Hold::Level;
}

Image8 functionalOp(const Image8& image, const nlohmann::json& row, bool& isKnown) {
    const std::string op = row["op"];
    Image8 out = image;
    isKnown = true;
    if (op == "adjust_saturation") adjustColor(out, row["factor"]);
    else if (op == "adjust_contrast") adjustContrast(out, row["factor"]);
    else if (op == "adjust_brightness") adjustBrightness(out, row["factor"]);
    else if (op == "adjust_sharpness") adjustSharpness(out, row["factor"]);
    else if (op == "posterize") posterize(out, row["bits"]);
    else if (op == "solarize") solarize(out, row["threshold"]);
    else if (op == "equalize") equalize(out);
    else if (op == "autocontrast") autoContrast(out);
    else if (op == "invert") invert(out);
    else if (op == "hflip") flipHorizontally(out);
    else if (op == "rotate") out = rotate(image, row["degrees"], interpolationOf(row["interpolation"]), kGreyFill);
    else if (op == "resized_crop")
        out = resize(crop(image, row["left"], row["top"], row["width"], row["height"]), 32, 32, interpolationOf(row["interpolation"]));
    else if (op == "pad_crop") out = padAndCrop(image, row["pad"], row["left"], row["top"]);
    else isKnown = false;  // hue, blur, grayscale and vertical flip are in no recipe yet
    return out;
}

const std::map<std::string, RandOp> kRandNames{
    {"AutoContrast", RandOp::AutoContrast}, {"Equalize", RandOp::Equalize}, {"Invert", RandOp::Invert}, {"Rotate", RandOp::Rotate},
    {"PosterizeIncreasing", RandOp::Posterize}, {"SolarizeIncreasing", RandOp::Solarize}, {"SolarizeAdd", RandOp::SolarizeAdd},
    {"ColorIncreasing", RandOp::Color}, {"ContrastIncreasing", RandOp::Contrast}, {"BrightnessIncreasing", RandOp::Brightness},
    {"SharpnessIncreasing", RandOp::Sharpness}, {"ShearX", RandOp::ShearX}, {"ShearY", RandOp::ShearY}, {"TranslateXRel", RandOp::TranslateX},
    {"TranslateYRel", RandOp::TranslateY}};

const std::map<std::string, Op> kPolicyNames{
    {"shearx", Op::ShearX}, {"sheary", Op::ShearY}, {"translatex", Op::TranslateX}, {"translatey", Op::TranslateY}, {"rotate", Op::Rotate},
    {"color", Op::Color}, {"posterize", Op::Posterize}, {"solarize", Op::Solarize}, {"contrast", Op::Contrast}, {"sharpness", Op::Sharpness},
    {"brightness", Op::Brightness}, {"autocontrast", Op::AutoContrast}, {"equalize", Op::Equalize}, {"invert", Op::Invert}};

std::string lower(std::string text) {
    for (char& c : text) c = char(std::tolower(static_cast<unsigned char>(c)));
    return text;
}

Image8 ramp() {
    Image8 image{4, 2, 3, {}};
    for (int i = 0; i < 24; ++i) image.pixels.push_back(static_cast<std::uint8_t>(i * 10));
    return image;
}

}  // namespace

class TestAugment : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void meetsTorchvisionAndTimm() {
        const auto fixture = load("ops_32x32");
        if (!fixture) QSKIP("the shared fixtures are not here");
        const Image8 image = fixture->image("image");
        int checked = 0;
        for (const auto& row : fixture->json["ops"]) {
            const std::string key = row["key"], op = row["op"];
            const bool isTimm = key.rfind("timm.", 0) == 0, isFunctional = key.rfind("functional.", 0) == 0;
            const Interpolation how = interpolationOf(row.value(isTimm ? "resample" : "interpolation", std::string("nearest")));
            Image8 out;
            Hold hold = holdOf(op, how);
            if (isTimm) {
                const double argument = row["arguments"].empty() ? 0.0 : row["arguments"][0].get<double>();
                const RandOp randOp = kRandNames.at(op);
                out = applyRandOp(image, randOp, argument, how, kGreyFill);
                const bool isGeometry = randOp == RandOp::Rotate || randOp >= RandOp::ShearX;
                if (!isGeometry && hold == Hold::Level) hold = Hold::Exact;
                if (!row["arguments"].empty()) QVERIFY2(std::fabs(randArgument(randOp, row["level"], argument < 0 || argument < 1 ? -1 : 1) - argument) < 1e-9 ||
                                                            std::fabs(randArgument(randOp, row["level"], 1) - argument) < 1e-9, key.c_str());
            } else if (isFunctional) {
                bool isKnown = false;
                out = functionalOp(image, row, isKnown);
                if (!isKnown) continue;
            } else {
                out = torchvisionOp(image, op, row["magnitude"].is_null() ? 0.0 : row["magnitude"].get<double>(), how);
                const bool isGeometry = op[0] == 'S' ? op.rfind("Shear", 0) == 0 : op == "Rotate" || op.rfind("Translate", 0) == 0;
                if (!isGeometry && hold == Hold::Level) hold = Hold::Exact;
            }
            const Difference difference = compare(out, fixture->image(key));
            QVERIFY2(isMet(difference, hold), qPrintable(QStringLiteral("%1: %2 levels on %3 of the values").arg(QString::fromStdString(key)).arg(difference.largest).arg(difference.share)));
            ++checked;
        }
        QVERIFY(checked > 200);
    }

    void meetsRecipeQ() {
        const auto fixture = load("recipeq_ops_32x32");
        if (!fixture) QSKIP("the shared fixtures are not here");
        const Image8 image = fixture->image("image");
        for (const auto& row : fixture->json["ops"]) {
            const std::string key = row["key"], name = row["op"];
            const Op op = kPolicyNames.at(lower(name));
            const double magnitude = policyMagnitude(op, row["magnitude_index"]);
            QVERIFY2(std::fabs(magnitude - row["magnitude"].get<double>()) < 1e-12, key.c_str());
            const bool isShear = op == Op::ShearX || op == Op::ShearY;
            const Difference difference = compare(applyRecipeQ(image, op, magnitude, row["sign"].get<double>()), fixture->image(key));
            QVERIFY2(isMet(difference, isShear ? Hold::Level : holdOf(name, Interpolation::Nearest)),
                     qPrintable(QStringLiteral("%1: %2 levels on %3 of the values").arg(QString::fromStdString(key)).arg(difference.largest).arg(difference.share)));
        }
    }

    void hasThePairsOfThePolicy() {
        const char* shared = std::getenv("ESPALIER_SHARED");
        std::ifstream stream(std::string(shared ? shared : "") + "/fixtures/augment/torchvision_cifar10_policy.json");
        if (!shared || !stream) QSKIP("the shared fixtures are not here");
        const auto json = nlohmann::json::parse(stream);
        const auto& pairs = json["policy"];
        QCOMPARE(pairs.size(), cifar10Policy().size());
        for (std::size_t i = 0; i < pairs.size(); ++i)
            for (std::size_t half = 0; half < 2; ++half) {
                const PolicyStep& step = cifar10Policy()[i][half];
                QCOMPARE(int(kPolicyNames.at(lower(pairs[i][half][0]))), int(step.op));
                QCOMPARE(pairs[i][half][1].get<double>(), step.probability);
                if (!pairs[i][half][2].is_null()) QCOMPARE(pairs[i][half][2].get<int>(), step.strength);
            }
    }

    void invertsAndPosterizesLiterally() {
        Image8 image{2, 1, 1, {0, 200}};
        invert(image);
        QCOMPARE(image.pixels, (std::vector<std::uint8_t>{255, 55}));
        posterize(image, 4);
        QCOMPARE(image.pixels, (std::vector<std::uint8_t>{240, 48}));
        solarize(image, 100);
        QCOMPARE(image.pixels, (std::vector<std::uint8_t>{15, 48}));
        solarizeAdd(image, 30);
        QCOMPARE(image.pixels, (std::vector<std::uint8_t>{45, 78}));
    }

    void keepsAFlatPictureFlat() {
        Image8 image{3, 3, 1, std::vector<std::uint8_t>(9, 77)};
        const auto before = image.pixels;
        autoContrast(image);
        equalize(image);
        adjustSharpness(image, 1.9);
        QCOMPARE(image.pixels, before);
    }

    void flipsTwiceToTheSame() {
        Image8 image = ramp();
        flipHorizontally(image);
        QCOMPARE(int(image.pixels[0]), 90);
        flipHorizontally(image);
        QCOMPARE(image.pixels, ramp().pixels);
    }

    void cropsFromZerosAround() {
        const Image8 image{2, 2, 1, {1, 2, 3, 4}};
        QCOMPARE(padAndCrop(image, 1, 0, 0).pixels, (std::vector<std::uint8_t>{0, 0, 0, 1}));
        QCOMPARE(padAndCrop(image, 1, 1, 1).pixels, (std::vector<std::uint8_t>{1, 2, 3, 4}));
        QCOMPARE(padAndCrop(image, 1, 2, 2).pixels, (std::vector<std::uint8_t>{4, 0, 0, 0}));
    }

    void turnsAQuarterCounterClockwise() {
        const Image8 image{2, 2, 1, {1, 2, 3, 4}};
        QCOMPARE(rotate(image, 90, Interpolation::Nearest, kGreyFill).pixels, (std::vector<std::uint8_t>{2, 4, 1, 3}));
    }

    void averagesWhenShrinking() {
        const Image8 image{4, 4, 1, {0, 0, 100, 100, 0, 0, 100, 100, 200, 200, 50, 50, 200, 200, 50, 50}};
        const Image8 small = resize(image, 1, 1, Interpolation::Bilinear);
        QVERIFY(std::abs(int(small.pixels[0]) - 87) <= 1);
    }

    void drawsTheSameForTheSameKeys() {
        Image8 image{32, 32, 3, {}};
        for (int i = 0; i < 3072; ++i) image.pixels.push_back(static_cast<std::uint8_t>(i * 37 % 251));
        int changed = 0;
        for (int row = 0; row < 50; ++row) {
            SampleRng first(7, 3, row), second(7, 3, row), other(7, 4, row);
            const Image8 a = autoAugmentCifar10(image, first), b = autoAugmentCifar10(image, second), c = autoAugmentCifar10(image, other);
            QCOMPARE(a.pixels, b.pixels);
            changed += a.pixels != c.pixels;
            SampleRng third(7, 3, row), fourth(7, 3, row);
            QCOMPARE(randAugment(image, kGreyFill, third).pixels, randAugment(image, kGreyFill, fourth).pixels);
            QCOMPARE(randomResizedCrop(image, 32, 0.8, third).pixels.size(), std::size_t(3072));
        }
        QVERIFY(changed > 25);
    }

    void drawsBetaWithItsMean() {
        double sum = 0, squares = 0;
        for (int i = 0; i < 4000; ++i) {
            SampleRng rng(1, 2, i);
            const double value = rng.beta(0.8, 0.8);
            QVERIFY(value >= 0 && value <= 1);
            sum += value;
            squares += value * value;
        }
        const double mean = sum / 4000, variance = squares / 4000 - mean * mean;
        QVERIFY(std::fabs(mean - 0.5) < 0.02);
        QVERIFY(std::fabs(variance - 1.0 / (4 * (2 * 0.8 + 1))) < 0.01);
    }
};

QTEST_GUILESS_MAIN(TestAugment)
#include "tst_augment.moc"
