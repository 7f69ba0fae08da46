#include "engine/runlog/durable_journal.h"

namespace espalier::runlog {
namespace {
constexpr std::size_t kMaxWritten = 64u << 20;  // more than this in memory: the logger waits for the disk
}

Result<void> DurableJournal::heal() {
    std::string frames;
    frames.reserve(m_writtenBytes);
    for (const auto& piece : m_written) frames += piece.frames;
    ESPALIER_CHECK_OK(m_journal.writeAgain(frames));
    return sync();
}

Result<void> DurableJournal::write(std::uint64_t number) {
    if (!m_journal.isTrusted()) ESPALIER_CHECK_OK(heal());
    if (m_waiting.empty()) return {};
    const auto segment = m_journal.segment();
    ESPALIER_CHECK_OK(m_journal.append(m_waiting));
    if (m_journal.segment() != segment) {  // the segment before was synced when it was left
        m_written.clear();
        m_writtenBytes = 0;
    }
    m_writtenBytes += m_waiting.size();
    m_written.push_back({std::move(m_waiting), number});
    m_waiting.clear();
    return m_writtenBytes > kMaxWritten ? sync() : Result<void>{};
}

Result<void> DurableJournal::sync() {
    ESPALIER_CHECK_OK(m_journal.sync());
    m_written.clear();
    m_writtenBytes = 0;
    return {};
}

void DurableJournal::durableUpTo(std::uint64_t number) {
    while (!m_written.empty() && m_written.front().number <= number) {
        m_writtenBytes -= m_written.front().frames.size();
        m_written.pop_front();
    }
}

}  // namespace espalier::runlog
