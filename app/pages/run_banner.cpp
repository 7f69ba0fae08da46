#include "app/pages/run_banner.h"

#include <QPushButton>
#include <QVBoxLayout>

#include <algorithm>
#include <cmath>

#include "widgets/controls/messages.h"
#include "widgets/theme/format.h"
#include "widgets/theme/metrics.h"

namespace espalier::app {

using widgets::Banner;
namespace format = widgets::format;
namespace metrics = widgets::metrics;

RunBanner::RunBanner(AppContext& context, QWidget* parent) : QWidget(parent), m_context(context) {
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(metrics::kPagePadding, metrics::kSpace8, metrics::kPagePadding, metrics::kSpace4);
    hide();
    const auto ifMine = [this](quint64, const QString& run) { if (run == m_run) refresh(); };
    connect(context.bridge, &EngineBridge::jobStateChanged, this, ifMine);
    connect(context.bridge, &EngineBridge::pointsAppended, this, [this](const QString& run) {
        if (run == m_run && m_banner) refresh();  // the broken point may come after the pause
    });
}

void RunBanner::setRun(const QString& run) {
    m_run = run;
    refresh();
}

// The newest point that is no number, over all series of the run; the loss wins a tie.
QString RunBanner::place() const {
    const widgets::SeriesStore& store = m_context.bridge->series();
    std::int64_t newest = -1;
    QString found;
    for (const QString& name : store.names(m_run)) {
        const widgets::Series* series = store.find(m_run, name);
        if (!series) continue;
        const auto at = std::find_if(series->values.rbegin(), series->values.rend(), [](double value) { return !std::isfinite(value); });
        if (at == series->values.rend()) continue;
        const auto index = static_cast<std::size_t>(series->values.rend() - at) - 1;
        const std::int64_t step = series->steps[index];
        if (step < newest || (step == newest && !name.endsWith(QStringLiteral("loss")))) continue;
        newest = step;
        found = tr("%1 is %2 at step %3").arg(name, std::isnan(*at) ? tr("NaN") : tr("infinite"), format::count(step));
    }
    return found;
}

void RunBanner::refresh() {
    const JobRow* job = m_context.bridge->jobs().findByRun(m_run);
    const bool isWrong = job && job->state == feed::JobState::Paused && !job->trouble.what.empty();
    if (!isWrong) {
        delete m_banner;
        m_shown.clear();
        return hide();
    }
    const QString what = tr("%1 paused: %2").arg(job->title, format::text(job->trouble.what));
    // The engine names series and step where it knows them; else the log does.
    QString detail = what.contains(QStringLiteral(" at step ")) ? QString() : place();
    if (!job->trouble.remedy.empty()) detail += (detail.isEmpty() ? QString() : QStringLiteral(". ")) + format::text(job->trouble.remedy);
    if (!detail.endsWith(u'.')) detail += u'.';
    const QString shown = what + QStringLiteral(". ") + detail;
    if (shown == m_shown) return;  // on screen, or closed by the user
    m_shown = shown;
    delete m_banner;
    m_banner = new Banner(Banner::Kind::Error, what, detail, this);
    m_banner->setCopyText(shown);
    connect(m_banner->addRemedy(tr("Resume")), &QPushButton::clicked, this, [this, id = job->id] { m_context.engine->resume(id); });
    connect(m_banner->addRemedy(tr("Stop")), &QPushButton::clicked, this, [this, id = job->id] { m_context.engine->stop(id); });
    connect(m_banner, &Banner::closed, this, &QWidget::hide);
    layout()->addWidget(m_banner);
    show();
}

QString RunBanner::text() const { return m_shown; }

}  // namespace espalier::app
