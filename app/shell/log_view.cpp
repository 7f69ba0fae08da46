#include "app/shell/log_view.h"

#include <QDateTime>
#include <QScrollBar>

#include <mutex>

#include "widgets/theme/format.h"
#include "widgets/theme/theme.h"

namespace espalier::app {

/// Outlives the view, because a log sink stays for the life of the process.
struct LogView::Shared {
    std::mutex mutex;
    LogView* view = nullptr;
    feed::Inbox<LogRecord> lines;
};

LogView::LogView(QWidget* parent) : QPlainTextEdit(parent), m_shared(std::make_shared<Shared>()) {
    setReadOnly(true);
    setAcceptDrops(false);
    setMaximumBlockCount(5000);
    setFont(widgets::theme().font(widgets::Type::Mono));
    setAccessibleName(tr("Log"));
    setPlaceholderText(tr("Nothing has been logged yet."));
    setFrameShape(QFrame::NoFrame);
    m_shared->view = this;
    m_shared->lines.setWake([shared = std::weak_ptr(m_shared)] {
        const auto held = shared.lock();
        if (!held) return;
        std::lock_guard lock(held->mutex);
        if (held->view) QMetaObject::invokeMethod(held->view, &LogView::drain, Qt::QueuedConnection);
    });
    addLogSink([shared = std::weak_ptr(m_shared)](const LogRecord& record) {
        const auto held = shared.lock();
        if (held && record.level >= LogLevel::Info) held->lines.push(record);
    });
}

LogView::~LogView() {
    std::lock_guard lock(m_shared->mutex);
    m_shared->view = nullptr;
}

void LogView::drain() {
    QStringList lines;
    for (const LogRecord& record : m_shared->lines.drain()) {
        const QString time = QDateTime::fromMSecsSinceEpoch(static_cast<qint64>(record.unixSecs * 1000)).toString(QStringLiteral("HH:mm:ss"));
        lines << QStringLiteral("%1  %2  %3").arg(time, QString::fromLatin1(record.category).leftJustified(8), widgets::format::text(record.text));
    }
    const bool isAtEnd = verticalScrollBar()->value() >= verticalScrollBar()->maximum() - 4;
    appendPlainText(lines.join(u'\n'));
    if (isAtEnd) verticalScrollBar()->setValue(verticalScrollBar()->maximum());
}

}  // namespace espalier::app
