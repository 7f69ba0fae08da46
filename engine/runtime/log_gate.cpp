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

/// "Free some space on that disk and try again": trying is what the button does.
std::string whatToDo(const std::string& remedy) {
    const auto end = remedy.rfind(" and try again");
    return remedy.empty() ? "Check that disk" : remedy.substr(0, end);
}

}  // namespace

bool gateWithLog(RunSinks& sinks, Job& job) {
    const bool isAttended = job.isAttended();
    while (const auto trouble = sinks.logTrouble()) {
        auto cause = trouble->error;
        cause.what += "; " + sizeText(trouble->waitingBytes) + " wait in memory and nothing is lost";
        cause.remedy = whatToDo(cause.remedy) + (isAttended ? " and press Resume" : "; the run then goes on by itself");
        job.requestPause(std::move(cause));
        const bool goesOn = isAttended ? job.gate() : job.gate([&sinks] { return !sinks.logTrouble(); });
        if (!goesOn) return false;
        (void)sinks.flush();  // what still fails pauses again
    }
    return job.gate();
}

}  // namespace espalier::runtime
