#include "app/bridge/selection.h"

namespace espalier::app {

QStringList Selection::drawnRuns() const {
    if (m_run.isEmpty()) return m_shown;
    QStringList runs{m_run};
    for (const QString& run : m_shown)
        if (run != m_run) runs << run;
    return runs;
}

void Selection::setFocus(Focus focus) {
    if (focus == m_focus) return;
    m_focus = focus;
    Q_EMIT focusChanged();
}

void Selection::setCurrentRun(const QString& run) {
    if (run != m_run) {
        m_run = run;
        Q_EMIT currentRunChanged(run);
    }
    setFocus(run.isEmpty() ? Focus::None : Focus::Run);
}

void Selection::setShown(const QString& run, bool isShown) {
    if (isShown == m_shown.contains(run)) return;
    if (isShown)
        m_shown.append(run);
    else
        m_shown.removeAll(run);
    Q_EMIT shownRunsChanged();
}

void Selection::setShownRuns(const QStringList& runs) {
    if (runs == m_shown) return;
    m_shown = runs;
    Q_EMIT shownRunsChanged();
}

void Selection::setCurrentDataset(const QString& dataset) {
    if (dataset != m_dataset) {
        m_dataset = dataset;
        Q_EMIT currentDatasetChanged(dataset);
    }
    setFocus(dataset.isEmpty() ? Focus::None : Focus::Dataset);
}

void Selection::setCurrentRecipe(const QString& recipe) {
    if (recipe != m_recipe) {
        m_recipe = recipe;
        Q_EMIT currentRecipeChanged(recipe);
    }
    setFocus(recipe.isEmpty() ? Focus::None : Focus::Recipe);
}

}  // namespace espalier::app
