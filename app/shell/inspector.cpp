#include "app/shell/inspector.h"

#include <QVBoxLayout>

#include "app/pages/page.h"
#include "app/shell/card_inspectors.h"
#include "app/shell/run_inspector.h"
#include "widgets/controls/controls.h"
#include "widgets/controls/messages.h"

namespace espalier::app {

QScrollArea* makeInspectorArea(QWidget* content, QWidget* parent) {
    auto* area = new QScrollArea(parent);
    area->setFrameShape(QFrame::NoFrame);
    area->setWidgetResizable(true);
    area->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    area->setFocusPolicy(Qt::NoFocus);
    area->viewport()->setAutoFillBackground(false);
    if (content) {
        content->setAutoFillBackground(false);
        area->setWidget(content);
        content->setAutoFillBackground(false);  // setWidget() turns it on
    }
    return area;
}

Inspector::Inspector(AppContext& context, QWidget* parent) : QWidget(parent), m_context(context) {
    setAccessibleName(tr("Inspector"));
    widgets::setGround(this, widgets::Color::Panel);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    m_stack = new QStackedWidget(this);
    layout->addWidget(m_stack);
    m_empty = new widgets::EmptyState(QStringLiteral("info"), tr("Nothing selected"),
                                      tr("Choose a run, a data set or a recipe at the left."), this);
    m_run = makeInspectorArea(new RunInspector(context, this), this);
    m_dataset = makeInspectorArea(new DatasetInspector(context, this), this);
    m_recipe = makeInspectorArea(new RecipeInspector(context, this), this);
    m_pageArea = makeInspectorArea(nullptr, this);
    for (QWidget* widget : {m_empty, m_run, m_dataset, m_recipe, static_cast<QWidget*>(m_pageArea)}) m_stack->addWidget(widget);
    connect(context.selection, &Selection::focusChanged, this, &Inspector::update);
    connect(context.bridge, &EngineBridge::catalogChanged, this, &Inspector::update);
    connect(context.selection, &Selection::currentRunChanged, this, &Inspector::update);
    update();
}

void Inspector::setPage(Page* page) {
    if (m_page) disconnect(m_page, nullptr, this, nullptr);
    m_page = page;
    if (page) connect(page, &Page::inspectorChanged, this, &Inspector::update);
    update();
}

QWidget* Inspector::shown() const { return m_stack->currentWidget(); }

void Inspector::update() {
    QWidget* own = m_page ? m_page->inspector() : nullptr;
    if (own) {
        if (m_pageArea->widget() != own) {
            // The page keeps its widget: take the old one out before the scroll area would delete it.
            if (QWidget* before = m_pageArea->takeWidget()) before->setParent(this), before->hide();
            m_pageArea->setWidget(own);
            own->setAutoFillBackground(false);
            own->show();
        }
        m_stack->setCurrentWidget(m_pageArea);
        return;
    }
    const Selection& selection = *m_context.selection;
    QWidget* widget = m_empty;
    if (selection.focus() == Selection::Focus::Run && m_context.bridge->run(selection.currentRun())) widget = m_run;
    if (selection.focus() == Selection::Focus::Dataset && m_context.bridge->dataset(selection.currentDataset())) widget = m_dataset;
    if (selection.focus() == Selection::Focus::Recipe) widget = m_recipe;
    m_stack->setCurrentWidget(widget);
}

}  // namespace espalier::app
