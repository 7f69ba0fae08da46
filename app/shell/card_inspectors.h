#pragma once

#include <QWidget>

#include "app/bridge/app_context.h"

class QLabel;
class QVBoxLayout;

namespace espalier::widgets {
class ElidedLabel;
class FlowLayout;
class KeyValueList;
class Section;
}  // namespace espalier::widgets

namespace espalier::app {

/// The card of the selected recipe: paper, claim, what it takes and shows, and the button that starts a run.
class RecipeInspector : public QWidget {
    Q_OBJECT
public:
    explicit RecipeInspector(AppContext& context, QWidget* parent = nullptr);

private:
    void refresh();
    AppContext& m_context;
    QLabel *m_paper, *m_about, *m_title;
    widgets::ElidedLabel* m_name;
    widgets::FlowLayout* m_chips;
    widgets::KeyValueList *m_claim, *m_takes, *m_shows;
    widgets::Section* m_claimSection;
};

/// The selected data set: counts, shape, split, hash, checks, runs that used it.
class DatasetInspector : public QWidget {
    Q_OBJECT
public:
    explicit DatasetInspector(AppContext& context, QWidget* parent = nullptr);

private:
    void refresh();
    AppContext& m_context;
    widgets::ElidedLabel* m_name;
    widgets::FlowLayout* m_chips;
    widgets::KeyValueList *m_manifest, *m_checks, *m_usedBy;
    widgets::Section* m_usedSection;
    QLabel* m_hash;
};

}  // namespace espalier::app
