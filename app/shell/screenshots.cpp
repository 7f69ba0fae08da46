#include "app/shell/screenshots.h"

#include <QApplication>
#include <QDialog>
#include <QDir>
#include <QElapsedTimer>
#include <QEventLoop>
#include <QPainter>
#include <QPixmap>
#include <QTimer>

#include "app/bridge/app_context.h"
#include "app/pages/page.h"
#include "app/pages/page_parts.h"
#include "app/shell/commands.h"
#include "app/shell/main_window.h"
#include "widgets/theme/format.h"

namespace espalier::app {

using widgets::ThemeKind;
using widgets::format::text;

namespace {

constexpr int kSettleMs = 30000;
constexpr int kQuietMs = 250;  ///< settled for so long before the picture is taken
constexpr int kShownInCompare = 4;

void spin(int ms) {
    QEventLoop loop;
    QTimer::singleShot(ms, &loop, &QEventLoop::quit);
    loop.exec();
}

}  // namespace

Screenshots::Screenshots(AppContext& context, MainWindow& window, QString folder)
    : m_context(context), m_window(window), m_folder(std::move(folder)) {}

bool Screenshots::settle(int mostMs) {
    QElapsedTimer clock, quiet;
    clock.start();
    quiet.start();
    while (clock.elapsed() < mostMs) {
        spin(20);
        if (!m_window.isSettled()) quiet.restart();
        if (quiet.elapsed() >= kQuietMs) return true;
    }
    return false;
}

QString Screenshots::preferredRun(bool isQuantizer) const {
    QString fallback;
    const std::vector<feed::RunInfo>& runs = m_context.bridge->runs().runs();
    // The model that was quantized shows most: every page then tells of the same one.
    if (!isQuantizer)
        for (const feed::RunInfo& child : runs)
            for (const feed::RunInfo& run : runs)
                if (!child.parentRun.empty() && run.id == child.parentRun) return text(run.id);
    for (const feed::RunInfo& run : runs) {
        const api::RecipeCard* card = m_context.registry->find(run.recipe);
        if (!card || card->needsParentRun != isQuantizer) continue;
        if (run.state == feed::JobState::Completed) return text(run.id);
        if (fallback.isEmpty()) fallback = text(run.id);
    }
    return fallback;
}

void Screenshots::choose(const QString& key) {
    Selection& selection = *m_context.selection;
    const QString trained = preferredRun(false), quantized = preferredRun(true);
    QStringList shown;
    if (key == QLatin1String("compare")) {
        for (const feed::RunInfo& run : m_context.bridge->runs().runs()) {
            const api::RecipeCard* card = m_context.registry->find(run.recipe);
            if (card && !card->needsParentRun && shown.size() < kShownInCompare) shown << text(run.id);
        }
    } else if (!trained.isEmpty()) {
        shown << trained;
    }
    selection.setShownRuns(shown);
    if (key == QLatin1String("data")) {
        if (const feed::DatasetSummary* set = m_context.bridge->datasets().at(0)) selection.setCurrentDataset(text(set->id));
    } else if (key == QLatin1String("quantize") && !quantized.isEmpty()) {
        selection.setCurrentRun(quantized);
    } else if (key == QLatin1String("empty")) {
        const api::RecipeCard* first = firstRecipe(*m_context.registry);
        selection.setCurrentRecipe(first ? text(first->id) : QString());
    } else if (!trained.isEmpty()) {
        selection.setCurrentRun(trained);
    }
}

Result<void> Screenshots::take(const QString& key, QSize size, ThemeKind kind) {
    widgets::theme().setKind(kind);
    m_window.showNormal();
    m_window.resize(size);
    m_window.forceEmptyPage(key == QLatin1String("empty"));
    choose(key);
    const bool isNewRun = key == QLatin1String("newrun");
    m_window.openPage(isNewRun ? QStringLiteral("train") : key);
    if (isNewRun) {
        const feed::DatasetSummary* set = m_context.bridge->datasets().at(0);
        m_context.commands->newRun(m_context.registry->cards().empty() ? QString() : text(m_context.registry->cards().back().id),
                                   set ? text(set->id) : QString());
    }
    const bool isSettled = settle(kSettleMs);
    QApplication::setActiveWindow(&m_window);  // selections are drawn as in a window in use
    QPixmap picture = m_window.grab();
    if (isNewRun) {
        for (QDialog* dialog : m_window.findChildren<QDialog*>()) {
            if (!dialog->isVisible()) continue;
            const QPixmap top = dialog->grab();
            QPainter painter(&picture);
            // The New-run window dims this one by a child of its own.
            if (!m_window.findChild<QWidget*>(QStringLiteral("scrim")))
                painter.fillRect(QRect(QPoint(0, 0), m_window.size()), QColor(0, 0, 0, kind == ThemeKind::Light ? 82 : 128));
            painter.drawPixmap((m_window.width() - dialog->width()) / 2, (m_window.height() - dialog->height()) / 2, top);
            dialog->close();
        }
        spin(50);
        QCoreApplication::sendPostedEvents(nullptr, QEvent::DeferredDelete);
    }
    const bool isUsualSize = size == QSize(1440, 900);
    const QString sizeText = isUsualSize ? QString() : QStringLiteral("-%1x%2").arg(size.width()).arg(size.height());
    const QString name = key + sizeText + u'-' + widgets::Theme::kindName(kind) + QStringLiteral(".png");
    if (!picture.save(QDir(m_folder).filePath(name), "PNG"))
        return fail(ErrorCode::Io, "The picture could not be written", QDir(m_folder).filePath(name).toStdString(),
                    "Choose a folder that can be written");
    if (!isSettled) return fail(ErrorCode::Internal, "The page was still reading after 30 s", key.toStdString());
    m_written << name;
    return {};
}

Result<QStringList> Screenshots::run() {
    if (!QDir().mkpath(m_folder))
        return fail(ErrorCode::Io, "The folder for the pictures cannot be made", m_folder.toStdString(), "Choose another folder");
    m_window.show();
    m_window.activateWindow();
    QApplication::setActiveWindow(&m_window);
    if (!settle(kSettleMs)) return fail(ErrorCode::Internal, "The workspace was still being read after 30 s");
    QStringList keys;
    for (const Page* page : m_window.pages()) keys << page->key();
    keys << QStringLiteral("newrun") << QStringLiteral("empty");
    for (const ThemeKind kind : {ThemeKind::Dark, ThemeKind::Light})
        for (const QSize size : {QSize(1440, 900), QSize(1280, 720)})
            for (const QString& key : keys) ESPALIER_CHECK_OK(take(key, size, kind));
    ESPALIER_CHECK_OK(take(QStringLiteral("train"), QSize(1440, 900), ThemeKind::Contrast));
    return m_written;
}

}  // namespace espalier::app
