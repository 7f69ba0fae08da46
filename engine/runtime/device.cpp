#include "engine/runtime/device.h"

#include <charconv>
#include <filesystem>
#include <fstream>
#include <set>
#include <string_view>

#include <dlfcn.h>

namespace espalier::runtime {
namespace {

// A library that libtorch_cuda.so asks for → the wheel that brings it. Names as in the wheel's own metadata (CUDA 13).
struct Wheel {
    const char* library;
    const char* package;
};
constexpr Wheel kWheels[] = {
    {"libcudart.so", "nvidia-cuda-runtime"},     {"libcupti.so", "nvidia-cuda-cupti"},
    {"libcublas.so", "nvidia-cublas"},           {"libcublasLt.so", "nvidia-cublas"},
    {"libcufft.so", "nvidia-cufft"},             {"libcusolver.so", "nvidia-cusolver"},
    {"libcusparse.so", "nvidia-cusparse"},
    {"libcusparseLt.so", "nvidia-cusparselt-cu13"}, {"libnvrtc.so", "nvidia-cuda-nvrtc"},
    {"libnvJitLink.so", "nvidia-nvjitlink"},     {"libcudnn.so", "nvidia-cudnn-cu13"},
    {"libnccl.so", "nvidia-nccl-cu13"},          {"libnvshmem_host.so", "nvidia-nvshmem-cu13"},
    {"libcufile.so", "nvidia-cufile"},
};

std::string wheelOf(const std::string& loaderMessage) {
    for (const auto& wheel : kWheels)
        if (loaderMessage.rfind(wheel.library, 0) == 0) return wheel.package;
    return {};
}

// What LibTorch's own metadata asks pip for on a GPU machine: "nvidia-cudnn-cu13==9.26.0.51", "cuda-toolkit[…]==13.2.2".
std::vector<std::string> gpuRequirements(const std::filesystem::path& torchLib) {
    std::vector<std::string> found;
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator(torchLib.parent_path().parent_path(), ignored)) {
        const auto name = entry.path().filename().string();
        if (name.rfind("torch-", 0) != 0 || entry.path().extension() != ".dist-info") continue;
        std::ifstream metadata(entry.path() / "METADATA");
        constexpr std::string_view kKey = "Requires-Dist: ";
        for (std::string line; std::getline(metadata, line);) {
            if (line.rfind(kKey, 0) != 0) continue;
            const auto wanted = line.substr(kKey.size(), line.find_first_of("; ", kKey.size()) - kKey.size());
            if (wanted.rfind("nvidia-", 0) == 0 || wanted.rfind("cuda-toolkit", 0) == 0) found.push_back(wanted);
        }
    }
    return found;
}

std::string quoted(const std::string& word) {
    constexpr std::string_view kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./=+";
    if (!word.empty() && word.find_first_not_of(kPlain) == std::string::npos) return word;
    std::string text = "'";
    for (const char c : word) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return text + "'";
}

// Which of the libraries lie in no wheel folder beside LibTorch, so that all gaps are reported at once.
std::vector<std::string> missingWheels(const std::filesystem::path& torchLib) {
    namespace fs = std::filesystem;
    std::set<std::string> present;
    std::error_code ignored;
    for (const auto& root : {torchLib.parent_path().parent_path() / "nvidia", torchLib})
        for (fs::recursive_directory_iterator it(root, fs::directory_options::skip_permission_denied, ignored), end;
             !ignored && it != end; it.increment(ignored)) {
            const auto name = it->path().filename().string();
            if (const auto dot = name.find(".so."); dot != std::string::npos) present.insert(name.substr(0, dot + 3));
        }
    std::vector<std::string> missing;
    for (const auto& wheel : kWheels)
        if (!present.count(wheel.library))
            if (missing.empty() || missing.back() != wheel.package) missing.push_back(wheel.package);
    return missing;
}

CudaStatus findCuda() {
    CudaStatus status;
    void* driver = ::dlopen("libcuda.so.1", RTLD_NOW | RTLD_GLOBAL);
    status.hasDriver = driver != nullptr;
    const auto folder = std::filesystem::path(libtorchFolder());
    std::error_code ignored;
    const bool hasTorchCuda = std::filesystem::exists(folder / "libtorch_cuda.so", ignored);
    if (!status.hasDriver) {
        status.text = "No NVIDIA driver was found, so everything runs on the CPU";
        if (hasTorchCuda) status.missingWheels = missingWheels(folder);
        return status;
    }
    if (!hasTorchCuda) {
        status.text = "The LibTorch in " + folder.string() + " was built without CUDA";
        return status;
    }
    if (!::dlopen((folder / "libtorch_cuda.so").c_str(), RTLD_NOW | RTLD_GLOBAL)) {
        const char* message = ::dlerror();
        const std::string reason = message ? message : "unknown reason";
        status.missingWheels = missingWheels(folder);
        if (const auto wheel = wheelOf(reason); !wheel.empty() && status.missingWheels.empty())
            status.missingWheels.push_back(wheel);
        status.text = "A driver is present, but LibTorch's CUDA part did not load: " + reason;
        return status;
    }
    status.hasLibraries = true;
    try {
        status.devices = static_cast<int>(torch::cuda::device_count());
    } catch (const std::exception& error) {
        status.text = std::string("The driver refused: ") + error.what();
        return status;
    }
    status.isUsable = status.devices > 0;
    status.text = status.isUsable ? std::to_string(status.devices) + (status.devices == 1 ? " GPU" : " GPUs") + " ready"
                                  : "The driver is loaded, but it shows no GPU to this process";
    return status;
}

}  // namespace

