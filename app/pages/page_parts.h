#pragma once

#include <QString>

#include <functional>

#include "engine/base/result.h"
#include "engine/feed/run_info.h"

class QLabel;
class QToolButton;
class QVBoxLayout;
class QWidget;

namespace espalier::widgets {
class ChartGroup;
class LossChart;
class PageToolBar;
class Section;
class Swatch;
struct Figure;
}  // namespace espalier::widgets

namespace espalier::api {
struct RecipeCard;
class RecipeRegistry;
}  // namespace espalier::api

/// What several pages put together alike.
namespace espalier::app {

struct AppContext;

/// A chart with the padding of its place on a page; lines between charts are separate widgets.
QWidget* paddedChart(QWidget* chart, int left, int right);

/// Log scale, zoom back and zoom reset at the right of a tool bar, kept in step with the charts they act on.
struct ChartTools {
    QToolButton *logY = nullptr, *back = nullptr, *reset = nullptr;
};
ChartTools addChartTools(widgets::PageToolBar* bar, widgets::ChartGroup* group, widgets::LossChart* chart, int dropOrder);

/// What somebody with nothing but data starts with: not one that needs a finished run. Null without recipes.
const api::RecipeCard* firstRecipe(const api::RecipeRegistry& registry);

/// Swatch and name of the run a page is about, at the left of its tool bar.
struct RunTitle {
    widgets::Swatch* swatch = nullptr;
    QLabel* name = nullptr;
    widgets::PageToolBar* bar = nullptr;
    /// Null hides both.
    void show(const feed::RunInfo* run) const;
};
RunTitle addRunTitle(widgets::PageToolBar* bar);

/// A section of an inspector with the usual margins.
widgets::Section* addInspectorSection(QVBoxLayout* layout, const QString& title, QWidget* body, QWidget* parent);

/// Writes a figure where `choose` says and tells how it went. Returns false when cancelled or failed.
bool exportAndTell(AppContext& context, const widgets::Figure& figure, const QString& suggestedName,
                   const std::function<QString(const QString& suggested)>& choose);

}  // namespace espalier::app
