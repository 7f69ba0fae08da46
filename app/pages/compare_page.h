#pragma once

#include <QHash>
#include <QPointer>
#include <QVector>

#include "app/pages/compare_groups.h"
#include "app/pages/page.h"
#include "app/pages/page_parts.h"
#include "app/pages/run_lines.h"

class QComboBox;
class QStackedWidget;

namespace espalier::widgets {
class ChartGroup;
class EmptyState;
class LossChart;
class PageToolBar;
class SegmentedControl;
}  // namespace espalier::widgets

namespace espalier::app {

class CompareInspector;
class CompareModel;
class CompareTableView;

/// The shown runs side by side: overlaid curves (means and intervals where runs differ in the seed alone), only what
/// differs, final metrics with their difference from a baseline, a paired test on the same items. GUI thread.
class ComparePage : public Page {
    Q_OBJECT
public:
    explicit ComparePage(AppContext& context, QWidget* parent = nullptr);
    ~ComparePage() override;

    QString key() const override { return QStringLiteral("compare"); }
    QString title() const override { return tr("Compare"); }
    QString iconName() const override { return QStringLiteral("compare"); }
    void activated() override;
    void deactivated() override { m_isActive = false; }
    QJsonObject saveState() const override;
    void restoreState(const QJsonObject& state) override;
    bool isSettled() const override;
    QWidget* inspector() override;
    void exportFigure() override;
    QVector<widgets::KeyHelp> keyHelp() const override;

    CompareModel* model() const { return m_model; }
    QVector<widgets::LossChart*> charts() const { return {m_loss, m_top1}; }
    void setBaseline(const QString& run);
    QString baseline() const;
    const std::vector<RunGroup>& groups() const { return m_groups; }

private:
    // compare_page_parts.cpp: what stands where
    void buildToolBar();
    void connectSignals();

    // compare_page.cpp: what is read and shown
    void scheduleRebuild();
    void rebuild();
    void rebuildCharts();
    void rebuildChart(widgets::LossChart* chart, std::string_view series, bool isLoss);
    void rebuildTable();
    void showTable();
    void rebuildInspector();
    void compareItems();
    QString welchSentence(int a, int b) const;
    std::vector<std::pair<double, double>> curveOf(const QString& run, std::string_view series);
    void onPoints(const QString& run, const QString& series);
    void copyTable(bool isLatex);

    RunLines m_lines;
    std::vector<feed::RunInfo> m_runs;
    feed::RunDiff m_diff;  ///< of m_runs, or of those compared before until it is read
    QStringList m_ids, m_short;
    std::vector<RunGroup> m_groups;
    QString m_baseline, m_chosen, m_compared;
    bool m_isBaselineChosen = false;  ///< by the user, who may measure against a run that has not ended
    widgets::PageToolBar* m_bar = nullptr;
    QComboBox *m_groupBox = nullptr, *m_baselineBox = nullptr;
    widgets::SegmentedControl *m_band = nullptr, *m_xKind = nullptr;
    ChartTools m_tools;
    QStackedWidget* m_stack = nullptr;
    widgets::ChartGroup* m_group = nullptr;
    widgets::LossChart *m_loss = nullptr, *m_top1 = nullptr;
    CompareModel* m_model = nullptr;
    CompareTableView* m_table = nullptr;
    QWidget* m_tableBox = nullptr;
    QPointer<CompareInspector> m_inspector;
    QSet<QString> m_asked;
    bool m_isActive = false, m_isRebuildPending = false;
};

}  // namespace espalier::app
