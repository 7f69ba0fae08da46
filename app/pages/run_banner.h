#pragma once

#include <QPointer>
#include <QString>
#include <QWidget>

#include "app/bridge/app_context.h"

namespace espalier::widgets {
class Banner;
}

namespace espalier::app {

/// Over the charts of a run that paused by itself (the loss is not finite): what happened, in which series, at which
/// step, and the buttons Resume and Stop. Hidden otherwise. GUI thread.
class RunBanner : public QWidget {
    Q_OBJECT
public:
    explicit RunBanner(AppContext& context, QWidget* parent = nullptr);
    void setRun(const QString& run);
    QString text() const;  ///< empty while nothing is wrong

private:
    void refresh();
    QString place() const;

    AppContext& m_context;
    QString m_run, m_shown;
    QPointer<widgets::Banner> m_banner;  ///< the user may close it
};

}  // namespace espalier::app
