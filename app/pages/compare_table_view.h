#pragma once

#include <QTableView>

namespace espalier::app {

class CompareModel;

/// Dense table of the comparison: rows of 20 px parted by lines, sections across all columns, values at the right with
/// their difference before them. Ctrl+C copies what is selected as tab-separated text, points as decimal marks.
class CompareTableView : public QTableView {
    Q_OBJECT
public:
    explicit CompareTableView(QWidget* parent = nullptr);
    void setCompareModel(CompareModel* model);
    void fitColumns();
    int contentHeight() const;

protected:
    void resizeEvent(QResizeEvent*) override;
    void keyPressEvent(QKeyEvent*) override;

private:
    CompareModel* m_model = nullptr;
};

}  // namespace espalier::app
