#pragma once

#include <QDialog>

#include <vector>

#include "app/bridge/app_context.h"

class QLabel;
class QPushButton;
class QStandardItemModel;
class QTreeView;

namespace espalier::app {

/// What lies in the trash with its size: put back what is chosen, or free the disk for good. Reads in the background,
/// again after every edit. GUI thread.
class TrashDialog : public QDialog {
    Q_OBJECT
public:
    explicit TrashDialog(AppContext& context, QWidget* parent = nullptr);

    QTreeView* view() const { return m_view; }
    QPushButton* restoreButton() const { return m_restore; }
    QPushButton* emptyButton() const { return m_empty; }

private:
    void build();
    void read();
    void show(std::vector<runtime::Workspace::TrashEntry> entries);
    void restoreChosen();
    void updateButtons();

    AppContext& m_context;
    std::vector<runtime::Workspace::TrashEntry> m_entries;
    QStandardItemModel* m_model = nullptr;
    QTreeView* m_view = nullptr;
    QLabel *m_words = nullptr, *m_note = nullptr;
    QPushButton *m_restore = nullptr, *m_empty = nullptr;
};

}  // namespace espalier::app
