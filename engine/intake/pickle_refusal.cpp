#include "engine/intake/pickle_refusal.h"

#include <algorithm>
#include <cctype>
#include <string>

namespace espalier::intake {

namespace {

std::string lowerSuffix(const std::filesystem::path& path) {
    std::string suffix = path.extension().string();
    std::transform(suffix.begin(), suffix.end(), suffix.begin(), [](unsigned char c) { return char(std::tolower(c)); });
    return suffix;
}

bool isTorchSuffix(const std::string& suffix) { return suffix == ".pt" || suffix == ".pth" || suffix == ".ckpt"; }

}  // namespace

bool isPickle(const std::filesystem::path& path, std::string_view head) {
    const std::string suffix = lowerSuffix(path);
    if (isTorchSuffix(suffix) || suffix == ".pkl" || suffix == ".pickle" || suffix == ".joblib") return true;
    if (head.size() < 2) return false;
    // PROTO opcode with protocol 2 to 5, then an opcode that can start a value.
    if (head[0] == '\x80' && head[1] >= 2 && head[1] <= 5 && head.size() > 2 && std::string_view("}](c\x95\x8c.NXU)KJM").find(head[2]) != std::string_view::npos)
        return true;
    return head.substr(0, 2) == "PK" && head.substr(0, 256).find("/data.pkl") != std::string_view::npos;
}

Error pickleError(const std::filesystem::path& path) {
    Error error;
    error.code = ErrorCode::Unsupported;
    error.where = path.string();
    error.what = isTorchSuffix(lowerSuffix(path))
                     ? "is a PyTorch file (torch.save), which is a Python pickle; pickles are never unpacked because they can run any program"
                     : "is a Python pickle, which is never unpacked because it can run any program";
    error.remedy = "Save the arrays with numpy.savez (.npz) or as safetensors";
    return error;
}

}  // namespace espalier::intake
