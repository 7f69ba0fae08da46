#pragma once

#include <QAction>
#include <QHash>
#include <QKeySequence>
#include <QKeySequenceEdit>
#include <QList>
#include <QObject>

#include <vector>

class QToolButton;

namespace espalier::app {

class FormRow;
class Settings;

/// One row an action: its key as a field that takes the next key pressed, and a button back to the default. A key that
/// another action has is refused with the name of that action and a link that takes it from there. GUI thread.
class KeySettings : public QObject {
    Q_OBJECT
public:
    KeySettings(Settings& settings, const QList<QAction*>& actions, const QHash<QString, QList<QKeySequence>>& defaults,
                QWidget* rowParent);

    struct Row {
        QString id, words;
        QAction* action = nullptr;
        FormRow* form = nullptr;
        QKeySequenceEdit* edit = nullptr;
        QToolButton *clear = nullptr, *reset = nullptr;
    };
    std::vector<Row>& rows() { return m_rows; }
    Row* row(const QString& id);

private:
    void addRow(QAction* action, QWidget* parent);
    void typed(Row& row);
    void store(Row& row, const QKeySequence& key);
    void takeFromOther(Row& row);
    Row* ownerOf(const QKeySequence& key, const Row& except);
    void refresh();

    Settings& m_settings;
    QHash<QString, QList<QKeySequence>> m_defaults;
    std::vector<Row> m_rows;  ///< filled once: rows are referred to by index
    bool m_isWriting = false;
};

}  // namespace espalier::app
