#pragma once

#include <functional>
#include <sstream>
#include <string>

namespace espalier {

enum class LogLevel { Trace, Debug, Info, Warning, Error };

/// One line of the program's log, as every sink sees it.
struct LogRecord {
    LogLevel level = LogLevel::Info;
    const char* category = "";
    std::string text;
    double unixSecs = 0.0;
};

/// Adds a sink for the life of the process; called on the logging thread, must not block or log.
void addLogSink(std::function<void(const LogRecord&)> sink);
/// Lowest level that is written to standard error (default Warning; ESPALIER_LOG_LEVEL overrides).
void setStderrLogLevel(LogLevel level);
bool isLogged(LogLevel level);
void writeLog(LogLevel level, const char* category, std::string text);

/// Collects one line and hands it over when it goes out of scope.
class LogLine {
public:
    LogLine(LogLevel level, const char* category) : m_level(level), m_category(category) {}
    LogLine(const LogLine&) = delete;
    LogLine& operator=(const LogLine&) = delete;
    ~LogLine() { writeLog(m_level, m_category, m_text.str()); }
    template <class T>
    LogLine& operator<<(const T& value) {
        m_text << value;
        return *this;
    }

private:
    LogLevel m_level;
    const char* m_category;
    std::ostringstream m_text;
};

}  // namespace espalier

#define ESPALIER_LOG(level, category)                                \
    if (!::espalier::isLogged(::espalier::LogLevel::level)) {       \
    } else                                                           \
        ::espalier::LogLine(::espalier::LogLevel::level, category)
