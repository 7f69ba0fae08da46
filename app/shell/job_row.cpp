#include "app/shell/job_row.h"

#include <QContextMenuEvent>
#include <QHBoxLayout>
#include <QKeyEvent>
#include <QLabel>
#include <QMouseEvent>
#include <QPainter>
#include <QToolButton>

#include <cmath>

#include "widgets/controls/bars.h"
#include "widgets/controls/controls.h"
#include "widgets/theme/format.h"
#include "widgets/theme/icons.h"
#include "widgets/theme/metrics.h"

namespace espalier::app {

namespace format = widgets::format;
namespace metrics = widgets::metrics;
using widgets::Color;
using widgets::Type;

namespace {

constexpr int kCompactHeight = 30;

QLabel* makeNumber(QWidget* parent, int width, Color role) {
    QLabel* label = widgets::makeLabel({}, Type::Body, role, parent);
    label->setAlignment(Qt::AlignRight | Qt::AlignVCenter);
    label->setMinimumWidth(width);
    return label;
}

}  // namespace

JobRowWidget::JobRowWidget(QWidget* parent) : QWidget(parent) {
    setFixedHeight(widgets::theme().scaled(metrics::kJobRow));
    setFocusPolicy(Qt::TabFocus);
    auto* layout = new QHBoxLayout(this);
    layout->setContentsMargins(34, 0, 12, 0);
    layout->setSpacing(12);
    m_title = new widgets::ElidedLabel(Qt::ElideMiddle, Type::BodyStrong, Color::Text, this);
    m_title->setFixedWidth(128);
    m_stage = new widgets::ElidedLabel(Qt::ElideRight, Type::Body, Color::Text2, this);
    m_stage->setFixedWidth(172);
    m_bar = new widgets::ProgressBar(this);
    m_text = new widgets::ElidedLabel(Qt::ElideRight, Type::Body, Color::Text3, this);
    m_text->setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    m_count = makeNumber(this, 110, Color::Text2);
    m_rate = makeNumber(this, 76, Color::Text);
    m_left = makeNumber(this, 96, Color::Text);
    m_drag = widgets::makeIconButton(QStringLiteral("drag"), tr("Drag to change the order (Alt+Up, Alt+Down)"), this, widgets::ControlSize::Small);
    m_pause = widgets::makeIconButton(QStringLiteral("pause"), tr("Pause"), this, widgets::ControlSize::Small);
    m_stop = widgets::makeIconButton(QStringLiteral("stop"), tr("Stop after this step"), this, widgets::ControlSize::Small);
    m_more = widgets::makeIconButton(QStringLiteral("more"), tr("More about this job"), this, widgets::ControlSize::Small);
    for (QWidget* widget : {static_cast<QWidget*>(m_title), static_cast<QWidget*>(m_stage)}) layout->addWidget(widget);
    layout->addWidget(m_bar, 1, Qt::AlignVCenter);
    layout->addWidget(m_text, 1, Qt::AlignVCenter);
    layout->addWidget(m_count);
    layout->addWidget(m_rate);
    layout->addWidget(m_left);
    auto* buttons = new QHBoxLayout;
    buttons->setSpacing(6);
    for (QToolButton* button : {m_drag, m_pause, m_stop, m_more}) buttons->addWidget(button);
    layout->addLayout(buttons);
    m_drag->setCursor(Qt::SizeVerCursor);
    m_drag->installEventFilter(this);
    connect(m_pause, &QToolButton::clicked, this, [this] { Q_EMIT pauseClicked(m_id, m_state == feed::JobState::Paused); });
    connect(m_stop, &QToolButton::clicked, this, [this] { Q_EMIT stopClicked(m_id); });
    connect(m_more, &QToolButton::clicked, this,
            [this] { Q_EMIT menuRequested(m_id, m_more->mapToGlobal(QPoint(0, m_more->height()))); });
}

void JobRowWidget::setJob(const JobRow& job) {
    m_id = job.id;
    m_runId = job.runId;
    m_state = job.state;
    m_place = job.place;
    const widgets::StateLook look = widgets::theme().stateLook(job.state);
    m_title->setText(job.title);
    const bool isQueued = job.state == feed::JobState::Queued;
    const bool isFinal = feed::isFinal(job.state);
    QString stage = job.stage.isEmpty() ? look.label : job.stage;
    if (isQueued) stage = tr("Waits, place %1").arg(job.place + 1);
    if (job.state == feed::JobState::Paused)
        stage = job.trouble.what.empty() ? tr("Paused") : tr("Paused: %1").arg(format::text(job.trouble.what));
    if (job.state == feed::JobState::Stopping) stage = tr("Stopping after this step…");
    if (isFinal) stage = look.label;
    m_stage->setText(stage);
    m_text->setText(isFinal ? reasonOf(job) : QString());
    m_bar->setVisible(!isQueued && !isFinal);
    m_text->setVisible(isQueued || isFinal);
    m_bar->setFraction(job.total > 0 ? static_cast<double>(job.done) / static_cast<double>(job.total) : -1.0);
    m_bar->setRole(job.state == feed::JobState::Paused || job.state == feed::JobState::Stopping ? Color::Warning : Color::Accent);
    m_count->setText(job.total > 0 && !isFinal && !isQueued
                         ? QStringLiteral("%1 / %2").arg(format::count(job.done), format::count(job.total))
                         : QString());
    m_rate->setText(job.rate > 0 && job.state == feed::JobState::Running
                        ? QStringLiteral("%1 %2").arg(job.rate >= 100 ? format::count(std::llround(job.rate)) : format::fixed(job.rate, 1),
                                                      job.rateUnit)
                        : QString());
    m_left->setText(job.state == feed::JobState::Running ? format::timeLeft(job.secsLeft) : QString());
    m_drag->setVisible(isQueued);
    const bool isPaused = job.state == feed::JobState::Paused;
    m_pause->setVisible(feed::canPause(job.state) || isPaused);
    m_pause->setIcon(widgets::icon(isPaused ? QStringLiteral("run") : QStringLiteral("pause")));
    m_pause->setToolTip(isPaused ? tr("Resume") : tr("Pause"));
    m_pause->setAccessibleName(m_pause->toolTip());
    m_stop->setVisible(!isFinal);
    m_stop->setEnabled(feed::canStop(job.state));
    m_stop->setIcon(widgets::icon(isQueued ? QStringLiteral("close") : QStringLiteral("stop")));
    m_stop->setToolTip(isQueued ? tr("Take out of the queue") : tr("Stop after this step"));
    m_stop->setAccessibleName(m_stop->toolTip());
    setAccessibleName(tr("%1, %2, %3").arg(job.title, look.label, m_left->text()));
    fit();
    update();
}

void JobRowWidget::setCompact(bool isCompact) {
    m_isCompact = isCompact;
    setFixedHeight(widgets::theme().scaled(isCompact ? kCompactHeight : metrics::kJobRow));
    fit();
}

void JobRowWidget::resizeEvent(QResizeEvent*) { fit(); }

void JobRowWidget::fit() {
    // Columns go before anything is cut: the stage first, then the rate.
    m_stage->setFixedWidth(width() < 1000 ? 132 : m_state == feed::JobState::Paused ? 320 : 172);
    m_title->setFixedWidth(widgets::theme().scaled(128));
    m_stage->setVisible(width() >= 760);
    m_rate->setVisible(width() >= 640 && !m_rate->text().isEmpty());
    m_count->setVisible(width() >= 560 && !m_count->text().isEmpty());
    m_left->setVisible(!m_left->text().isEmpty());
    m_more->setVisible(!m_isCompact);
}

void JobRowWidget::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    const widgets::StateLook look = widgets::theme().stateLook(m_state);
    if (hasFocus()) painter.fillRect(rect(), widgets::theme().color(Color::Hover));
    widgets::paintIcon(painter, look.icon, QRect(12, (height() - 14) / 2, 14, 14), widgets::theme().color(look.color));
}

