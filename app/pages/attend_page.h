#pragma once

#include <QPointer>
#include <QTimer>

#include <functional>

#include "app/pages/attend_data.h"
#include "app/pages/attend_figures.h"
#include "app/pages/page.h"
#include "app/pages/page_parts.h"
#include "app/pages/run_lines.h"
#include "widgets/heatmap/heat_image.h"

class QBoxLayout;
class QComboBox;
class QGridLayout;
class QLabel;
class QMenu;
class QStackedWidget;
class QToolButton;

namespace espalier::widgets {
class AccentSlider;
class AttentionMap;
class ChartGroup;
class ChartHeader;
class ColorBar;
class EmptyState;
class EpochScrubber;
class HeadWall;
class LossChart;
class MiniMap;
class PageToolBar;
class ProbeStrip;
class SegmentedControl;
class TokenBars;
}  // namespace espalier::widgets

namespace espalier::app {

class AttendInspector;

/// Where a model looks: attention of every head over pinned images through training time. Everything comes from the
/// run's log through BackgroundReads, one probe of one snapshot at a time. GUI thread.
class AttendPage : public Page {
    Q_OBJECT
public:
    explicit AttendPage(AppContext& context, QWidget* parent = nullptr);
    ~AttendPage() override;

    QString key() const override { return QStringLiteral("attend"); }
    QString title() const override { return tr("Attend"); }
    QString iconName() const override { return QStringLiteral("attention"); }
    void activated() override;
    void deactivated() override;
    QJsonObject saveState() const override;
    void restoreState(const QJsonObject& state) override;
    bool isSettled() const override;
    /// Parts shrink and go before the page asks for more room.
    QSize minimumSizeHint() const override { return {600, 460}; }
    QWidget* inspector() override;
    void exportFigure() override;
    QString copyPicture() override;
    QVector<widgets::KeyHelp> keyHelp() const override;

    enum class ReadOut { HeadRow, Pooling, Rollout, Class };
    ReadOut readOut() const { return m_readOut; }
    /// The large map as shown, and every head of it.
    widgets::Figure mapAsFigure() const;
    widgets::Figure wallAsFigure() const;
    void fillExportMenu(QMenu& menu);
    void copyMap();
    /// Asks for the file of an export; tests put their own in.
    std::function<QString(const QString& suggested)> chooseFile;

