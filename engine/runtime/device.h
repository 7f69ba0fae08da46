#pragma once

#include <string>
#include <vector>

#include "engine/api/torch.h"
#include "engine/base/result.h"

namespace espalier::runtime {

/// What stands between this process and a GPU. Filled once, on first use.
struct CudaStatus {
    bool hasDriver = false;     ///< libcuda.so.1 can be opened
    bool hasLibraries = false;  ///< libtorch_cuda.so was loaded with all it needs
    bool isUsable = false;      ///< and a device answered
    int devices = 0;
    std::string text;           ///< one sentence
    std::vector<std::string> missingWheels;  ///< PyPI names
};

/// Loads libtorch_cuda.so beside libtorch_cpu.so when a driver is present. Call before the first torch work on the
/// engine thread; later calls return the first answer.
const CudaStatus& cudaStatus();
/// One line for a shell that brings the missing wheels beside this LibTorch, at the versions its own metadata pins.
/// Empty when none is missing.
std::string gpuInstallCommand(const CudaStatus& status, const std::string& libtorchFolder);
/// Folder of libtorch_cpu.so as the loader found it.
std::string libtorchFolder();

/// "auto", "cpu", "cuda" or "cuda:N" to a device of this machine: the one place where devices are chosen.
Result<at::Device> resolveDevice(const std::string& text);
std::string deviceText(const at::Device& device);
/// "cpu", "cuda:0 NVIDIA H200", …
std::vector<std::string> deviceList();

}  // namespace espalier::runtime
