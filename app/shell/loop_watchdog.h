#pragma once

#include <QElapsedTimer>
#include <QObject>
#include <QTimer>

namespace espalier::app {

/// Measures how long the event loop of its thread was blocked: a timer of 5 ms that comes late by n means that
/// something held the loop for n. GUI thread.
class LoopWatchdog : public QObject {
    Q_OBJECT
public:
    explicit LoopWatchdog(QObject* parent = nullptr);

    void start();
    void stop();
    /// Longest block since start() or reset(), in milliseconds.
    double maxBlockMs() const { return m_maxBlockMs; }
    int blocksOver(int ms) const;
    void reset();

Q_SIGNALS:
    void blocked(double ms);  ///< longer than 50 ms

private:
    void tick();
    QTimer m_timer;
    QElapsedTimer m_clock;
    double m_maxBlockMs = 0;
    QList<double> m_blocks;  ///< those over 20 ms
};

}  // namespace espalier::app
