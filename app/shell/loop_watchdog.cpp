#include "app/shell/loop_watchdog.h"

#include <algorithm>

#include "engine/base/log.h"

namespace espalier::app {

namespace {
constexpr int kTickMs = 5;
constexpr double kKeptMs = 20, kReportedMs = 50;
}  // namespace

LoopWatchdog::LoopWatchdog(QObject* parent) : QObject(parent) {
    m_timer.setTimerType(Qt::PreciseTimer);
    m_timer.setInterval(kTickMs);
    connect(&m_timer, &QTimer::timeout, this, &LoopWatchdog::tick);
}

void LoopWatchdog::start() {
    reset();
    m_timer.start();
}

void LoopWatchdog::stop() { m_timer.stop(); }

void LoopWatchdog::reset() {
    m_maxBlockMs = 0;
    m_blocks.clear();
    m_clock.start();
}

int LoopWatchdog::blocksOver(int ms) const {
    return static_cast<int>(std::count_if(m_blocks.begin(), m_blocks.end(), [ms](double block) { return block > ms; }));
}

void LoopWatchdog::tick() {
    const double block = static_cast<double>(m_clock.nsecsElapsed()) / 1e6 - kTickMs;
    m_clock.start();
    m_maxBlockMs = std::max(m_maxBlockMs, block);
    if (block > kKeptMs) m_blocks.append(block);
    if (block > kReportedMs) {
        ESPALIER_LOG(Debug, "window") << "event loop blocked for " << block << " ms";
        Q_EMIT blocked(block);
    }
}

}  // namespace espalier::app
