#pragma once

#include <QWidget>

#include "app/bridge/app_context.h"

class QLabel;
class QVBoxLayout;

namespace espalier::widgets {
class ClaimBar;
class ElidedLabel;
class FlowLayout;
class KeyValueList;
class Reading;
class Section;
class Swatch;
}  // namespace espalier::widgets

namespace espalier::app {

class NoteEdit;

/// One run: name, state and tags, readings, paper claim, parameters that differ, manifest, note. GUI thread.
class RunInspector : public QWidget {
    Q_OBJECT
public:
    explicit RunInspector(AppContext& context, QWidget* parent = nullptr);
    QString runId() const { return m_runId; }

private:
    void buildHeader(QVBoxLayout* layout);
    QWidget* makeClaim();
    void connectAll();
    void setRun(const QString& id);
    void refresh();
    void refreshHeader(const feed::RunInfo& run);
    void refreshReadings(const feed::RunInfo& run);
    static QString momentText(const feed::RunInfo& run, std::int64_t step);
    void refreshClaim(const feed::RunInfo& run);
    void refreshParameters(const feed::RunInfo& run);
    void refreshManifest(const feed::RunInfo& run);
    void showMenu(const QPoint& global);
    void startRename();

    AppContext& m_context;
    QString m_runId;
    widgets::Swatch* m_swatch;
    widgets::ElidedLabel* m_name;
    widgets::FlowLayout* m_chips;
    widgets::Reading *m_best, *m_now;
    widgets::Section *m_claimSection, *m_parameterSection, *m_manifestSection, *m_noteSection;
    widgets::ElidedLabel* m_claimText;
    QLabel *m_claimGap, *m_claimNote;
    widgets::ClaimBar* m_claimBar;
    widgets::KeyValueList *m_parameters, *m_manifest;
    NoteEdit* m_note;
    QStringList m_chipState;  ///< what the chips show, to rebuild them only when it changed
};

}  // namespace espalier::app
