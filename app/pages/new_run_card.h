#pragma once

#include <QWidget>

#include <optional>

#include "app/bridge/app_context.h"
#include "app/pages/new_run_forecast.h"
#include "engine/api/recipe_card.h"

class QLabel;

namespace espalier::widgets {
class FlowLayout;
class KeyValueList;
class ProgressBar;
}  // namespace espalier::widgets

namespace espalier::app {

/// Right part of the New-run window: the paper's card, its claim beside the best own run, the forecast.
class RunCard : public QWidget {
    Q_OBJECT
public:
    explicit RunCard(AppContext& context, QWidget* parent = nullptr);
    void setCard(const api::RecipeCard& card);
    /// Nothing yet: the rows stay and say so. `trouble` is why there is none.
    void setForecast(const std::optional<RunForecast>& forecast, int runs, const QString& trouble = {});
    widgets::KeyValueList* forecastRows() const { return m_forecast; }
    widgets::KeyValueList* claimRows() const { return m_claim; }
    widgets::KeyValueList* timeRows() const { return m_time; }
    QString timeWhy() const;

private:
    AppContext& m_context;
    QLabel *m_paper, *m_title, *m_about, *m_setting, *m_timeWhy, *m_trouble, *m_differTitle, *m_differs;
    widgets::FlowLayout* m_chips;
    widgets::KeyValueList *m_claim, *m_forecast, *m_time;
    widgets::ProgressBar* m_memory;
    QWidget* m_claimPart;
};

}  // namespace espalier::app
