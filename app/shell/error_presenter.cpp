#include "app/shell/error_presenter.h"

#include <QChildEvent>
#include <QPushButton>
#include <QVBoxLayout>
#include <QWidget>

#include <algorithm>

#include "engine/base/log.h"
#include "widgets/controls/messages.h"
#include "widgets/theme/format.h"
#include "widgets/theme/metrics.h"

namespace espalier::app {

using widgets::Banner;
using widgets::Toast;
using widgets::format::text;
namespace metrics = widgets::metrics;

namespace {

constexpr int kMaxToasts = 3;
constexpr int kMaxBanners = 3;
constexpr int kToastGap = 8;
constexpr int kToastMargin = 12;

QString capitalized(QString words) {
    // Not a name of a file or a run: those are spelt as they are.
    const qsizetype end = words.indexOf(u' ');
    const bool isWord = end > 0 && std::all_of(words.cbegin(), words.cbegin() + end, [](QChar c) { return c.isLetter(); });
    if (isWord) words[0] = words[0].toUpper();
    return words;
}

// Each with one stop at its end, whether it came with one or not.
QString asSentences(const QStringList& parts) {
    QString all;
    for (QString part : parts) {
        part = part.trimmed();
        if (part.isEmpty()) continue;
        if (!part.endsWith(u'.') && !part.endsWith(u'?') && !part.endsWith(u'!')) part += u'.';
        all += (all.isEmpty() ? QString() : QStringLiteral(" ")) + part;
    }
    return all;
}

void addRemedies(Banner* banner, const std::vector<Remedy>& remedies) {
    for (const Remedy& remedy : remedies)
        QObject::connect(banner->addRemedy(remedy.text), &QPushButton::clicked, banner, [banner, act = remedy.act] {
            if (act) act();
            banner->deleteLater();
        });
}

}  // namespace

BannerArea::BannerArea(QWidget* parent) : QWidget(parent), m_column(new QVBoxLayout(this)) {
    m_column->setSpacing(metrics::kSpace4);
    fit();
}

void BannerArea::childEvent(QChildEvent* event) {
    QWidget::childEvent(event);
    if (m_column) QMetaObject::invokeMethod(this, &BannerArea::fit, Qt::QueuedConnection);
}

void BannerArea::fit() {
    const bool isEmpty = m_column->count() == 0;
    m_column->setContentsMargins(isEmpty ? QMargins() : QMargins(metrics::kPagePadding, metrics::kSpace8, metrics::kPagePadding, metrics::kSpace4));
}

ErrorPresenter::ErrorPresenter(QVBoxLayout* bannerArea, QWidget* toastParent, QObject* parent)
    : QObject(parent), m_toastParent(toastParent), m_bannerArea(bannerArea) {
    toastParent->installEventFilter(this);
}

bool ErrorPresenter::eventFilter(QObject* watched, QEvent* event) {
    if (watched == m_toastParent && event->type() == QEvent::Resize) placeToasts();
    return QObject::eventFilter(watched, event);
}

void ErrorPresenter::show(const Error& error, const std::vector<Remedy>& remedies, const QString& heading) {
    ESPALIER_LOG(Error, "window") << error.sentence();
    const QString detail = asSentences({text(error.where), text(error.remedy)});
    while (bannerCount() >= kMaxBanners) delete m_bannerArea->takeAt(m_bannerArea->count() - 1)->widget();
    auto* banner = new Banner(Banner::Kind::Error, heading.isEmpty() ? capitalized(text(error.what)) : heading, detail);
    banner->setCopyText(text(error.sentence()) + (error.detail.empty() ? QString() : QString(u'\n' + text(error.detail))));
    addRemedies(banner, remedies);
    m_bannerArea->insertWidget(0, banner);
}

void ErrorPresenter::warn(const QString& what, const QString& detail, const std::vector<Remedy>& remedies) {
    while (bannerCount() >= kMaxBanners) delete m_bannerArea->takeAt(m_bannerArea->count() - 1)->widget();
    auto* banner = new Banner(Banner::Kind::Warning, what, detail);
    addRemedies(banner, remedies);
    m_bannerArea->insertWidget(0, banner);
}

void ErrorPresenter::toast(const QString& bold, const QString& text, const QString& iconName,
                           const std::vector<Remedy>& remedies) {
    if (!m_toastParent) return;
    std::erase_if(m_toasts, [](const QPointer<QWidget>& toast) { return !toast; });
    while (m_toasts.size() >= kMaxToasts) {
        delete m_toasts.front();
        m_toasts.erase(m_toasts.begin());
    }
    auto* toast = new Toast(bold, text, iconName, m_toastParent);
    for (const Remedy& remedy : remedies)
        connect(toast->addAction(remedy.text), &QPushButton::clicked, this, [act = remedy.act] {
            if (act) act();
        });
    connect(toast, &Toast::expired, this, &ErrorPresenter::placeToasts, Qt::QueuedConnection);
    m_toasts.emplace_back(toast);
    toast->show();
    placeToasts();
}

int ErrorPresenter::bannerCount() const { return m_bannerArea->count(); }

int ErrorPresenter::toastCount() const {
    int count = 0;
    for (const auto& toast : m_toasts) count += toast ? 1 : 0;
    return count;
}

void ErrorPresenter::placeToasts() {
    if (!m_toastParent) return;
    int bottom = m_toastParent->height() - kToastMargin;
    for (auto it = m_toasts.rbegin(); it != m_toasts.rend(); ++it) {
        QWidget* toast = *it;
        if (!toast) continue;
        const int height = toast->hasHeightForWidth() ? toast->heightForWidth(toast->width()) : toast->sizeHint().height();
        toast->setGeometry(m_toastParent->width() - toast->width() - kToastMargin, bottom - height, toast->width(), height);
        toast->raise();
        bottom -= height + kToastGap;
    }
}

}  // namespace espalier::app
