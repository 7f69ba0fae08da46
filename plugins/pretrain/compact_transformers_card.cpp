#include "plugins/pretrain/compact_transformers.h"

namespace espalier::recipes::compact_transformers {

using api::boolean;
using api::choice;
using api::integer;
using api::real;
using std::string;

namespace {

std::vector<string> variants() {
    auto names = nn::compactVariantNames();
    names.push_back("custom");
    return names;
}

std::int64_t whole(std::int64_t value) { return value; }

api::ParamSchema schema() {
    const std::vector<string> custom{"custom"};
    return api::ParamSchema({
        choice("variant", "Model", "Layers / kernel x convolutions (CCT) or patch (CVT, ViT-Lite)", variants())
            .defaults(string("CCT-7/3x1"), string("cct_desk"), string("cct_desk")),
        choice("family", "Model", "Class token, sequence pooling, or pooling behind a convolutional tokenizer", {"CCT", "CVT", "ViT-Lite"})
            .defaults(string("CCT")).onlyWhen("variant", custom),
        integer("layers", "Model", "Encoder blocks").range(1, 24).defaults(whole(7), whole(2), whole(2)).onlyWhen("variant", custom),
        integer("width", "Model", "Width of a token").range(32, 768).defaults(whole(256), whole(64), whole(32)).onlyWhen("variant", custom),
        integer("heads", "Model", "Attention heads").range(1, 16).defaults(whole(4), whole(2), whole(2)).onlyWhen("variant", custom),
        integer("mlp_ratio", "Model", "Hidden width of the MLP over the width").named("MLP ratio").range(1, 4).defaults(whole(2), whole(1), whole(1)).onlyWhen("variant", custom),
        integer("kernel", "Model", "Convolution kernel (CCT) or patch side").in("px").range(1, 32).defaults(whole(3)).onlyWhen("variant", custom),
        integer("convs", "Model", "Stages of the convolutional tokenizer").range(1, 3).defaults(whole(1), whole(2), whole(2)).onlyWhen("variant", custom),
        integer("inner_planes", "Model", "Channels between tokenizer stages").range(8, 256).defaults(whole(64), whole(32), whole(32)).onlyWhen("variant", custom),
        choice("positional_embedding", "Model", "What tells tokens apart by place", {"learnable", "sine", "none"})
            .named("pos. embedding").defaults(string("learnable")),
        integer("image_size", "Model", "Side of the input; 0 = the data's own, at least 16").in("px").range(0, 512).defaults(whole(0)),
        real("stochastic_depth", "Model", "Drop rate of the last block's branches").named("stoch. depth").range(0, 0.5).defaults(0.1),
        real("dropout", "Model", "Dropout in the MLP and after attention").range(0, 0.9).defaults(0.0).advanced(),
        real("attention_dropout", "Model", "Dropout on attention weights").range(0, 0.9).defaults(0.1).advanced(),

        choice("recipe", "Training", "Schedule and augmentation", {"Q", "F", "custom"})
            .hints({"quick: AdamW, warm-up, cosine", "full recipe of the paper", "as set below"})
            .defaults(string("F"), string("Q"), string("Q")),
        integer("epochs", "Training", "Passes over the training data").range(1, 5000).defaults(whole(300), whole(10), whole(1)),
        integer("warmup", "Training", "Epochs of warm-up").in("epochs").range(0, 100).defaults(whole(10), whole(2), whole(0)),
        integer("cooldown", "Training", "Epochs at the lowest rate after the cosine (recipe F)").in("epochs").range(0, 100)
            .defaults(whole(10), whole(0), whole(0)).advanced(),
        integer("batch", "Training", "Images a step").range(1, 4096).defaults(whole(128), whole(64), whole(32)),
        real("lr", "Training", "Highest learning rate").range(1e-6, 1e-1).log().defaults(5.5e-4, 1e-3, 1e-3),
        real("min_lr", "Training", "Rate before warm-up and at the end (recipe F)").range(0, 1e-2).log().defaults(1e-5).advanced(),
        real("weight_decay", "Training", "Decoupled weight decay").range(0, 1).defaults(6e-2, 3e-2, 3e-2),
        choice("decay_scope", "Training", "Which weights decay", {"auto", "all", "no_1d"})
            .hints({"all for Q, no biases and norms for F", "every weight", "biases and norms spared"}).defaults(string("auto")).advanced(),
        real("label_smoothing", "Training", "Share of the target spread over all classes").range(0, 0.5).defaults(0.1),
        real("clip", "Training", "Largest gradient norm; 0 is off").range(0, 100).defaults(0.0).advanced(),
        real("ema", "Training", "Decay of averaged weights; 0 is off").named("EMA").range(0, 0.99999).defaults(0.0).advanced(),
        integer("accumulation", "Training", "Batches a step").range(1, 64).defaults(whole(1)).advanced(),

        choice("augment", "Augmentation", "How training images are varied", {"auto", "none", "crop+flip", "autoaugment", "randaugment"})
            .hints({"by recipe; crop and flip at desk scale", "", "", "the CIFAR policy of recipe Q", "m9, two operations, std 0.5"})
            .defaults(string("auto")),
        choice("flip", "Augmentation", "Mirror half of the images", {"auto", "on", "off"})
            .hints({"off for grey images: digits and letters have no mirror", "", ""}).defaults(string("auto")),
        real("mixup", "Augmentation", "Mixup alpha; 0 is off").named("mixup α").range(0, 10).defaults(0.8, 0.0, 0.0),
        real("cutmix", "Augmentation", "Cutmix alpha; 0 is off").named("cutmix α").range(0, 10).defaults(1.0, 0.0, 0.0),
        integer("mixup_off", "Augmentation", "Epoch at which mixing ends; 0 keeps it on").named("mixup off at").in("epoch").range(0, 5000)
            .defaults(whole(175), whole(0), whole(0)),
        real("erasing", "Augmentation", "Probability of random erasing").range(0, 1).defaults(0.0).advanced(),

        integer("probes", "Watch", "Images whose attention is kept").named("attention probes").range(0, 64).defaults(whole(16), whole(16), whole(2)),
        integer("probe_every", "Watch", "Epochs between attention snapshots").in("epochs").range(1, 1000).defaults(whole(10), whole(1), whole(1)),
        integer("train_limit", "Run", "Train on the first N of the shuffled training images; 0 = all").range(0, 100000000)
            .defaults(whole(0), whole(0), whole(128)).advanced(),
        real("hold_out", "Run", "Share of the training images to validate on when the data has no valid part").range(0, 0.5)
            .defaults(0.1, 0.1, 0.0).advanced(),
        integer("checkpoint_every", "Run", "Steps between checkpoints; 0 = at epoch ends").in("steps").range(0, 1000000).defaults(whole(0)).advanced(),
        integer("log_every", "Run", "Steps between logged points").in("steps").range(1, 10000).defaults(whole(1)).advanced(),
        integer("loader_threads", "Run", "Threads that decode and augment").range(0, 16).defaults(whole(1)).advanced(),
    });
}

}  // namespace

api::RecipeCard card() {
    api::RecipeCard card;
    card.id = kId;
    card.name = "CompactTransformers";
    card.title = "Escaping the Big Data Paradigm with Compact Transformers";
    card.year = 2021;
    card.paperLink = "arXiv 2104.05704";
    card.codeLink = "github SHI-Labs/Compact-Transformers";
    card.about =
        "Small vision transformers that train from scratch on tens of thousands of images. Three models: ViT-Lite, CVT "
        "with sequence pooling in place of the class token, CCT with a convolutional tokenizer in place of patches.";
    card.kinds = {"pretrain", "finetune"};
    card.domains = {"image"};
    card.schema = schema();
    card.accepts = {api::DatasetKind::Images};
    card.parentKinds = {"pretrain"};
    card.outputs = {"train/*", "valid/*", "test/*", "probe/*", "attn/*"};
    card.claims = {{"CIFAR-10", "test/top1", "CIFAR-10 top-1", 0.9653, "CCT-7/3x1, 300 epochs", "README"},
                   {"CIFAR-100", "test/top1", "CIFAR-100 top-1", 0.8092, "CCT-7/3x1, 300 epochs", "README"}};
    card.deviations = {
        "sine and none embeddings are trained as named; the public code trains a learnable one for both",
        "channel statistics of the data set normalise the input, not CIFAR's constants",
        "the text models of the paper are not here yet",
        "images smaller than 16 px are enlarged to 16"};
    card.deskTime = "0:40";
    return card;
}

}  // namespace espalier::recipes::compact_transformers
