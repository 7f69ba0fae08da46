#include "app/shell/status_line.h"

#include <QDir>
#include <QPainter>

#include <algorithm>
#include <filesystem>
#include <optional>

#include "widgets/controls/controls.h"
#include "widgets/theme/format.h"
#include "widgets/theme/icons.h"
#include "widgets/theme/metrics.h"

namespace espalier::app {

namespace format = widgets::format;
using widgets::Color;
using widgets::Type;

namespace {

QString folderName(const std::filesystem::path& folder) {
    return QDir(QString::fromStdString(folder.string())).dirName();
}

}  // namespace

StatusLine::StatusLine(AppContext& context, QWidget* parent) : QWidget(parent), m_context(context) {
    widgets::setTextHeight(this, widgets::metrics::kStatusBar);
    setAccessibleName(tr("Status"));
    m_workspace = folderName(context.workspace->folder());
    if (context.workspace->isReadOnly()) m_workspace = tr("%1, read only").arg(m_workspace);
    setToolTip(QString::fromStdString(context.workspace->folder().string()));
    m_timer.setInterval(30000);
    connect(&m_timer, &QTimer::timeout, this, &StatusLine::readMachine);
    m_timer.start();
    connect(context.bridge, &EngineBridge::catalogChanged, this, &StatusLine::refresh);
    connect(context.undo, &QUndoStack::indexChanged, this, &StatusLine::refresh);
    refresh();
    readMachine();
}

QSize StatusLine::sizeHint() const { return {400, widgets::metrics::kStatusBar}; }

void StatusLine::refresh() {
    const auto& runs = m_context.bridge->runs().runs();
    std::int64_t bytes = 0;
    for (const feed::RunInfo& run : runs) bytes += run.bytesOnDisk;
    const int n = static_cast<int>(runs.size());
    m_runs = n == 0 ? tr("no runs yet") : tr("%1 runs, %2").arg(format::count(n), format::bytes(bytes));
    if (n == 1) m_runs = tr("1 run, %1").arg(format::bytes(bytes));
    m_undoText = m_context.undo->canUndo() ? tr("Ctrl Z undoes: %1").arg(m_context.undo->undoText())
                 : n == 0                  ? tr("No network is used until you ask for it")
                                           : QString();
    setAccessibleDescription(QStringLiteral("%1, %2, %3").arg(m_workspace, m_runs, m_undoText));
    update();
}

void StatusLine::readMachine() {
    struct Found {
        runtime::MachineReport machine;
        std::optional<std::uintmax_t> freeBytes;  // empty when the file system does not say
    };
    const std::filesystem::path folder = m_context.workspace->folder();
    m_context.bridge->reads().run(
        this, QStringLiteral("machine"),
        [engine = m_context.engine, folder] {
            std::error_code error;
            const auto space = std::filesystem::space(folder, error);
            return Found{engine->machine(), error ? std::nullopt : std::optional(space.available)};
        },
        [this](const Found& found) {
            const runtime::MachineReport& machine = found.machine;
            m_hasGpu = machine.isCudaUsable && machine.devices.size() > 1;
            m_device = m_hasGpu ? format::text(machine.devices[1]) : format::text(machine.cpuName.empty() ? "cpu" : machine.cpuName);
            m_threads = tr("%1 of %2 threads").arg(machine.torchThreads > 0 ? machine.torchThreads : machine.cores).arg(machine.cores);
            m_disk = found.freeBytes ? tr("%1 free").arg(format::bytes(static_cast<std::int64_t>(*found.freeBytes))) : QString();
            update();
        });
}

void StatusLine::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    widgets::Theme& look = widgets::theme();
    painter.fillRect(rect(), look.color(Color::Panel));
    painter.setFont(look.font(Type::Caption));
    const QFontMetrics small = painter.fontMetrics();
    const auto iconAt = [&](const QString& name, int x) {
        widgets::paintIcon(painter, name, QRect(x, (height() - 12) / 2, 12, 12), look.color(Color::Text2));
    };
    const auto textAt = [&](const QString& text, int x, Color role) {
        painter.setPen(look.color(role));
        painter.drawText(QRect(x, 0, width(), height()), Qt::AlignVCenter | Qt::AlignLeft, text);
        return x + small.horizontalAdvance(text);
    };
    iconAt(QStringLiteral("folder"), 12);
    int left = textAt(m_workspace, 29, Color::Text2);
    left = textAt(m_runs, left + 12, Color::Text3);
    int right = width() - 12;
    const std::pair<QString, QString> facts[] = {
        {QStringLiteral("disk"), m_disk}, {QStringLiteral("cpu"), m_threads},
        {m_hasGpu ? QStringLiteral("gpu") : QStringLiteral("cpu"), m_device}};
    for (const auto& [iconName, fact] : facts) {
        if (fact.isEmpty()) continue;
        const QString shown = small.elidedText(fact, Qt::ElideRight, 240);
        const int x = right - small.horizontalAdvance(shown);
        textAt(shown, x, Color::Text2);
        iconAt(iconName, x - 17);
        right = x - 17 - 12;
    }
    const int centre = small.horizontalAdvance(m_undoText);
    const int x = std::clamp((width() - centre) / 2, left + 16, std::max(left + 16, right - centre - 16));
    painter.setPen(look.color(Color::Text2));
    painter.drawText(QRect(x, 0, std::max(0, right - 16 - x), height()), Qt::AlignVCenter | Qt::AlignLeft,
                     small.elidedText(m_undoText, Qt::ElideRight, std::max(0, right - 16 - x)));
}

}  // namespace espalier::app
