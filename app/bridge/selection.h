#pragma once

#include <QObject>
#include <QString>
#include <QStringList>

namespace espalier::app {

/// What the whole window looks at: one current run, the runs shown in charts, one data set, one recipe. Ids only.
/// Pages read it and react to its signals; navigator and pages write it.
class Selection : public QObject {
    Q_OBJECT
public:
    using QObject::QObject;

    /// Kind of the thing that the inspector shows.
    enum class Focus { None, Run, Dataset, Recipe };

    QString currentRun() const { return m_run; }
    /// Runs whose swatch is filled, in the order they were shown. The current run is always among what pages draw.
    QStringList shownRuns() const { return m_shown; }
    bool isShown(const QString& run) const { return m_shown.contains(run); }
    /// shownRuns() with the current run in front.
    QStringList drawnRuns() const;
    QString currentDataset() const { return m_dataset; }
    QString currentRecipe() const { return m_recipe; }
    Focus focus() const { return m_focus; }

    void setCurrentRun(const QString& run);
    void setShown(const QString& run, bool isShown);
    void setShownRuns(const QStringList& runs);
    void setCurrentDataset(const QString& dataset);
    void setCurrentRecipe(const QString& recipe);

Q_SIGNALS:
    void currentRunChanged(const QString& run);
    void shownRunsChanged();
    void currentDatasetChanged(const QString& dataset);
    void currentRecipeChanged(const QString& recipe);
    void focusChanged();

private:
    void setFocus(Focus focus);

    QString m_run, m_dataset, m_recipe;
    QStringList m_shown;
    Focus m_focus = Focus::None;
};

}  // namespace espalier::app
