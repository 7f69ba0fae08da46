#include "app/shell/stall_watch.h"

#include <QPushButton>
#include <QVBoxLayout>

#include "app/shell/error_presenter.h"
#include "app/shell/loop_watchdog.h"
#include "engine/base/clock.h"
#include "engine/base/log.h"
#include "widgets/controls/messages.h"
#include "widgets/theme/format.h"
#include "widgets/theme/theme.h"

namespace espalier::app {

namespace format = widgets::format;
using widgets::Banner;

namespace {
constexpr int kLookMs = 1000;
}

StallWatch::StallWatch(AppContext& context, const LoopWatchdog& watchdog, QVBoxLayout* banners, QObject* parent)
    : QObject(parent), m_context(context), m_banners(banners) {
    m_timer.setInterval(kLookMs);
    connect(&m_timer, &QTimer::timeout, this, &StallWatch::look);
    m_timer.start();
    connect(&watchdog, &LoopWatchdog::blocked, this, &StallWatch::windowBlocked);
}

const JobRow* StallWatch::stalledJob(double* secs) const {
    const double now = steadySecs();
    for (const JobRow& job : m_context.bridge->jobs().rows()) {
        const bool isAtWork = job.state == feed::JobState::Running || job.state == feed::JobState::Stopping;
        if (!isAtWork && job.state != feed::JobState::Preparing) continue;
        // The engine's heart beats for the job that trains; imports and preparations only report.
        const bool beats = isAtWork && job.kind != QStringLiteral("import");
        *secs = beats ? m_context.engine->secsSinceHeartbeat() : job.signSecs > 0 ? now - job.signSecs : 0;
        if (*secs > (beats ? m_limits.stepSecs : m_limits.reportSecs)) return &job;
    }
    return nullptr;
}

void StallWatch::look() {
    double secs = 0;
    const JobRow* job = stalledJob(&secs);
    if (job && job->id == m_dismissed) return;
    if (job) return show(*job, secs);
    m_dismissed = 0;
    if (m_banner) {
        ESPALIER_LOG(Info, "window") << "the job goes on";
    }
    delete m_banner;
    m_shown = 0;
    m_shownText.clear();
}

void StallWatch::show(const JobRow& job, double secs) {
    const QString what = tr("%1 has given no sign of life for %2").arg(job.title, format::duration(secs));
    QString last = job.stage.isEmpty() ? widgets::theme().stateLook(job.state).label : job.stage;
    if (job.total > 0) last += tr(", %1 of %2").arg(format::count(job.done), format::count(job.total));
    const QString detail = tr("The last thing it did: %1. What is logged is kept; a very long step looks the same.").arg(last);
    m_shownText = what + QStringLiteral(". ") + detail;
    if (m_banner && m_shown == job.id) {
        m_banner->setTexts(what, detail);
        m_banner->setCopyText(m_shownText);
        return;
    }
    delete m_banner;
    m_shown = job.id;
    ESPALIER_LOG(Warning, "window") << m_shownText.toStdString();
    m_banner = new Banner(Banner::Kind::Warning, what, detail);
    m_banner->setCopyText(m_shownText);
    if (feed::canStop(job.state))
        connect(m_banner->addRemedy(tr("Stop the job")), &QPushButton::clicked, this, [this, id = job.id] { m_context.engine->stop(id); });
    connect(m_banner->addRemedy(tr("Show log")), &QPushButton::clicked, this, &StallWatch::logWanted);
    connect(m_banner, &Banner::closed, this, [this, id = job.id] { m_dismissed = id; });
    m_banners->insertWidget(0, m_banner);
}

QString StallWatch::bannerText() const { return m_banner ? m_shownText : QString(); }

void StallWatch::windowBlocked(double ms) {
    if (ms < m_limits.loopMs || !m_context.errors) return;
    const QString secs = format::fixed(ms / 1000, 1);
    const QString what = tr("The window did not answer for %1 s").arg(secs);
    const QString after = m_lastAct.isEmpty() ? QString() : tr("after: %1").arg(m_lastAct);
    ESPALIER_LOG(Warning, "window") << what.toStdString() << ' ' << after.toStdString();
    m_context.errors->toast(what, after, QStringLiteral("warning"));
}

}  // namespace espalier::app
