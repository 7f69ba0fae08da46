#pragma once

#include <QAction>
#include <QDialog>
#include <QList>

#include <vector>

#include "app/bridge/app_context.h"
#include "widgets/plot/chart_keys.h"

namespace espalier::widgets {
class KeyValueList;
}

class QVBoxLayout;

namespace espalier::app {

class Page;

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

/// Every action with its keys, then the keys of charts and of each page, the current one first.
class ShortcutsDialog : public QDialog {
    Q_OBJECT
public:
    ShortcutsDialog(const QList<QAction*>& actions, const std::vector<Page*>& pages, const Page* current, QWidget* parent = nullptr);

private:
    void addGroup(QVBoxLayout* column, const QString& title, const QVector<widgets::KeyHelp>& keys);
};

}  // namespace espalier::app
