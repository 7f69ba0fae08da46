#include "app/shell/jobs_dock.h"

#include <QHBoxLayout>
#include <QHeaderView>
#include <QLabel>
#include <QMenu>
#include <QPainter>
#include <QScrollArea>
#include <QStackedWidget>
#include <QStandardItemModel>
#include <QToolButton>
#include <QTreeView>
#include <QVBoxLayout>

#include <algorithm>

#include "app/shell/error_presenter.h"
#include "app/shell/job_row.h"
#include "app/shell/log_view.h"
#include "widgets/controls/controls.h"
#include "widgets/table/row_delegates.h"
#include "widgets/theme/format.h"
#include "widgets/theme/icons.h"
#include "widgets/theme/metrics.h"

namespace espalier::app {

namespace metrics = widgets::metrics;
using widgets::Color;
using widgets::Type;
using widgets::format::text;

namespace {

constexpr int kMostRows = 4;
constexpr int kTextTabHeight = 132;

// What the dock lists: jobs that live, and failures until they are cleared.
bool isListed(const JobRow& job) {
    return !feed::isFinal(job.state) || job.state == feed::JobState::Failed || job.state == feed::JobState::Interrupted;
}

}  // namespace

JobsDock::JobsDock(AppContext& context, QWidget* parent) : QWidget(parent), m_context(context) {
    setAccessibleName(tr("Jobs"));
    widgets::setGround(this, Color::Panel);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(0);
    m_header = makeHeader();
    layout->addWidget(m_header);
    m_stack = new QStackedWidget(this);
    layout->addWidget(m_stack, 1);

    m_rows = new QWidget;
    m_rowLayout = new QVBoxLayout(m_rows);
    m_rowLayout->setContentsMargins(0, 0, 0, 0);
    m_rowLayout->setSpacing(0);
    m_noJobs = widgets::makeLabel(tr("No job is running. Press Ctrl+N for a new run."), Type::Body, Color::Text3, m_rows);
    m_noJobs->setContentsMargins(12, 4, 12, 6);
    m_rowLayout->addWidget(m_noJobs);
    m_rowLayout->addStretch(1);
    m_rowArea = new QScrollArea(this);
    m_rowArea->setWidgetResizable(true);
    m_rowArea->setFrameShape(QFrame::NoFrame);
    m_rowArea->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    m_rowArea->setFocusPolicy(Qt::NoFocus);
    m_rowArea->setWidget(m_rows);
    m_rows->setAutoFillBackground(false);
    m_rowArea->viewport()->setAutoFillBackground(false);
    m_log = new LogView(this);
    auto* table = new QTreeView(this);
    m_warnings = new QStandardItemModel(this);
    m_warnings->setHorizontalHeaderLabels({tr("Job"), tr("File"), tr("Reason"), tr("Result")});
    table->setModel(m_warnings);
    table->setRootIsDecorated(false);
    table->setUniformRowHeights(true);
    table->setEditTriggers(QAbstractItemView::NoEditTriggers);
    table->setItemDelegate(new widgets::TableCellDelegate(table));
    table->setAccessibleName(tr("Warnings"));
    table->header()->setStretchLastSection(false);
    table->header()->setSectionResizeMode(2, QHeaderView::Stretch);
    table->header()->resizeSection(0, 160);
    table->header()->resizeSection(1, 260);
    m_stack->addWidget(m_rowArea);
    m_stack->addWidget(m_log);
    m_stack->addWidget(table);

    JobListModel& jobs = context.bridge->jobs();
    connect(&jobs, &QAbstractItemModel::rowsInserted, this, &JobsDock::rebuild);
    connect(&jobs, &QAbstractItemModel::rowsRemoved, this, &JobsDock::rebuild);
    connect(&jobs, &QAbstractItemModel::layoutChanged, this, &JobsDock::rebuild);
    connect(&jobs, &JobListModel::countsChanged, this, &JobsDock::rebuild);
    connect(&jobs, &QAbstractItemModel::dataChanged, this, [this](const QModelIndex& first, const QModelIndex& last) {
        for (int row = first.row(); row <= last.row(); ++row) updateRow(row);
        updateHeader();
    });
    connect(context.bridge, &EngineBridge::warned, this, &JobsDock::addWarningRows);
    connect(&widgets::theme(), &widgets::Theme::changed, this, &JobsDock::rebuild);
    rebuild();
}

QWidget* JobsDock::makeHeader() {
    auto* header = new QWidget(this);
    widgets::setTextHeight(header, metrics::kJobsHeader);
    auto* layout = new QHBoxLayout(header);
    layout->setContentsMargins(6, 0, 8, 0);
    layout->setSpacing(2);
    const auto makeTab = [&](const QString& text, Tab tab) {
        auto* button = new QToolButton(header);
        button->setText(text);
        button->setFont(widgets::theme().font(Type::Caption));
        widgets::setTextHeight(button, metrics::kControlSmall);
        button->setFocusPolicy(Qt::TabFocus);
        button->setProperty("isDockTab", true);
        connect(button, &QToolButton::clicked, this, [this, tab] {
            setCollapsed(false);
            showTab(tab);
        });
        layout->addWidget(button);
        return button;
    };
    m_jobsTab = makeTab(tr("Jobs"), Tab::Jobs);
    m_counts = widgets::makeLabel({}, Type::Caption, Color::Text2, header);
    layout->addWidget(m_counts);
    layout->addSpacing(8);
    m_logTab = makeTab(tr("Log"), Tab::Log);
    m_warningsTab = makeTab(tr("Warnings"), Tab::Warnings);
    layout->addStretch(1);
    m_queued = widgets::makeLabel({}, Type::Caption, Color::Text2, header);
    m_queued->hide();
    m_done = widgets::makeLabel({}, Type::Caption, Color::Text2, header);
    layout->addWidget(m_queued);
    layout->addWidget(m_done);
    m_collapse = widgets::makeIconButton(QStringLiteral("chevron-down"), tr("Collapse the jobs"), header, widgets::ControlSize::Small);
    layout->addSpacing(8);
    layout->addWidget(m_collapse);
    connect(m_collapse, &QToolButton::clicked, this, [this] { setCollapsed(!m_isCollapsed); });
    return header;
}

void JobsDock::showTab(Tab tab) {
    m_stack->setCurrentIndex(static_cast<int>(tab));
    updateHeader();
    fitHeight();
}

void JobsDock::setCollapsed(bool isCollapsed) {
    if (isCollapsed == m_isCollapsed) return;
    m_isCollapsed = isCollapsed;
    m_stack->setVisible(!isCollapsed);
    m_collapse->setIcon(widgets::icon(isCollapsed ? QStringLiteral("chevron-right") : QStringLiteral("chevron-down")));
    m_collapse->setToolTip(isCollapsed ? tr("Expand the jobs") : tr("Collapse the jobs"));
    fitHeight();
    Q_EMIT collapsedChanged(isCollapsed);
}

void JobsDock::setCompact(bool isCompact) {
    if (isCompact == m_isCompact) return;
    m_isCompact = isCompact;
    rebuild();
}

void JobsDock::rebuild() {
    const auto& jobs = m_context.bridge->jobs().rows();
    QHash<feed::JobId, JobRowWidget*> kept;
    int position = 0, listed = 0;
    for (const JobRow& job : jobs) {
        if (!isListed(job)) continue;
        ++listed;
        JobRowWidget* row = m_rowByJob.take(job.id);
        if (!row) {
            row = new JobRowWidget(m_rows);
            connect(row, &JobRowWidget::pauseClicked, this, [this](quint64 id, bool isPaused) {
                isPaused ? m_context.engine->resume(id) : m_context.engine->pause(id);
            });
            connect(row, &JobRowWidget::stopClicked, this, [this](quint64 id) { m_context.engine->stop(id); });
            connect(row, &JobRowWidget::menuRequested, this, &JobsDock::showJobMenu);
            connect(row, &JobRowWidget::placeWanted, this, &JobsDock::moveJob);
            connect(row, &JobRowWidget::neighbourWanted, this, &JobsDock::focusNeighbour);
            connect(row, &JobRowWidget::activated, this, [this](quint64 id) {
                const JobRow* job = m_context.bridge->jobs().find(id);
                if (job && !job->runId.isEmpty()) Q_EMIT runActivated(job->runId);
            });
        }
        row->setCompact(m_isCompact);
        row->setJob(job);
        m_rowLayout->removeWidget(row);
        m_rowLayout->insertWidget(position++, row);
        row->setVisible(!m_isCompact || listed == 1);
        kept.insert(job.id, row);
    }
    for (JobRowWidget* gone : m_rowByJob) gone->deleteLater();
    m_rowByJob = kept;
    m_noJobs->setVisible(listed == 0);
    updateHeader();
    fitHeight();
}

void JobsDock::updateRow(int row) {
    const JobRow& job = m_context.bridge->jobs().rows()[static_cast<std::size_t>(row)];
    if (JobRowWidget* widget = m_rowByJob.value(job.id)) widget->setJob(job);
}

void JobsDock::updateHeader() {
    const JobListModel& jobs = m_context.bridge->jobs();
    const int running = jobs.runningCount(), queued = jobs.queuedCount(), done = jobs.doneTodayCount();
    int paused = 0;
    for (const JobRow& job : jobs.rows()) paused += job.state == feed::JobState::Paused ? 1 : 0;
    QStringList counts;
    if (running > paused) counts << tr("%1 running").arg(running - paused);
    if (paused > 0) counts << tr("%1 paused").arg(paused);
    if (queued > 0) counts << tr("%1 queued").arg(queued);
    m_counts->setText(counts.join(QStringLiteral(", ")));
    m_done->setText(done > 0 ? tr("Done today %1").arg(done) : QString());
    m_warningsTab->setText(m_warningCount > 0 ? tr("Warnings %1").arg(widgets::format::count(m_warningCount)) : tr("Warnings"));
    QToolButton* const tabs[] = {m_jobsTab, m_logTab, m_warningsTab};
    for (int i = 0; i < 3; ++i)
        tabs[i]->setFont(widgets::theme().font(i == m_stack->currentIndex() ? Type::CaptionStrong : Type::Caption));
    m_header->setVisible(!m_isCompact || m_rowByJob.isEmpty() || m_isCollapsed);
}

void JobsDock::fitHeight() {
    const int header = m_header->isVisibleTo(this) ? widgets::theme().scaled(metrics::kJobsHeader) : 0;
    if (m_isCollapsed) {
        setFixedHeight(widgets::theme().scaled(metrics::kJobsHeader));
        return;
    }
    const bool areRows = m_stack->currentIndex() == 0;
    const int rows = m_isCompact ? 1 : std::clamp<int>(static_cast<int>(m_rowByJob.size()), 1, kMostRows);
    const int least = header + (areRows ? rows * widgets::theme().scaled(m_isCompact ? 30 : metrics::kJobRow) : kTextTabHeight);
    if (areRows) {
        setFixedHeight(least);
    } else {
        setMinimumHeight(least);
        setMaximumHeight(QWIDGETSIZE_MAX);
    }
    updateGeometry();
}

// Qt draws the line between docks only where there is something to drag.
void JobsDock::paintEvent(QPaintEvent*) {
    if (minimumHeight() == maximumHeight()) QPainter(this).fillRect(QRect(0, 0, width(), 1), widgets::theme().color(Color::Line));
}

QSize JobsDock::sizeHint() const { return {600, minimumHeight()}; }

void JobsDock::addWarningRows() {
    const auto& warnings = m_context.bridge->warnings();
    for (; m_warningCount < static_cast<int>(warnings.size()); ++m_warningCount) {
        const WarningRow& row = warnings[static_cast<std::size_t>(m_warningCount)];
        const QString place = row.warning.line > 0 ? tr("%1, line %2").arg(text(row.warning.file)).arg(row.warning.line)
                                                   : text(row.warning.file);
        QList<QStandardItem*> items;
        for (const QString& cell : {row.title, place, text(row.warning.detail),
                                    QString::fromLatin1(outcomeName(row.warning.outcome))})
            items << new QStandardItem(cell);
        m_warnings->appendRow(items);
    }
    updateHeader();
}

const JobRow* JobsDock::current() const {
    const JobListModel& jobs = m_context.bridge->jobs();
    const JobRow* own = jobs.findByRun(m_context.selection->currentRun());
    if (own && !feed::isFinal(own->state)) return own;
    for (const JobRow& job : jobs.rows())
        if (!feed::isFinal(job.state) && job.state != feed::JobState::Queued) return &job;
    return nullptr;
}

void JobsDock::stopCurrent() {
    if (const JobRow* job = current(); job && feed::canStop(job->state)) m_context.engine->stop(job->id);
}

void JobsDock::pauseCurrent() {
    const JobRow* job = current();
    if (!job) return;
    if (job->state == feed::JobState::Paused)
        m_context.engine->resume(job->id);
    else if (feed::canPause(job->state))
        m_context.engine->pause(job->id);
}

JobRowWidget* JobsDock::rowOf(feed::JobId job) const { return m_rowByJob.value(job); }

void JobsDock::moveJob(feed::JobId job, int place) {
    const JobRow* row = m_context.bridge->jobs().find(job);
    if (!row || row->state != feed::JobState::Queued) return;
    const int wanted = std::clamp(place, 0, std::max(0, m_context.bridge->jobs().queuedCount() - 1));
    if (wanted != row->place) m_context.engine->moveInQueue(job, wanted);
}

void JobsDock::focusNeighbour(feed::JobId job, int step) {
    const int at = m_rowLayout->indexOf(m_rowByJob.value(job));
    QLayoutItem* item = at < 0 ? nullptr : m_rowLayout->itemAt(at + step);
    if (auto* row = item ? qobject_cast<JobRowWidget*>(item->widget()) : nullptr) row->setFocus(Qt::TabFocusReason);
}

void JobsDock::focusFirst() {
    if (currentTab() != Tab::Jobs) return m_stack->currentWidget()->setFocus(Qt::ShortcutFocusReason);
    if (auto* row = qobject_cast<JobRowWidget*>(m_rowLayout->itemAt(0)->widget())) row->setFocus(Qt::ShortcutFocusReason);
    else m_jobsTab->setFocus(Qt::ShortcutFocusReason);
}

JobsDock::Tab JobsDock::currentTab() const { return static_cast<Tab>(m_stack->currentIndex()); }
QPlainTextEdit* JobsDock::logText() const { return m_log; }
QString JobsDock::countsText() const { return m_counts->text(); }

void JobsDock::showJobMenu(feed::JobId job, const QPoint& global) {
    const JobRow* row = m_context.bridge->jobs().find(job);
    if (!row) return;
    auto* menu = new QMenu(this);
    menu->setAttribute(Qt::WA_DeleteOnClose);
    const auto add = [&](const QString& iconName, const QString& words, auto act) {
        return menu->addAction(widgets::icon(iconName), words, this, act);
    };
    if (!row->runId.isEmpty())
        add(QStringLiteral("train"), tr("Show the run"), [this, run = row->runId] { Q_EMIT runActivated(run); });
    if (row->state == feed::JobState::Queued) {
        add(QStringLiteral("sort"), tr("Run next"), [this, job] { m_context.engine->moveInQueue(job, 0); });
        add(QStringLiteral("drag"), tr("Move up"), [this, job, place = row->place] { moveJob(job, place - 1); });
        add(QStringLiteral("drag"), tr("Move down"), [this, job, place = row->place] { moveJob(job, place + 1); });
    }
    if (row->state == feed::JobState::Running && !row->runId.isEmpty())
        add(QStringLiteral("checkpoint"), tr("Save a checkpoint now"), [this, job] { m_context.engine->saveNow(job); });
    if (feed::canStop(row->state)) add(QStringLiteral("stop"), tr("Stop"), [this, job] { m_context.engine->stop(job); });
    if (feed::canContinue(row->state) && !row->runId.isEmpty())
        add(QStringLiteral("resume"), tr("Continue from the last checkpoint"), [this, run = row->runId.toStdString()] {
            if (auto again = m_context.engine->resumeRun(run); !again) m_context.errors->show(again.error());
        });
    if (feed::isFinal(row->state))
        add(QStringLiteral("close"), tr("Clear ended jobs"), [this] { m_context.bridge->jobs().removeEnded(); });
    menu->popup(global);
}

}  // namespace espalier::app
