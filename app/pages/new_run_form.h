#pragma once

#include <QHash>
#include <QWidget>

#include <map>
#include <string>
#include <vector>

#include "app/pages/new_run_field.h"

class QPushButton;
class QVBoxLayout;

namespace espalier::app {

/// Form of a recipe, made from its schema: a section a group, rows that do not matter hidden, advanced ones folded.
/// A change of scale sets every value anew that the user has not touched.
class ParamForm : public QWidget {
    Q_OBJECT
public:
    explicit ParamForm(QWidget* parent = nullptr);

    void setSchema(const api::ParamSchema& schema, api::Scale scale);
    void setScale(api::Scale scale);
    api::Scale scale() const { return m_scale; }
    ParamField* field(const QString& key) const { return m_fields.value(key); }
    /// Canonical texts of what differs from the scale's defaults; wrong and hidden values are left out.
    std::map<std::string, std::string> changed() const;
    int problemCount() const;
    ParamField* firstWrong() const;
    /// False when no row has this key.
    bool setRecipeProblem(const QString& key, const QString& sentence);
    void clearRecipeProblems();
    /// Rows of the schema's own group "Run", for the section that the dialog builds itself.
    QWidget* runRows() const { return m_runRows; }

Q_SIGNALS:
    void edited();

private:
    struct Group {
        QWidget* holder = nullptr;
        QPushButton* more = nullptr;
        bool isOpen = false;
        std::vector<ParamField*> advanced;
    };
    bool isWanted(const api::ParamSpec& spec) const;
    void fillGroup(const std::string& name, QVBoxLayout* into, QWidget* holder);
    void refreshRows();

    api::ParamSchema m_schema;
    api::Scale m_scale = api::Scale::Desk;
    QVBoxLayout* m_layout;
    QWidget* m_body = nullptr;
    QWidget* m_runRows;
    QWidget* m_runBody = nullptr;
    QHash<QString, ParamField*> m_fields;
    std::vector<ParamField*> m_order;
    std::vector<Group> m_groups;
};

}  // namespace espalier::app
