#include <algorithm>
#include <cctype>
#include <cmath>

#include <nlohmann/json.hpp>

#include "engine/nn/compact_transformer.h"

namespace espalier::nn {
namespace {

std::int64_t convStride(std::int64_t kernel) { return std::max<std::int64_t>(1, kernel / 2 - 1); }
std::int64_t convPadding(std::int64_t kernel) { return std::max<std::int64_t>(1, kernel / 2); }
std::int64_t convOutput(std::int64_t side, std::int64_t kernel) {
    return (side + 2 * convPadding(kernel) - kernel) / convStride(kernel) + 1;
}
std::int64_t poolOutput(std::int64_t side) { return (side - 1) / 2 + 1; }  // 3 wide, stride 2, padding 1

std::string lowered(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return char(std::tolower(c)); });
    return text;
}

struct WidthOfDepth {
    std::int64_t width, heads, ratio;
};
std::optional<WidthOfDepth> widthOfDepth(std::int64_t layers) {
    switch (layers) {
        case 2:
        case 4: return WidthOfDepth{128, 2, 1};
        case 6:
        case 7:
        case 8: return WidthOfDepth{256, 4, 2};
        case 14: return WidthOfDepth{384, 6, 3};
        default: return std::nullopt;
    }
}

}  // namespace

const char* familyName(CompactFamily family) {
    return family == CompactFamily::VitLite ? "ViT-Lite" : family == CompactFamily::Cvt ? "CVT" : "CCT";
}

std::int64_t CompactConfig::gridSide() const {
    if (family != CompactFamily::Cct) return kernel > 0 ? imageSize / kernel : 0;
    auto side = imageSize;
    for (std::int64_t i = 0; i < convs; ++i) side = poolOutput(convOutput(side, kernel));
    return side;
}

double CompactConfig::jump() const {
    if (family != CompactFamily::Cct) return double(kernel);
    return std::pow(2.0 * double(convStride(kernel)), double(convs));
}

double CompactConfig::offset() const { return family == CompactFamily::Cct ? 0.0 : double(kernel - 1) / 2.0; }

double CompactConfig::field() const {
    if (family != CompactFamily::Cct) return double(kernel);
    double field = 1.0, step = 1.0;
    for (std::int64_t i = 0; i < convs; ++i) {
        field += double(kernel - 1) * step;
        step *= double(convStride(kernel));
        field += 2.0 * step;
        step *= 2.0;
    }
    return field;
}

std::int64_t CompactConfig::parameterCount() const {
    const auto hidden = mlpRatio * width;
    std::int64_t count = 0;
    if (family == CompactFamily::Cct) {
        std::int64_t in = channels;
        for (std::int64_t i = 0; i < convs; ++i) {
            const auto out = i + 1 == convs ? width : innerPlanes;
            count += in * out * kernel * kernel;
            in = out;
        }
    } else {
        count += channels * width * kernel * kernel + width;
    }
    const std::int64_t classTokens = hasClassToken() ? 1 : 0;
    if (positional == PositionalKind::Learnable) count += (tokens() + classTokens) * width;
    count += classTokens * width;
    count += layers * (4 * width + 3 * width * width + width * width + width + 2 * width * hidden + hidden + width);
    count += 2 * width;                              // final norm
    if (!hasClassToken()) count += width + 1;        // pooling
    return count + width * classes + classes;
}

/// Products with weights; the 2·N²·D of attention's own products are left out, as the paper's figures do.
std::int64_t CompactConfig::macsPerImage() const {
    std::int64_t macs = 0;
    if (family == CompactFamily::Cct) {
        auto side = imageSize;
        std::int64_t in = channels;
        for (std::int64_t i = 0; i < convs; ++i) {
            const auto out = i + 1 == convs ? width : innerPlanes;
            side = convOutput(side, kernel);
            macs += side * side * in * out * kernel * kernel;
            side = poolOutput(side);
            in = out;
        }
    } else {
        macs += tokens() * channels * width * kernel * kernel;
    }
    const auto sequence = tokens() + (hasClassToken() ? 1 : 0);
    macs += layers * sequence * (4 * width * width + 2 * mlpRatio * width * width);
    if (!hasClassToken()) macs += sequence * width;
    return macs + width * classes;
}

Result<void> CompactConfig::check() const {
    const auto bad = [](const std::string& what, const std::string& where, const std::string& remedy) -> Result<void> {
        return fail(ErrorCode::BadInput, what, where, remedy);
    };
    if (width % heads != 0)
        return bad(std::to_string(width) + " wide cannot be divided among " + std::to_string(heads) + " heads", "heads",
                   "Choose a width that is a multiple of the heads");
    if (family != CompactFamily::Cct && imageSize % kernel != 0)
        return bad("images of " + std::to_string(imageSize) + " px cannot be cut into patches of " + std::to_string(kernel),
                   "kernel", "Choose a patch size that divides the image size, or CCT, which has no such limit");
    if (gridSide() < 1)
        return bad("images of " + std::to_string(imageSize) + " px leave no token after " + std::to_string(convs) + " stages",
                   "convs", "Use fewer stages or larger images");
    if (classes < 2)
        return bad("a classifier needs at least two classes, the data has " + std::to_string(classes), "data",
                   "Import data with two or more classes");
    return {};
}

