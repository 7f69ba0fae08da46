#pragma once

#include <QHash>
#include <QVector>

#include <array>
#include <memory>

#include "app/pages/page.h"
#include "app/pages/run_lines.h"

class QComboBox;
class QGridLayout;
class QBoxLayout;
class QHBoxLayout;
class QLabel;
class QMenu;
class QScrollArea;
class QStackedWidget;
class QToolButton;

namespace espalier::widgets {
class AccentSlider;
class ChartGroup;
class EmptyState;
class LossChart;
class PageToolBar;
class SegmentedControl;
}  // namespace espalier::widgets

namespace espalier::app {

class RunBanner;

/// Live and finished runs as curves: loss large, below it top-1, learning rate and gradient norm, or every series in
/// a grid. Draws the shown runs, the current one in front. Grows with EngineBridge::pointsAppended. GUI thread.
class TrainPage : public Page {
    Q_OBJECT
public:
    explicit TrainPage(AppContext& context, QWidget* parent = nullptr);

    QString key() const override { return QStringLiteral("train"); }
    QString title() const override { return tr("Train"); }
    QString iconName() const override { return QStringLiteral("train"); }
    void activated() override;
    void deactivated() override { m_isActive = false; }
    QJsonObject saveState() const override;
    void restoreState(const QJsonObject& state) override;
    bool isSettled() const override;
    void exportFigure() override;

    widgets::ChartGroup* group() const { return m_group; }
    widgets::LossChart* lossChart() const { return m_loss; }
    RunBanner* banner() const { return m_banner; }
    /// The charts on screen, the large one first.
    QVector<widgets::LossChart*> charts() const;

protected:
    void resizeEvent(QResizeEvent* event) override;

private:
    enum class Layout { Training, LossOnly, AllSeries };
    void buildToolBar();
    void buildCharts();
    QWidget* trainingBody();
    void connectSignals();
    void setLayoutKind(Layout layout);

    void scheduleRebuild();
    void rebuild();
    void rebuildChips();
    void rebuildTraining(const QStringList& runs, const QStringList& labels);
    void rebuildAllSeries(const QStringList& runs, const QStringList& labels);
    void refreshEvents();
    void refreshSmoothing();
    void onPoints(const QString& run, const QString& series);
    double automaticSmoothing() const;
    void applyAutomaticSmoothing();
    void setSmoothingByUser(double steps);
    void showEmptyOr(QWidget* body);
    void fillExportMenu(QMenu& menu);
    void exportCharts(const QVector<widgets::LossChart*>& charts, int columns, const QString& name);
    void exportPoints();

    RunLines m_lines;
    widgets::ChartGroup* m_group = nullptr;
    widgets::PageToolBar* m_bar = nullptr;
    QWidget* m_chips = nullptr;
    QHBoxLayout* m_chipLayout = nullptr;
    widgets::SegmentedControl* m_xKind = nullptr;
    widgets::AccentSlider* m_smoothing = nullptr;
    QLabel* m_smoothingText = nullptr;
    QToolButton* m_events = nullptr;
    QComboBox* m_layoutBox = nullptr;
    QStackedWidget* m_stack = nullptr;
    widgets::EmptyState* m_empty = nullptr;
    QWidget *m_trainingBody = nullptr, *m_lower = nullptr;
    QBoxLayout* m_lowerRow = nullptr;
    std::array<QWidget*, 2> m_lowerLines{};
    RunBanner* m_banner = nullptr;
    QScrollArea* m_allBody = nullptr;
    QGridLayout* m_allGrid = nullptr;
    QHash<QString, widgets::LossChart*> m_allCharts;
    widgets::LossChart *m_loss = nullptr, *m_top1 = nullptr, *m_rate = nullptr, *m_norm = nullptr;
    Layout m_layout = Layout::Training;
    bool m_isActive = false, m_isRebuildPending = false, m_isSmoothingManual = false, m_isSmoothingAutomatic = false;
    QSet<QString> m_asked;       ///< runs whose log was asked for
    QSet<QString> m_knownLines;  ///< "run/series" that some chart draws
};

/// Slider position 0…100 to smoothing steps, and back: off at 0, then a logarithmic scale from 1 to 10,000 steps.
double smoothingOfSlider(int position);
int sliderOfSmoothing(double steps);

}  // namespace espalier::app
