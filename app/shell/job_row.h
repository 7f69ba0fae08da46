#pragma once

#include <QWidget>

#include "app/bridge/job_list_model.h"

class QLabel;
class QToolButton;

namespace espalier::widgets {
class ElidedLabel;
class ProgressBar;
}  // namespace espalier::widgets

namespace espalier::app {

/// One job, 28 px (30 when compact): state, title, stage, progress, count, rate, time left, pause, stop, more.
class JobRowWidget : public QWidget {
    Q_OBJECT
public:
    explicit JobRowWidget(QWidget* parent = nullptr);
    void setJob(const JobRow& job);
    feed::JobId id() const { return m_id; }
    QString runId() const { return m_runId; }
    void setCompact(bool isCompact);
    QToolButton* pauseButton() const { return m_pause; }
    QToolButton* stopButton() const { return m_stop; }
    QToolButton* dragHandle() const { return m_drag; }
    QString stageText() const;

Q_SIGNALS:
    void pauseClicked(quint64 job, bool isPaused);
    void stopClicked(quint64 job);
    void menuRequested(quint64 job, const QPoint& global);
    void activated(quint64 job);
    void placeWanted(quint64 job, int place);  ///< in the queue, by drag or Alt+Up, Alt+Down
    void neighbourWanted(quint64 job, int step);

protected:
    void paintEvent(QPaintEvent*) override;
    void resizeEvent(QResizeEvent*) override;
    void mouseDoubleClickEvent(QMouseEvent*) override;
    void contextMenuEvent(QContextMenuEvent*) override;
    void keyPressEvent(QKeyEvent*) override;
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    void fit();
    feed::JobId m_id = 0;
    QString m_runId;
    feed::JobState m_state = feed::JobState::Queued;
    widgets::ElidedLabel *m_title, *m_stage, *m_text;
    widgets::ProgressBar* m_bar;
    QLabel *m_count, *m_rate, *m_left;
    QToolButton *m_drag, *m_pause, *m_stop, *m_more;
    QPoint m_pressed;
    int m_place = 0, m_pressedPlace = 0, m_wantedPlace = 0;
    bool m_isCompact = false;
};

}  // namespace espalier::app
