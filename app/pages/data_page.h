#pragma once

#include <QPointer>

#include <array>

#include "app/pages/data_parts.h"
#include "app/pages/data_sample_grid.h"
#include "app/pages/page.h"

class QButtonGroup;
class QLabel;
class QPushButton;
class QSpinBox;
class QSplitter;
class QStackedWidget;
class QToolButton;
class QTreeView;

namespace espalier::widgets {
class BarList;
class ChartHeader;
class Chip;
class ElidedLabel;
class EmptyState;
class PageToolBar;
class SegmentedControl;
class SplitBar;
}  // namespace espalier::widgets

namespace espalier::app {

class DataInspector;

/// One data set: split, samples, classes, sizes, warnings and duplicates. Shows the selected data set, else that of the
/// current run, else the newest. Reads in the background only. GUI thread.
class DataPage : public Page {
    Q_OBJECT
public:
    explicit DataPage(AppContext& context, QWidget* parent = nullptr);
    ~DataPage() override;

    QString key() const override { return QStringLiteral("data"); }
    QString title() const override { return tr("Data"); }
    QString iconName() const override { return QStringLiteral("dataset"); }
    void activated() override;
    void deactivated() override { m_isActive = false; }
    QJsonObject saveState() const override;
    void restoreState(const QJsonObject& state) override;
    bool isSettled() const override;
    QWidget* inspector() override;
    void exportFigure() override { exportSamples(); }
    QVector<widgets::KeyHelp> keyHelp() const override;

    /// Writes index, file, class, split, size and bytes of every sample as CSV.
    Result<void> exportCsv(const QString& path) const;

    QString datasetId() const { return m_dataset; }
    SampleGrid* grid() const { return m_grid; }
    widgets::SplitBar* splitBar() const { return m_split; }
    WarningModel* warnings() const { return m_warnings; }
    DuplicateList* duplicates() const { return m_duplicates; }
    SizeHistogram* histogram() const { return m_histogram; }
    DataInspector* details() const;
    QList<widgets::Chip*> classChips() const { return m_chips; }
    QPushButton* trainButton() const { return m_train; }
    QSpinBox* seedField() const { return m_seed; }
    QString splitHint() const;
    bool isEmptyShown() const;

protected:
    void resizeEvent(QResizeEvent* event) override;

private:
    // data_page_parts.cpp: what stands where
    void buildToolBar();
    QWidget* buildSplit();
    QWidget* buildBody();
    QWidget* buildSamples();
    QWidget* buildWarnings();
    QWidget* buildRight();
    QWidget* buildDuplicates();

    // data_page.cpp, data_page_classes.cpp, data_page_edits.cpp: what is read, shown and changed
    void choose();
    void readSamples();
    void takeSamples(SampleList samples);
    void refresh();
    void refreshSplit(const std::array<std::int64_t, 3>& counts, bool isPreview);
    void refreshClasses();
    void refreshChips();
    void refreshHistogram();
    void fitLowerParts();
    void resplit(const std::array<double, 3>& fractions, std::int64_t seed);
    void writeSplit(const QString& dataset, const std::array<double, 3>& fractions, std::int64_t seed);
    void showSample(std::int64_t index);
    void exportSamples();
    QString className(std::int64_t label) const;
    const feed::DatasetSummary* summary() const;

    QString m_dataset, m_readHash;
    QString m_shownKey;  ///< what of the data set stands on the page
    SampleList m_samples;
    bool m_isActive = false, m_isResplitting = false;

    widgets::PageToolBar* m_bar = nullptr;
    QLabel *m_name = nullptr, *m_count = nullptr, *m_hash = nullptr, *m_lock = nullptr;
    QToolButton* m_copyHash = nullptr;
    QPushButton *m_add = nullptr, *m_export = nullptr, *m_train = nullptr;
    QStackedWidget *m_stack = nullptr, *m_sampleStack = nullptr;
    widgets::EmptyState* m_empty = nullptr;
    QWidget *m_body = nullptr, *m_classArea = nullptr, *m_warningPart = nullptr, *m_duplicatePart = nullptr;
    std::array<QLabel*, 3> m_splitCounts{};
    widgets::SplitBar* m_split = nullptr;
    widgets::ElidedLabel* m_splitHint = nullptr;
    QLabel* m_seedLabel = nullptr;
    QSpinBox* m_seed = nullptr;
    SampleGrid* m_grid = nullptr;
    QTreeView* m_columns = nullptr;
    QWidget* m_chipHolder = nullptr;
    QLabel* m_samplesTitle = nullptr;
    QToolButton *m_moreClasses = nullptr, *m_order = nullptr, *m_large = nullptr;
    QList<widgets::Chip*> m_chips;
    widgets::ChartHeader *m_classHeader = nullptr, *m_sizeHeader = nullptr, *m_duplicateHeader = nullptr;
    widgets::BarList* m_classBars = nullptr;
    std::vector<int> m_classRows;  ///< class of each bar
    SizeHistogram* m_histogram = nullptr;
    widgets::SegmentedControl* m_sizeKind = nullptr;
    QLabel *m_skipped = nullptr, *m_changed = nullptr, *m_warningNote = nullptr;
    QTreeView* m_warningView = nullptr;
    QStackedWidget *m_warningStack = nullptr, *m_duplicateStack = nullptr;
    WarningModel* m_warnings = nullptr;
    DuplicateList* m_duplicates = nullptr;
    double m_medianBytes = 0, m_medianSide = 0;
    QPointer<DataInspector> m_inspector;  ///< shown by the window, which may outlive or delete it
};

}  // namespace espalier::app
