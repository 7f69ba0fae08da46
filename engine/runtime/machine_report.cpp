#include "engine/runtime/machine_report.h"

#include <fstream>

#include <unistd.h>

#include <ATen/Version.h>
#include <ATen/native/DispatchStub.h>

#include "engine/api/torch.h"
#include "engine/runtime/device.h"
#include "engine/runtime/thread_setup.h"

namespace espalier::runtime {
namespace {

std::string cpuName() {
    std::ifstream file("/proc/cpuinfo");
    for (std::string line; std::getline(file, line);)
        if (line.rfind("model name", 0) == 0)
            if (const auto colon = line.find(": "); colon != std::string::npos) return line.substr(colon + 2);
    return "unknown CPU";
}

// "- Intel(R) oneAPI Math Kernel Library Version 2024.2-Product Build …" or what stands behind BLAS_INFO=.
std::string blasName(const std::string& config) {
    for (std::size_t start = 0; start < config.size();) {
        const auto end = std::min(config.find('\n', start), config.size());
        auto line = config.substr(start, end - start);
        if (line.find("Math Kernel Library") != std::string::npos && line.find("oneDNN") == std::string::npos &&
            line.find("Deep Neural") == std::string::npos) {
            const auto first = line.find_first_not_of(" -");
            const auto build = line.find("-Product");
            return line.substr(first, build == std::string::npos ? std::string::npos : build - first);
        }
        start = end + 1;
    }
    const auto info = config.find("BLAS_INFO=");
    if (info == std::string::npos) return "unknown";
    const auto end = config.find_first_of(", \n", info);
    return config.substr(info + 10, end - info - 10);
}

}  // namespace

MachineReport machineReport() {
    MachineReport report;
    report.version = ESPALIER_VERSION;
    report.torchVersion = TORCH_VERSION;
    const auto config = at::show_config();
    report.blas = blasName(config);
    report.cpuCapability = at::get_cpu_capability();
    report.cpuName = cpuName();
    report.cores = availableCores();
    report.torchThreads = at::get_num_threads();
    report.memoryBytes = static_cast<std::int64_t>(::sysconf(_SC_PHYS_PAGES)) * ::sysconf(_SC_PAGE_SIZE);
    const auto& cuda = cudaStatus();
    report.hasCudaLibraries = cuda.hasLibraries;
    report.hasCudaDriver = cuda.hasDriver;
    report.isCudaUsable = cuda.isUsable;
    report.cudaText = cuda.text;
    report.devices = deviceList();
    report.missingGpuWheels = cuda.missingWheels;
    report.gpuCommand = gpuInstallCommand(cuda, libtorchFolder());
    report.libtorchFolder = libtorchFolder();
    return report;
}

}  // namespace espalier::runtime
