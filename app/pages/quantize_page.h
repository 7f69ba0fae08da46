#pragma once

#include <QPointer>
#include <QTimer>

#include <functional>

#include "app/pages/page.h"
#include "app/pages/page_parts.h"
#include "app/pages/quantize_data.h"

class QComboBox;
class QLabel;
class QMenu;
class QPushButton;
class QStackedWidget;
class QToolButton;

namespace espalier::widgets {
class Badge;
class ChartHeader;
class ColorBar;
class EmptyState;
class KeyValueList;
class MethodLegend;
class PageToolBar;
class PaintedChart;
class ProgressBar;
class ReadoutBox;
class SegmentedControl;
class ShiftScatter;
class WeightHistogram;
}  // namespace espalier::widgets

namespace espalier::app {

class QuantizeInspector;

/// Size against accuracy of one compress or quantize job, and what each option does to each layer. Grows while the job
/// runs; the chosen point can be exported as a model. Reads through BackgroundReads only. GUI thread.
class QuantizePage : public Page {
    Q_OBJECT
public:
    explicit QuantizePage(AppContext& context, QWidget* parent = nullptr);
    ~QuantizePage() override;

    QString key() const override { return QStringLiteral("quantize"); }
    QString title() const override { return tr("Quantize"); }
    QString iconName() const override { return QStringLiteral("quantize"); }
    void activated() override;
    void deactivated() override { m_isActive = false; }
    QJsonObject saveState() const override;
    void restoreState(const QJsonObject& state) override;
    bool isSettled() const override;
    QWidget* inspector() override;
    void exportFigure() override;
    QString copyPicture() override;
    QVector<widgets::KeyHelp> keyHelp() const override;

    /// Writes the model of a point in the background; `exported` follows. The button asks chooseFile first.
    void exportPointTo(int point, const QString& path);
    /// Asks for the file of an export; tests put their own in.
    std::function<QString(const QString& suggested)> chooseFile, chooseFigure;
    void fillExportMenu(QMenu& menu);
    widgets::Figure lanesFigure() const;

    // For tests: what is drawn.
    widgets::TradeoffScatter* scatter() const { return m_scatter; }
    widgets::SensitivityMap* sensitivity() const { return m_sensitivity; }
    widgets::AllocationStrip* allocation() const { return m_allocation; }
    widgets::CalibrationBars* calibration() const { return m_calibration; }
    widgets::WeightHistogram* histogram() const { return m_histogram; }
    widgets::ShiftScatter* shift() const { return m_shift; }
    widgets::MethodLegend* legend() const { return m_legend; }
    widgets::ReadoutBox* readout() const { return m_readout; }
    QuantizeInspector* details() const;
    const QuantizeData& data() const { return m_data; }
    int selectedPoint() const { return m_point; }

Q_SIGNALS:
    void exported(int point, const QString& path, bool isWritten);

protected:
    void resizeEvent(QResizeEvent* event) override;

private:
    // quantize_page_parts.cpp: what stands where
    void buildToolBar();
    QWidget* buildBody();
    QWidget* buildLeft();
    QWidget* buildRight();
    void connectParts();

    // quantize_page.cpp: what is read and chosen
    void setRun();
    QStringList jobsOf(const QString& run) const;
    void showJob(const QString& job);
    void scheduleRead();
    void readJob();
    void takeData(QuantizeData data);
    void exportChart(widgets::PaintedChart* chart);
    void exportLanes();
    void selectPoint(int id, bool isByUser);
    void selectLayer(int layer);

    // quantize_page_views.cpp: what the parts show
    void refreshToolBar();
    void refreshScatter();
    void refreshLegend();
    void refreshLanes();
    void refreshCells();
    void refreshBadge();
    void readLayer();
    void refreshOptions();
    void refreshInspector();
    void showEmpty();
    std::string methodShown() const;
    double moved(const feed::TradeoffLayer& layer, const char* what) const;
    const feed::TradeoffLayer* layerAt(int column) const;

    QString m_run, m_job;
    QuantizeData m_data;
    QString m_readProblem;
    int m_point = -1;
    bool m_hasPicked = false, m_isActive = false, m_isStale = true, m_isCompact = false;
    CostKind m_cost = CostKind::Size;
    QTimer m_readTimer;

    widgets::PageToolBar* m_bar = nullptr;
    RunTitle m_title;
    QLabel *m_jobLabel = nullptr, *m_stage = nullptr, *m_lowLabel = nullptr, *m_highLabel = nullptr;
    QComboBox* m_jobBox = nullptr;
    widgets::ProgressBar* m_progress = nullptr;
    widgets::SegmentedControl *m_costControl = nullptr, *m_measureControl = nullptr;
    QToolButton* m_allButton = nullptr;
    QStackedWidget* m_stack = nullptr;
    widgets::EmptyState* m_empty = nullptr;
    QPushButton* m_start = nullptr;
    QWidget *m_body = nullptr, *m_right = nullptr, *m_optionsPart = nullptr;
    widgets::ColorBar* m_colorBar = nullptr;
    widgets::LayerColumns* m_columns = nullptr;
    widgets::ChartHeader *m_scatterHeader = nullptr, *m_sensitivityHeader = nullptr, *m_allocationHeader = nullptr, *m_calibrationHeader = nullptr,
                         *m_histogramHeader = nullptr, *m_shiftHeader = nullptr, *m_optionsHeader = nullptr;
    widgets::Badge* m_badge = nullptr;
    widgets::MethodLegend *m_legend = nullptr, *m_calibrationLegend = nullptr;
    widgets::TradeoffScatter* m_scatter = nullptr;
    widgets::SensitivityMap* m_sensitivity = nullptr;
    widgets::AllocationStrip* m_allocation = nullptr;
    widgets::CalibrationBars* m_calibration = nullptr;
    widgets::WeightHistogram* m_histogram = nullptr;
    widgets::ShiftScatter* m_shift = nullptr;
    widgets::ReadoutBox* m_readout = nullptr;
    widgets::KeyValueList* m_options = nullptr;
    QPointer<QuantizeInspector> m_inspector;  ///< shown by the window, which may outlive or delete it
};

}  // namespace espalier::app
