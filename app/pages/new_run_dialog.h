#pragma once

#include <QDialog>
#include <QPointer>
#include <QTimer>

#include <optional>
#include <vector>

#include "app/bridge/app_context.h"
#include "app/pages/new_run_card.h"
#include "engine/runtime/engine.h"

class QHBoxLayout;
class QLabel;
class QPushButton;
class QScrollArea;
class QStackedWidget;
class QTabBar;
class QVBoxLayout;

namespace espalier::widgets {
class ElidedLabel;
class SegmentedControl;
}  // namespace espalier::widgets

namespace espalier::app {

class ParamForm;
class RecipeList;
class RunTarget;

/// The New-run window: recipes, a form made from the parameter schema, the paper's card with a forecast, and the same
/// run as a command line. Enter starts, Escape closes. GUI thread; forecast and submit run on the reading pool.
class NewRunDialog : public QDialog {
    Q_OBJECT
public:
    explicit NewRunDialog(AppContext& context, QWidget* parent = nullptr);
    ~NewRunDialog() override;

    /// Ids, each may be empty; `parentRun` may be the path of a .safetensors file.
    void preset(const QString& recipe, const QString& dataset, const QString& parentRun);

    ParamForm* form() const { return m_form; }
    RunTarget* target() const { return m_target; }
    RecipeList* recipes() const { return m_recipes; }
    RunCard* card() const { return m_card; }
    widgets::SegmentedControl* scaleControl() const { return m_scale; }
    QPushButton* startButton() const { return m_start; }
    QString commandLine() const;
    QString problemText() const;
    QTabBar* cardTabs() const { return m_cardTabs; }  ///< shown where the card has no column of its own
    /// No forecast under way.
    bool isSettled() const;

Q_SIGNALS:
    void started(const QList<quint64>& jobs);

protected:
    void keyPressEvent(QKeyEvent* event) override;
    void showEvent(QShowEvent* event) override;
    void hideEvent(QHideEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;
    void paintEvent(QPaintEvent* event) override;
    bool event(QEvent* event) override;

private:
    class TitleBar;
    struct Started {
        QList<quint64> jobs;
        std::optional<Error> error;
    };
    // new_run_dialog_parts.cpp
    void buildFrame();
    void buildFooter(QVBoxLayout* column);
    QWidget* buildForm();
    void chooseRecipe(const QString& recipe);
    void refresh();
    void askForecast();
    void takeForecast(Result<RunForecast> forecast);
    void showTrouble(const QString& sentence);
    void start();
    void takeStarted(const Started& result, const std::vector<std::int64_t>& seeds);
    void followFirst(quint64 job);
    void fitToWindow();
    void placeCard();
    runtime::RunRequest request() const;

    AppContext& m_context;
    const api::RecipeCard* m_recipe = nullptr;
    RecipeList* m_recipes;
    ParamForm* m_form;
    RunTarget* m_target;
    RunCard* m_card;
    QScrollArea *m_formArea, *m_cardArea;
    QHBoxLayout* m_body;
    QStackedWidget* m_formStack;
    QTabBar* m_cardTabs;
    QWidget* m_cardLine;
    bool m_isCardInTab = false;
    widgets::SegmentedControl* m_scale;
    widgets::ElidedLabel *m_scaleHint, *m_command;
    QLabel *m_problemIcon, *m_problems;
    QPushButton *m_cancel, *m_start;
    QVBoxLayout* m_banners;
    QPointer<QWidget> m_scrim;
    QTimer m_forecastTimer;
    std::optional<RunForecast> m_forecast;
    QString m_trouble;        ///< what the recipe has against these values, beyond single ones
    bool m_isStarting = false, m_isForecastStale = false;
};

/// Words of a command line, quoted for a POSIX shell where they need it.
QString shellQuoted(const QString& word);

}  // namespace espalier::app
