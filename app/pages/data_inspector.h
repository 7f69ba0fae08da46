#pragma once

#include <QImage>
#include <QWidget>

#include <optional>

#include "app/bridge/app_context.h"
#include "engine/feed/dataset.h"

class QLabel;
class QVBoxLayout;

namespace espalier::widgets {
class ElidedLabel;
class FlowLayout;
class KeyValueList;
class Section;
}  // namespace espalier::widgets

namespace espalier::app {

/// Right dock of the Data page: the chosen sample on top, then manifest, content hash, channels, checks, runs that
/// used the data.
class DataInspector : public QWidget {
    Q_OBJECT
public:
    explicit DataInspector(AppContext& context, QWidget* parent = nullptr);
    void setDataset(const feed::DatasetSummary& set);
    /// Reads the runs that used it again.
    void refreshRuns();
    void setSample(const std::optional<feed::SampleInfo>& sample, const QString& className);

    widgets::KeyValueList* sampleRows() const { return m_sampleRows; }
    widgets::KeyValueList* manifestRows() const { return m_manifest; }
    /// What the checks say, a line each.
    QStringList checkTexts() const { return m_checkTexts; }

protected:
    void resizeEvent(QResizeEvent* event) override;

private:
    class Picture;
    class Channels;
    class UsedBy;
    void setChecks(const feed::DatasetSummary& set);
    void fitChips();
    void startRename();
    void showMenu(const QPoint& global);

    AppContext& m_context;
    QString m_dataset;
    QStringList m_checkTexts;
    widgets::ElidedLabel* m_name;
    widgets::FlowLayout* m_chips;
    widgets::Section *m_sample, *m_channelSection, *m_usedSection;
    Picture* m_picture;
    Channels* m_channels;
    UsedBy* m_used;
    widgets::KeyValueList *m_sampleRows, *m_manifest;
    QLabel* m_hash;
    QWidget* m_checks;
    QVBoxLayout* m_checkLayout;
};

}  // namespace espalier::app
