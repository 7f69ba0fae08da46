#pragma once

#include <QWidget>

#include <optional>

#include "app/bridge/app_context.h"
#include "engine/api/recipe_card.h"

class QLabel;

namespace espalier::widgets {
class FlowLayout;
class KeyValueList;
class ProgressBar;
}  // namespace espalier::widgets

namespace espalier::app {

/// What a run would cost; made in the background.
struct RunForecast {
    api::Forecast cost;
    double secsPerItem = 0;
    std::int64_t memoryOfMachine = 0;
    std::vector<std::string> devices;
    /// Weights, gradients, two moments of the optimizer and the activations of a batch.
    std::int64_t bytes() const { return cost.params * 16 + cost.bytesActivations; }
    double secs() const { return secsPerItem * static_cast<double>(cost.items); }
};

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

private:
    AppContext& m_context;
    QLabel *m_paper, *m_title, *m_about, *m_trouble, *m_differTitle, *m_differs;
    widgets::FlowLayout* m_chips;
    widgets::KeyValueList *m_claim, *m_forecast, *m_time;
    widgets::ProgressBar* m_memory;
    QWidget* m_claimPart;
};

}  // namespace espalier::app
