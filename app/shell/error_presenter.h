#pragma once

#include <QObject>
#include <QPointer>
#include <QString>
#include <QWidget>

#include <functional>
#include <vector>

#include "engine/base/result.h"

class QVBoxLayout;

namespace espalier::app {

/// A button in a banner or toast.
struct Remedy {
    QString text;
    std::function<void()> act;
};

/// Where banners stand, below one another, with the page's margins around them; nothing at all without one. Others may
/// put banners of their own in.
class BannerArea : public QWidget {
    Q_OBJECT
public:
    explicit BannerArea(QWidget* parent = nullptr);
    QVBoxLayout* column() const { return m_column; }

protected:
    void childEvent(QChildEvent* event) override;

private:
    void fit();
    QVBoxLayout* m_column;
};

/// Shows each error once: as a banner over the pages (what failed, where, what is safe, up to two remedies, copy) or
/// as a toast at the bottom right. Never a modal window.
class ErrorPresenter : public QObject {
    Q_OBJECT
public:
    /// Banners go into `bannerArea`, toasts float over `toastParent`.
    ErrorPresenter(QVBoxLayout* bannerArea, QWidget* toastParent, QObject* parent = nullptr);

    /// `heading` stands for what the error says where a page knows it shorter.
    void show(const Error& error, const std::vector<Remedy>& remedies = {}, const QString& heading = {});
    void warn(const QString& what, const QString& detail = {}, const std::vector<Remedy>& remedies = {});
    /// Six seconds at the bottom right; at most three, the oldest goes first. `bold` + ordinary text + one button.
    void toast(const QString& bold, const QString& text = {}, const QString& iconName = {},
               const std::vector<Remedy>& remedies = {});
    int bannerCount() const;
    int toastCount() const;
    void placeToasts();  ///< after the parent was resized

protected:
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    QPointer<QWidget> m_toastParent;
    QVBoxLayout* m_bannerArea;
    std::vector<QPointer<QWidget>> m_toasts;
};

}  // namespace espalier::app