void JobRowWidget::mouseDoubleClickEvent(QMouseEvent*) { Q_EMIT activated(m_id); }
void JobRowWidget::contextMenuEvent(QContextMenuEvent* event) { Q_EMIT menuRequested(m_id, event->globalPos()); }

void JobRowWidget::keyPressEvent(QKeyEvent* event) {
    const bool isUp = event->key() == Qt::Key_Up, isDown = event->key() == Qt::Key_Down;
    if (event->key() == Qt::Key_Return || event->key() == Qt::Key_Enter)
        Q_EMIT activated(m_id);
    else if ((isUp || isDown) && event->modifiers().testFlag(Qt::AltModifier) && m_state == feed::JobState::Queued)
        Q_EMIT placeWanted(m_id, m_place + (isUp ? -1 : 1));
    else if (isUp || isDown)
        Q_EMIT neighbourWanted(m_id, isUp ? -1 : 1);
    else if (event->key() == Qt::Key_Space && !m_pause->isHidden())
        m_pause->click();
    else if (event->key() == Qt::Key_Delete && m_stop->isEnabled() && !m_stop->isHidden())
        m_stop->click();
    else
        QWidget::keyPressEvent(event);
}

QString JobRowWidget::stageText() const { return m_stage->text(); }

bool JobRowWidget::eventFilter(QObject* watched, QEvent* event) {
    if (watched == m_drag && event->type() == QEvent::MouseButtonPress) {
        m_pressed = static_cast<QMouseEvent*>(event)->globalPosition().toPoint();
        m_pressedPlace = m_wantedPlace = m_place;
    }
    // The row follows the pointer: it is moved as soon as half a row is crossed, not only on release.
    const bool isMove = event->type() == QEvent::MouseMove && static_cast<QMouseEvent*>(event)->buttons().testFlag(Qt::LeftButton);
    if (watched == m_drag && (isMove || event->type() == QEvent::MouseButtonRelease)) {
        const int moved = static_cast<QMouseEvent*>(event)->globalPosition().toPoint().y() - m_pressed.y();
        const int place = m_pressedPlace + static_cast<int>(std::lround(static_cast<double>(moved) / height()));
        if (place != m_wantedPlace) Q_EMIT placeWanted(m_id, place);
        m_wantedPlace = place;
    }
    return QWidget::eventFilter(watched, event);
}

}  // namespace espalier::app
