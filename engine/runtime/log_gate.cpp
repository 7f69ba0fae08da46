#include "engine/runtime/log_gate.h"

#include <cstdio>

namespace espalier::runtime {
namespace {

std::string sizeText(std::size_t bytes) {
    char text[32];
    if (bytes < 1'000'000) std::snprintf(text, sizeof text, "%.1f kB", double(bytes) / 1e3);
    else std::snprintf(text, sizeof text, "%.1f MB", double(bytes) / 1e6);
    return text;
}

}  // namespace

bool gateWithLog(RunSinks& sinks, Job& job) {
    const bool isAttended = job.isAttended();
    while (const auto trouble = sinks.logTrouble()) {
        auto cause = trouble->error;
        cause.what += "; " + sizeText(trouble->waitingBytes) + " wait in memory and nothing is lost";
        cause.remedy = (cause.remedy.empty() ? "Check that disk" : "Free some space on that disk") +
                       std::string(isAttended ? " and press Resume" : "; the run then goes on by itself");
        job.requestPause(std::move(cause));
        const bool goesOn = isAttended ? job.gate() : job.gate([&sinks] { return !sinks.logTrouble(); });
        if (!goesOn) return false;
        (void)sinks.flush();  // what still fails pauses again
    }
    return job.gate();
}

}  // namespace espalier::runtime
