#pragma once

#include <QAction>
#include <QDialog>
#include <QList>

#include "app/bridge/app_context.h"

namespace espalier::widgets {
class KeyValueList;
}

namespace espalier::app {

/// Version, libraries, processor, memory, devices: what a bug report needs. Copyable.
class AboutDialog : public QDialog {
    Q_OBJECT
public:
    explicit AboutDialog(AppContext& context, QWidget* parent = nullptr);

private:
    void show(const runtime::MachineReport& machine);
    widgets::KeyValueList* m_facts;
    QString m_text;
};

/// Every action with its keys.
class ShortcutsDialog : public QDialog {
    Q_OBJECT
public:
    explicit ShortcutsDialog(const QList<QAction*>& actions, QWidget* parent = nullptr);
};

}  // namespace espalier::app
