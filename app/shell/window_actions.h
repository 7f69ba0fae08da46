#pragma once

#include <QAction>
#include <QHash>
#include <QKeySequence>
#include <QList>
#include <QObject>

#include <functional>

#include "app/bridge/app_context.h"

class QMenu;
class QMenuBar;

namespace espalier::app {

class MainWindow;

/// All actions of the window with their keys, and the menus made of them. GUI thread.
class WindowActions : public QObject {
    Q_OBJECT
public:
    WindowActions(AppContext& context, MainWindow& window);

    const QList<QAction*>& all() const { return m_all; }
    QAction* sidePanels() const { return m_sidePanels; }
    QAction* nextTheme() const { return m_nextTheme; }
    QAction* settings() const { return m_settings; }

private:
    void buildFile(QMenuBar& bar);
    void buildEdit(QMenuBar& bar);
    void buildView(QMenuBar& bar);
    void buildRun(QMenuBar& bar);
    void buildWindow(QMenuBar& bar);
    void buildHelp(QMenuBar& bar);
    /// `id` names the action in the settings and never changes.
    QAction* add(QMenu* menu, const QString& id, const QString& words, const QList<QKeySequence>& keys,
                 const QString& iconName, const std::function<void()>& act);
    void enlist(QAction* action, const QString& id, const QList<QKeySequence>& keys);
    void applyKeys();
    void fillRecentWorkspaces(QMenu& menu);
    void fillRecentData(QMenu& menu);
    void toggleSidePanels();
    void copyPicture();
    void showShortcuts();

    AppContext& m_context;
    MainWindow& m_window;
    QList<QAction*> m_all;
    QHash<QString, QList<QKeySequence>> m_defaults;  ///< by id
    QAction *m_sidePanels = nullptr, *m_nextTheme = nullptr, *m_settings = nullptr;
};

}  // namespace espalier::app
