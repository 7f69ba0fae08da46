#include "engine/base/log.h"

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <vector>

namespace espalier {
namespace {

struct Sinks {
    std::mutex mutex;
    std::vector<std::function<void(const LogRecord&)>> list;
    std::atomic<LogLevel> stderrLevel{LogLevel::Warning};
    std::atomic<bool> hasSinks{false};
};

LogLevel levelFromEnvironment() {
    const char* name = std::getenv("ESPALIER_LOG_LEVEL");
    const std::string text = name ? name : "";
    if (text == "trace") return LogLevel::Trace;
    if (text == "debug") return LogLevel::Debug;
    if (text == "info") return LogLevel::Info;
    if (text == "error") return LogLevel::Error;
    return LogLevel::Warning;
}

Sinks& sinks() {
    static Sinks* instance = [] {
        auto* created = new Sinks;  // never destroyed: threads may log during exit
        created->stderrLevel = levelFromEnvironment();
        return created;
    }();
    return *instance;
}

const char* levelName(LogLevel level) {
    static const char* const names[] = {"trace", "debug", "info", "warning", "error"};
    return names[static_cast<int>(level)];
}

}  // namespace

void addLogSink(std::function<void(const LogRecord&)> sink) {
    std::lock_guard lock(sinks().mutex);
    sinks().list.push_back(std::move(sink));
    sinks().hasSinks = true;
}

void setStderrLogLevel(LogLevel level) { sinks().stderrLevel = level; }

bool isLogged(LogLevel level) {
    return level >= sinks().stderrLevel.load() || (level >= LogLevel::Info && sinks().hasSinks.load());
}

void writeLog(LogLevel level, const char* category, std::string text) {
    LogRecord record{level, category, std::move(text),
                     std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count()};
    std::lock_guard lock(sinks().mutex);
    if (level >= sinks().stderrLevel.load())
        std::fprintf(stderr, "%s: [%s] %s\n", levelName(level), category, record.text.c_str());
    for (const auto& sink : sinks().list) sink(record);
}

}  // namespace espalier
