#pragma once

#include <QObject>
#include <QPointer>
#include <QTimer>

#include "app/bridge/app_context.h"

class QVBoxLayout;

namespace espalier::widgets {
class Banner;
}

namespace espalier::app {

class LoopWatchdog;

/// Says when something hangs: a job that gives no sign of life gets a banner with the last thing it did, which goes
/// when the job goes on; a window that did not answer says so afterwards. GUI thread.
class StallWatch : public QObject {
    Q_OBJECT
public:
    StallWatch(AppContext& context, const LoopWatchdog& watchdog, QVBoxLayout* banners, QObject* parent = nullptr);

    struct Limits {
        double stepSecs = 60;    ///< between two steps of a job at work
        double reportSecs = 180; ///< between two reports of an import or of preparing
        double loopMs = 2000;    ///< the window
    };
    void setLimits(const Limits& limits) { m_limits = limits; }
    /// What the user asked for last ("Page: Train"), told when the window hangs after it.
    void noteAct(const QString& words) { m_lastAct = words; }
    void look();
    QString bannerText() const;  ///< empty while nothing hangs

Q_SIGNALS:
    void logWanted();

private:
    const JobRow* stalledJob(double* secs) const;
    void show(const JobRow& job, double secs);
    void windowBlocked(double ms);

    AppContext& m_context;
    QVBoxLayout* m_banners;
    Limits m_limits;
    QTimer m_timer;
    QPointer<widgets::Banner> m_banner;
    feed::JobId m_shown = 0, m_dismissed = 0;
    QString m_shownText, m_lastAct;
};

}  // namespace espalier::app
