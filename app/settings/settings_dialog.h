#pragma once

#include <QAction>
#include <QDialog>
#include <QHash>
#include <QKeySequence>
#include <QList>

#include <vector>

#include "app/bridge/app_context.h"

class QLabel;
class QScrollArea;
class QVBoxLayout;

namespace espalier::widgets {
class FilterField;
}

namespace espalier::app {

class FormRow;
class KeySettings;

/// Settings, applied at once: a search line over all of them, the default beside each and a button back to it.
class SettingsDialog : public QDialog {
    Q_OBJECT
public:
    SettingsDialog(AppContext& context, const QList<QAction*>& actions, const QHash<QString, QList<QKeySequence>>& defaultKeys,
                   QWidget* parent = nullptr);

    widgets::FilterField* search() const { return m_search; }
    KeySettings* keys() const { return m_keys; }
    QStringList shownRows() const;  ///< names of the rows the search left

private:
    /// A row of the section being filled; `reset` runs on the button at its right.
    FormRow* addRow(const QString& name, const QString& words, QWidget* editor, const QString& hint);
    void addHeading(const QString& title);
    void buildLook(AppContext& context);
    void buildFiles(AppContext& context);
    void find(const QString& words);

    struct Row {
        QWidget* widget;
        QLabel* heading;
        QString words;  ///< what the search looks in
        QString name;
    };
    widgets::FilterField* m_search;
    KeySettings* m_keys;
    QVBoxLayout* m_rows;
    QLabel* m_heading = nullptr;
    QLabel* m_nothing;
    std::vector<Row> m_all;
};

}  // namespace espalier::app
