#pragma once

#include <QPointer>
#include <QScrollArea>
#include <QStackedWidget>

#include "app/bridge/app_context.h"

namespace espalier::app {

class Page;

/// Right dock: what the active page wants shown, else the run, data set or recipe that is selected. GUI thread.
class Inspector : public QWidget {
    Q_OBJECT
public:
    explicit Inspector(AppContext& context, QWidget* parent = nullptr);

    /// The active page; its own inspector wins over the shell's.
    void setPage(Page* page);
    /// The widget that is shown (for tests).
    QWidget* shown() const;

private:
    void update();

    AppContext& m_context;
    QPointer<Page> m_page;
    QStackedWidget* m_stack;
    QScrollArea* m_pageArea;
    QWidget *m_run, *m_dataset, *m_recipe, *m_empty;
};

/// Scroll area for a column of sections, as wide as the dock.
QScrollArea* makeInspectorArea(QWidget* content, QWidget* parent);

}  // namespace espalier::app
