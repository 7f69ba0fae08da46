#include "app/intake/drop_controller.h"

#include <QDir>
#include <QDragEnterEvent>
#include <QDropEvent>
#include <QFileInfo>
#include <QMimeData>
#include <QPainter>
#include <QUrl>
#include <QWidget>

#include <algorithm>

#include "widgets/controls/paint_help.h"
#include "widgets/theme/icons.h"

namespace espalier::app {

using widgets::Color;
using widgets::Type;

namespace {

const QStringList& importSuffixes() {
    static const QStringList suffixes = QStringLiteral(
        "jpg jpeg jpe jfif jif pjpeg pjp png apng bmp dib tif tiff webp gif tar tgz tbz tbz2 txz tzst tlz zip 7z rar cpio zst gz bz2 xz lz4 lzma lz "
        "npy npz h5 hdf5 hdf he5 hd5 mat nc idx idx1 idx3 idx4 bin ubyte csv tsv tab psv ssv txt data dat")
                                            .split(u' ');
    return suffixes;
}

// MNIST's files end in "-ubyte", and content may come without any suffix: the importer then says what it is.
bool isImportable(const QFileInfo& info) {
    if (info.isDir()) return true;
    const QString suffix = info.suffix().toLower();
    return suffix.isEmpty() || importSuffixes().contains(suffix) || suffix.endsWith(QLatin1String("-ubyte"));
}

bool isPickle(const QFileInfo& info) {
    static const QStringList suffixes = QStringLiteral("pkl pickle pt pth ckpt joblib").split(u' ');
    return suffixes.contains(info.suffix().toLower());
}

/// Drawn over the whole window while something hovers.
class DropOverlay : public QWidget {
public:
    DropOverlay(QWidget* parent, DropPlan plan) : QWidget(parent), m_plan(std::move(plan)) {
        setAttribute(Qt::WA_TransparentForMouseEvents);
        setGeometry(parent->rect());
    }

protected:
    void paintEvent(QPaintEvent*) override {
        QPainter painter(this);
        widgets::Theme& look = widgets::theme();
        const bool isRefused = m_plan.kind == DropPlan::Kind::Refused;
        const QColor ink = look.color(isRefused ? Color::Error : Color::Accent);
        painter.fillRect(rect(), look.color(Color::Well, 0.82));
        painter.setRenderHint(QPainter::Antialiasing);
        QPen dash(ink, 1.5);
        dash.setDashPattern({4, 3});
        painter.setPen(dash);
        painter.drawRoundedRect(QRectF(rect()).adjusted(12.5, 12.5, -12.5, -12.5), 6, 6);
        const int y = height() / 2;
        widgets::paintIcon(painter, isRefused ? QStringLiteral("error") : QStringLiteral("import"), QRect(width() / 2 - 16, y - 44, 32, 32), ink);
        painter.setFont(look.font(Type::Heading));
        painter.setPen(look.color(Color::Text));
        painter.drawText(QRect(24, y, width() - 48, 28), Qt::AlignCenter, m_plan.sentence);
    }

private:
    DropPlan m_plan;
};

}  // namespace

QStringList localPaths(const QMimeData* data) {
    QStringList paths;
    for (const QUrl& url : data->urls())
        if (url.isLocalFile()) paths << url.toLocalFile();
    if (!paths.isEmpty() || !data->hasText()) return paths;
    for (QString line : data->text().split(u'\n', Qt::SkipEmptyParts)) {
        line = line.trimmed();
        if (line.startsWith(QLatin1String("file://"))) line = QUrl(line).toLocalFile();
        if (line.startsWith(u'~')) line.replace(0, 1, QDir::homePath());
        if (QFileInfo info(line); info.isAbsolute() && info.exists()) paths << line;
    }
    return paths;
}

DropPlan planDrop(const QStringList& paths) {
    DropPlan plan;
    plan.paths = paths;
    if (paths.isEmpty()) {
        plan.sentence = QObject::tr("Only files and folders of this machine can be dropped here");
        return plan;
    }
    const auto suffixIs = [](const QString& path, QLatin1String suffix) { return path.endsWith(suffix, Qt::CaseInsensitive); };
    if (paths.size() == 1 && suffixIs(paths.front(), QLatin1String(".safetensors"))) {
        plan.kind = DropPlan::Kind::Weights;
        plan.sentence = QObject::tr("New run from the weights in %1").arg(QFileInfo(paths.front()).fileName());
        return plan;
    }
    for (const QString& path : paths) {
        const QFileInfo info(path);
        if (isPickle(info)) {
            plan.sentence = QObject::tr("%1 is a pickle and may run code: it is never opened. Save it as .npz or .safetensors").arg(info.fileName());
            return plan;
        }
        if (!isImportable(info)) {
            plan.sentence = QObject::tr("%1 is not data that can be imported: folders of images, archives, npy, npz, HDF5, idx, bin, CSV").arg(info.fileName());
            return plan;
        }
    }
    plan.kind = DropPlan::Kind::Import;
    const QString name = QFileInfo(paths.front()).fileName();
    plan.sentence = paths.size() == 1 ? QObject::tr("Import %1").arg(name)
                                      : QObject::tr("Import %n file(s)", nullptr, static_cast<int>(paths.size()));
    return plan;
}

DropController::DropController(QWidget* window) : QObject(window), m_window(window) {
    window->setAcceptDrops(true);
    window->installEventFilter(this);
}

bool DropController::eventFilter(QObject* watched, QEvent* event) {
    switch (event->type()) {
        case QEvent::DragEnter: {
            auto* drag = static_cast<QDragEnterEvent*>(event);
            if (!drag->mimeData()->hasUrls() && !drag->mimeData()->hasText()) break;
            m_plan = planDrop(localPaths(drag->mimeData()));
            showOverlay();
            // Accepted even when refused, so that the reason can be shown until the pointer leaves.
            drag->setDropAction(Qt::CopyAction);
            drag->accept();
            return true;
        }
        case QEvent::DragMove: {
            auto* drag = static_cast<QDragMoveEvent*>(event);
            drag->setDropAction(m_plan.kind == DropPlan::Kind::Refused ? Qt::IgnoreAction : Qt::CopyAction);
            drag->accept();
            return true;
        }
        case QEvent::DragLeave: hideOverlay(); return true;
        case QEvent::Drop: {
            auto* drop = static_cast<QDropEvent*>(event);
            hideOverlay();
            m_plan = planDrop(localPaths(drop->mimeData()));
            if (m_plan.kind == DropPlan::Kind::Refused) {
                drop->ignore();
                Q_EMIT refused(m_plan.sentence);
            } else {
                drop->setDropAction(Qt::CopyAction);
                drop->accept();
                Q_EMIT planned(m_plan);
            }
            return true;
        }
        case QEvent::Resize:
            if (m_overlay) m_overlay->setGeometry(m_window->rect());
            break;
        default: break;
    }
    return QObject::eventFilter(watched, event);
}

void DropController::showOverlay() {
    hideOverlay();
    m_overlay = new DropOverlay(m_window, m_plan);
    m_overlay->show();
    m_overlay->raise();
}

void DropController::hideOverlay() {
    delete m_overlay;
    m_overlay = nullptr;
}

}  // namespace espalier::app
