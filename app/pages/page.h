#pragma once

#include <QJsonObject>
#include <QString>
#include <QWidget>

#include "app/bridge/app_context.h"
#include "widgets/plot/chart_keys.h"

namespace espalier::app {

/// One tab of the window. A page composes widgets and owns no data: it reads bridge and selection and reacts to their
/// signals. It puts its own widgets::PageToolBar on top. GUI thread.
class Page : public QWidget {
    Q_OBJECT
public:
    explicit Page(AppContext& context, QWidget* parent = nullptr) : QWidget(parent), m_context(context) {}

    virtual QString key() const = 0;       ///< "train": settings, screenshots, commands
    virtual QString title() const = 0;     ///< tab text
    virtual QString iconName() const = 0;  ///< of resources/icons

    /// The page became visible / was left. Work that only matters on screen stops in between.
    virtual void activated() {}
    virtual void deactivated() {}

    /// View state that comes back after a restart: zoom, axis, splitter sizes. Unknown keys are ignored.
    virtual QJsonObject saveState() const { return {}; }
    virtual void restoreState(const QJsonObject&) {}

    /// Everything asked for is on screen: no read under way, layout done. Screenshots wait for it.
    virtual bool isSettled() const { return true; }

    /// What stands in the inspector while the page is active; null = the shell's own for run, data set or recipe.
    /// Owned by the page, shown by the window in a scroll area of 232 px or more. Announce changes by
    /// inspectorChanged().
    virtual QWidget* inspector() { return nullptr; }

    /// Ctrl+Shift+E and File > Export; the default does nothing.
    virtual void exportFigure() {}
    /// Ctrl+Shift+C: the chart with the focus, else the first one, as a picture on the clipboard. Returns its title,
    /// empty when the page shows none.
    virtual QString copyPicture();
    /// Keys that act on this page alone, for the list of keys; those of charts are not repeated.
    virtual QVector<widgets::KeyHelp> keyHelp() const { return {}; }
    /// Ctrl+F.
    virtual void focusSearch() {}

Q_SIGNALS:
    void inspectorChanged();

protected:
    AppContext& context() const { return m_context; }

private:
    AppContext& m_context;
};

}  // namespace espalier::app