std::string gpuInstallCommand(const CudaStatus& status, const std::string& libtorchFolder) {
    if (status.missingWheels.empty()) return {};
    const std::filesystem::path torchLib = libtorchFolder;
    auto wanted = gpuRequirements(torchLib);
    if (wanted.empty()) {  // a LibTorch without its wheel's metadata: names without versions, and those already there
        for (const auto& wheel : kWheels)
            if (wanted.empty() || wanted.back() != wheel.package) wanted.push_back(wheel.package);
    }
    // --upgrade: with --target, pip keeps an existing "nvidia" folder as it is and installs nothing into it otherwise;
    // it replaces the folder as a whole, so everything is asked for, not only what is missing.
    std::string command = "python3 -m pip install --upgrade --target " + quoted(torchLib.parent_path().parent_path().string());
    for (const auto& each : wanted) command += " " + quoted(each);
    return command;
}

std::string libtorchFolder() {
    Dl_info info{};
    // Any function of libtorch_cpu will do; at::show_config is not inline.
    if (!::dladdr(reinterpret_cast<void*>(&at::show_config), &info) || !info.dli_fname) return {};
    std::error_code ignored;
    const auto path = std::filesystem::canonical(info.dli_fname, ignored);
    return (ignored ? std::filesystem::path(info.dli_fname) : path).parent_path().string();
}

const CudaStatus& cudaStatus() {
    static const CudaStatus status = findCuda();
    return status;
}

Result<at::Device> resolveDevice(const std::string& text) {
    if (text == "cpu") return at::Device(at::kCPU);
    if (text.empty() || text == "auto") return at::Device(cudaStatus().isUsable ? at::kCUDA : at::kCPU, cudaStatus().isUsable ? 0 : -1);
    if (text == "cuda" || text.rfind("cuda:", 0) == 0) {
        int index = 0;
        const auto number = text.size() > 5 ? text.substr(5) : std::string("0");
        const auto [end, code] = std::from_chars(number.data(), number.data() + number.size(), index);
        if (code != std::errc{} || end != number.data() + number.size() || index < 0)
            return fail(ErrorCode::BadInput, "\"" + text + "\" does not name a device", "device",
                        "Use auto, cpu or cuda:0");
        if (!cudaStatus().isUsable)
            return fail(ErrorCode::Unsupported, cudaStatus().text, "device",
                        "Use --device cpu, or see espalier-cli doctor --gpu");
        if (index >= cudaStatus().devices)
            return fail(ErrorCode::BadInput,
                        "there is no GPU number " + std::to_string(index) + ", only " +
                            std::to_string(cudaStatus().devices),
                        "device", "Count from 0");
        return at::Device(at::kCUDA, static_cast<at::DeviceIndex>(index));
    }
    return fail(ErrorCode::BadInput, "\"" + text + "\" does not name a device", "device", "Use auto, cpu or cuda:0");
}

std::string deviceText(const at::Device& device) {
    return device.is_cuda() ? "cuda:" + std::to_string(device.has_index() ? device.index() : 0) : "cpu";
}

std::vector<std::string> deviceList() {
    std::vector<std::string> devices{"cpu"};
    for (int i = 0; i < cudaStatus().devices; ++i) devices.push_back("cuda:" + std::to_string(i));
    return devices;
}

}  // namespace espalier::runtime