std::string CompactConfig::toJson() const {
    const nlohmann::json json{{"family", familyName(family)}, {"layers", layers}, {"width", width}, {"heads", heads},
                              {"mlp_ratio", mlpRatio}, {"kernel", kernel}, {"convs", convs},
                              {"inner_planes", innerPlanes}, {"image_size", imageSize}, {"channels", channels},
                              {"classes", classes}, {"positional", positionalName(positional)},
                              {"stochastic_depth", stochasticDepth}, {"dropout", dropout},
                              {"attention_dropout", attentionDropout}};
    return json.dump();
}

Result<CompactConfig> CompactConfig::fromJson(const std::string& text) {
    const auto json = nlohmann::json::parse(text, nullptr, false);
    const auto broken = fail(ErrorCode::Corrupt, "the description of the model cannot be read", "espalier.architecture");
    if (!json.is_object()) return broken;
    try {
        CompactConfig config;
        const auto family = json.at("family").get<std::string>();
        config.family = family == "ViT-Lite" ? CompactFamily::VitLite : family == "CVT" ? CompactFamily::Cvt : CompactFamily::Cct;
        json.at("layers").get_to(config.layers);
        json.at("width").get_to(config.width);
        json.at("heads").get_to(config.heads);
        json.at("mlp_ratio").get_to(config.mlpRatio);
        json.at("kernel").get_to(config.kernel);
        json.at("convs").get_to(config.convs);
        json.at("inner_planes").get_to(config.innerPlanes);
        json.at("image_size").get_to(config.imageSize);
        json.at("channels").get_to(config.channels);
        json.at("classes").get_to(config.classes);
        const auto positional = json.at("positional").get<std::string>();
        config.positional = positional == "sine" ? PositionalKind::Sine
                            : positional == "none" ? PositionalKind::None : PositionalKind::Learnable;
        json.at("stochastic_depth").get_to(config.stochasticDepth);
        json.at("dropout").get_to(config.dropout);
        json.at("attention_dropout").get_to(config.attentionDropout);
        // The numbers come from a file: hold them to what a model of this kind can be before anything is allocated.
        const auto isIn = [](std::int64_t value, std::int64_t low, std::int64_t high) { return value >= low && value <= high; };
        if (!isIn(config.layers, 1, 64) || !isIn(config.width, 1, 4096) || !isIn(config.heads, 1, 64) ||
            !isIn(config.mlpRatio, 1, 16) || !isIn(config.kernel, 1, 64) || !isIn(config.convs, 1, 8) ||
            !isIn(config.innerPlanes, 1, 4096) || !isIn(config.imageSize, 1, 2048) || !isIn(config.channels, 1, 16) ||
            !isIn(config.classes, 1, 1000000))
            return broken;
        ESPALIER_CHECK_OK(config.check());
        return config;
    } catch (const nlohmann::json::exception&) {
        return broken;
    }
}

const std::vector<std::string>& compactVariantNames() {
    static const std::vector<std::string> names = {
        "CCT-2/3x2", "CCT-4/3x2", "CCT-6/3x1", "CCT-6/3x2", "CCT-7/3x1", "CCT-7/3x2", "CCT-7/7x2", "CCT-14/7x2",
        "CVT-2/4", "CVT-4/4", "CVT-6/4", "CVT-7/4", "CVT-8/4", "ViT-Lite-2/4", "ViT-Lite-4/4", "ViT-Lite-6/4",
        "ViT-Lite-7/4", "cct_desk", "cvt_desk", "vit_lite_desk"};
    return names;
}

std::optional<CompactConfig> namedCompactConfig(const std::string& name, CompactConfig base) {
    const auto& known = compactVariantNames();
    const auto text = lowered(name);
    if (std::none_of(known.begin(), known.end(), [&](const auto& each) { return lowered(each) == text; })) return std::nullopt;
    if (text.find("_desk") != std::string::npos) {
        base.layers = 2, base.width = 64, base.heads = 2, base.mlpRatio = 1, base.innerPlanes = 32;
        if (text == "cct_desk") base.family = CompactFamily::Cct, base.kernel = 3, base.convs = 2;
        else base.family = text == "cvt_desk" ? CompactFamily::Cvt : CompactFamily::VitLite, base.kernel = 4, base.convs = 1;
        return base;
    }
    base.family = text.rfind("cct", 0) == 0 ? CompactFamily::Cct
                  : text.rfind("cvt", 0) == 0 ? CompactFamily::Cvt : CompactFamily::VitLite;
    const auto slash = text.find('/');
    const auto dash = text.rfind('-', slash);
    base.layers = std::stoll(text.substr(dash + 1, slash - dash - 1));
    const auto sizes = widthOfDepth(base.layers);
    base.width = sizes->width, base.heads = sizes->heads, base.mlpRatio = sizes->ratio;
    base.kernel = std::stoll(text.substr(slash + 1));
    base.innerPlanes = 64;
    const auto cross = text.find('x', slash);
    base.convs = cross == std::string::npos ? 1 : std::stoll(text.substr(cross + 1));
    return base;
}

}  // namespace espalier::nn
