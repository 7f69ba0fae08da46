#pragma once

#include <QWidget>

#include <optional>
#include <vector>

#include "app/pages/compare_groups.h"
#include "app/pages/paired_difference.h"
#include "engine/feed/run_info.h"

class QLabel;
class QVBoxLayout;

namespace espalier::widgets {
class KeyValueList;
class Section;
}  // namespace espalier::widgets

namespace espalier::app {

/// Beside the comparison: the runs with their baseline, the difference of one run from it with its interval, and the
/// figure. GUI thread; values only.
class CompareInspector : public QWidget {
    Q_OBJECT
public:
    explicit CompareInspector(QWidget* parent = nullptr);

    void setRuns(const std::vector<feed::RunInfo>& runs, const std::vector<RunGroup>& groups, int baseline, int chosen);
    /// What is compared and the result; without a result the sentence says why there is none.
    void setDifference(const QString& title, const QString& metric, const std::optional<PairedDifference>& paired, const QString& sentence, const QString& welchText);

Q_SIGNALS:
    void runChosen(int run);
    void baselineChosen(int run);
    void exportFigureClicked();
    void latexClicked();

private:
    class RunRows;
    class IntervalView;
    QLabel *m_title, *m_grouping, *m_value, *m_sentence;
    RunRows* m_rows;
    widgets::Section *m_differenceSection;
    IntervalView* m_interval;
    widgets::KeyValueList* m_facts;
};

}  // namespace espalier::app
