#include "app/bridge/background_reads.h"

#include <QThread>

#include <algorithm>

namespace espalier::app {

BackgroundReads::BackgroundReads(QObject* parent) : QObject(parent) {
    // One HDF5 lock per process: more readers than two only wait for each other.
    m_pool.setMaxThreadCount(std::clamp(QThread::idealThreadCount() - 1, 1, 2));
    m_pool.setThreadPriority(QThread::LowPriority);
}

BackgroundReads::~BackgroundReads() {
    m_pool.clear();
    m_pool.waitForDone();
}

}  // namespace espalier::app
