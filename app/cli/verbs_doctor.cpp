#include <cstdio>

#include "app/cli/verbs.h"

namespace espalier::cli {
namespace {

nlohmann::ordered_json machineJson(const runtime::MachineReport& machine) {
    return {{"version", machine.version}, {"torch", machine.torchVersion}, {"libtorch", machine.libtorchFolder},
            {"blas", machine.blas}, {"cpu_capability", machine.cpuCapability}, {"cpu", machine.cpuName},
            {"cores", machine.cores}, {"threads", machine.torchThreads}, {"memory", machine.memoryBytes},
            {"cuda", {{"libraries", machine.hasCudaLibraries}, {"driver", machine.hasCudaDriver},
                      {"usable", machine.isCudaUsable}, {"text", machine.cudaText},
                      {"missing", machine.missingGpuWheels}, {"command", machine.gpuCommand}}},
            {"devices", machine.devices}};
}

void printGpu(const runtime::MachineReport& machine) {
    if (machine.missingGpuWheels.empty()) {
        std::printf("    LibTorch's GPU libraries are all there\n");
        return;
    }
    std::printf("    LibTorch's GPU part still needs");
    for (const auto& wheel : machine.missingGpuWheels) std::printf(" %s", wheel.c_str());
    std::printf("\n    This brings it: %s\n", machine.gpuCommand.c_str());
}

Result<int> doctorVerb(Session& session, bool isGpu) {
    ESPALIER_TRY(auto* engine, session.engine());
    const auto machine = engine->machine();
    if (session.isJson()) {
        auto json = machineJson(machine);
        json["workspace"] = engine->workspace().folder().string();
        json["modules"] = modulesJson(session);
        printJson(json);
        return kDone;
    }
    std::printf("Espalier %s, LibTorch %s in %s\n", machine.version.c_str(), machine.torchVersion.c_str(),
                machine.libtorchFolder.c_str());
    std::printf("CPU %s, %d cores, %s, BLAS %s, %s memory\n", machine.cpuName.c_str(), machine.cores,
                machine.cpuCapability.c_str(), machine.blas.c_str(), bytesText(machine.memoryBytes).c_str());
    std::printf("GPU %s\n", machine.cudaText.c_str());
    if (isGpu) printGpu(machine);
    else if (machine.hasCudaDriver && !machine.isCudaUsable) std::printf("    espalier-cli doctor --gpu says what is missing\n");
    std::printf("Recipes %zu\n", engine->registry().cards().size());
    for (const auto& module : session.modules())
        std::printf("    module %s  %s\n", module.file.c_str(),
                    module.error ? "left out" : (std::to_string(module.recipes.size()) + " more").c_str());
    std::printf("Workspace %s\n", engine->workspace().folder().c_str());
    return kDone;
}

}  // namespace

nlohmann::ordered_json modulesJson(const Session& session) {
    auto array = nlohmann::ordered_json::array();
    for (const auto& module : session.modules()) {
        nlohmann::ordered_json json{{"file", module.file.string()}, {"recipes", module.recipes}};
        if (module.error) json.update(errorJson(*module.error));
        array.push_back(std::move(json));
    }
    return array;
}

void addDoctorVerb(CLI::App& program, Action& action) {
    auto* doctor = program.add_subcommand("doctor", "What this machine offers and what is missing");
    auto isGpu = std::make_shared<bool>(false);
    doctor->add_flag("--gpu", *isGpu, "Say which GPU libraries are missing and the command that brings them");
    doctor->callback([&action, isGpu] {
        action = [isGpu](Session& session) { return guarded(session, [&] { return doctorVerb(session, *isGpu); }); };
    });
}

}  // namespace espalier::cli