    // For tests: what is drawn.
    widgets::AttentionMap* map() const { return m_map; }
    widgets::HeadWall* wall() const { return m_wall; }
    widgets::ProbeStrip* strip() const { return m_strip; }
    widgets::EpochScrubber* scrubber() const { return m_scrubber; }
    widgets::MiniMap* classMap() const { return m_classMap; }
    widgets::LossChart* entropyChart() const { return m_entropy; }
    widgets::AccentSlider* opacitySlider() const { return m_opacity; }
    widgets::SegmentedControl* readOutControl() const { return m_readOutControl; }
    const AttendIndex& index() const { return m_index; }
    const std::vector<float>& shownWeights() const { return m_shown; }
    int layer() const { return m_layer; }
    int head() const { return m_head; }
    int snapshot() const { return m_snapshot; }

protected:
    void resizeEvent(QResizeEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;

private:
    // attend_page_parts.cpp: what stands where
    void buildToolBar();
    QWidget* buildBody();
    QWidget* buildLeft();
    QWidget* buildRight();
    QWidget* buildScrubber();
    void connectParts();
    void arrange();
    void arrangeRight(int wide, int high);
    void placeMinis(bool isBeside);

    // attend_page.cpp: what is read and chosen
    void setRun(const QString& run);
    void scheduleIndex();
    void readIndex();
    void takeIndex(AttendIndex index);
    void readMaps(bool isCompared);
    void showSnapshot(int index);
    void setCompared(int index);
    void setProbe(int probe);
    void setReadOut(ReadOut readOut);
    void setQuery(int token);
    void setHead(int layer, int head);
    void play(bool isPlaying);
    void exportCurves();
    QString suggestedName() const;

    // attend_page_views.cpp: what the parts show
    void refreshToolBar();
    void refreshProbes();
    void refreshMaps();
    void refreshLarge();
    void refreshWall();
    void refreshMinis();
    void refreshCharts();
    void refreshChartCursor();
    void refreshInspector();
    void refreshScrubber();
    void showHover(int token, double weight);
    void showEmpty();

    const LayerMaps* layerMaps(const ProbeMaps& maps) const;
    std::vector<float> weightsOf(const ProbeMaps& maps) const;
    QString momentName(int snapshot) const;
    /// Epochs trained by then, from the run's own train/epoch series; −1 when the run counts none.
    double epochsAt(int snapshot) const;
    double positionOf(int snapshot) const;
    double lastPosition() const;
    QString className(std::int64_t label) const;
    QString tokenName(int token) const;
    int shownClass() const;
    QColor runColor() const;
    widgets::Sampling sampling() const;

    mutable RunLines m_lines;  ///< makes its epoch tables when asked
    QString m_run;
    AttendIndex m_index;
    ProbeMaps m_now, m_before;
    std::vector<float> m_shown;
    QString m_readProblem;
    int m_probe = 0, m_snapshot = -1, m_compared = -1, m_layer = -1, m_head = 0, m_query = -1, m_class = -1;
    std::int64_t m_askedStep = -1;
    ReadOut m_readOut = ReadOut::HeadRow;
    bool m_isReceived = false, m_isFollowing = true, m_isActive = false, m_isStale = true, m_isWaiting = false, m_hasPickedCompared = false;
    QTimer m_indexTimer, m_playTimer;

    widgets::PageToolBar* m_bar = nullptr;
    RunTitle m_title;
    QLabel *m_opacityText = nullptr, *m_rangeText = nullptr, *m_halfText = nullptr, *m_moment = nullptr, *m_step = nullptr,
           *m_count = nullptr, *m_weightLabel = nullptr;
    widgets::SegmentedControl *m_readOutControl = nullptr, *m_direction = nullptr, *m_samplingControl = nullptr, *m_rangeControl = nullptr,
                              *m_followControl = nullptr;
    QComboBox* m_compareBox = nullptr;
    QToolButton *m_overlayButton = nullptr, *m_gridButton = nullptr, *m_playButton = nullptr, *m_classTokenButton = nullptr;
    QStackedWidget* m_stack = nullptr;
    widgets::EmptyState* m_empty = nullptr;
    QWidget *m_body = nullptr, *m_left = nullptr, *m_barsPart = nullptr, *m_chartsPart = nullptr;
    widgets::ColorBar* m_colorBar = nullptr;
    widgets::ProbeStrip* m_strip = nullptr;
    widgets::ChartHeader *m_mapHeader = nullptr, *m_wallHeader = nullptr, *m_barsHeader = nullptr;
    widgets::AttentionMap* m_map = nullptr;
    widgets::AccentSlider* m_opacity = nullptr;
    widgets::TokenBars* m_bars = nullptr;
    widgets::HeadWall* m_wall = nullptr;
    QBoxLayout* m_upper = nullptr;
    QGridLayout* m_miniGrid = nullptr;
    std::vector<widgets::MiniMap*> m_minis;
    bool m_hasMinisBeside = false;
    widgets::MiniMap *m_poolingMap = nullptr, *m_rolloutMap = nullptr, *m_classMap = nullptr, *m_changeMap = nullptr;
    widgets::ChartGroup* m_group = nullptr;
    widgets::LossChart *m_entropy = nullptr, *m_distance = nullptr;
    widgets::EpochScrubber* m_scrubber = nullptr;
    QPointer<AttendInspector> m_inspector;  ///< shown by the window, which may outlive or delete it
};

}  // namespace espalier::app
