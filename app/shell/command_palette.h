#pragma once

#include <QAction>
#include <QFrame>
#include <QLineEdit>
#include <QPointer>

#include <functional>
#include <vector>

#include "app/bridge/app_context.h"

class QListView;
class QStandardItemModel;

namespace espalier::app {

/// One thing the palette can do.
struct PaletteEntry {
    QString text, detail, iconName;
    std::function<void()> act;
};

/// How well `typed` is found in `text`: 0 = not at all; whole words, word starts and short texts score higher.
int fuzzyScore(const QString& typed, const QString& text);

/// Field in the menu bar, 300×22, with "Ctrl K" at its right; typing opens the list of runs, recipes, data sets and
/// actions below it. GUI thread.
class CommandField : public QLineEdit {
    Q_OBJECT
public:
    CommandField(AppContext& context, QWidget* window);
    /// Actions of the menus, offered with their keys.
    void setActions(const QList<QAction*>& actions) { m_actions = actions; }
    void open();
    bool isListOpen() const;
    /// What the list shows for the present text (for tests).
    QStringList shownTexts() const;

protected:
    void keyPressEvent(QKeyEvent* event) override;
    void focusInEvent(QFocusEvent* event) override;
    void focusOutEvent(QFocusEvent* event) override;
    void paintEvent(QPaintEvent* event) override;

private:
    std::vector<PaletteEntry> collect() const;
    void refresh();
    void place();
    void run(int row);
    void close();

    AppContext& m_context;
    QWidget* m_window;
    QList<QAction*> m_actions;
    QFrame* m_popup;
    QListView* m_list;
    QStandardItemModel* m_model;
    std::vector<PaletteEntry> m_entries;
};

}  // namespace espalier::app
