#pragma once

#include <functional>

#include "app/pages/new_run_number.h"
#include "app/pages/new_run_row.h"
#include "engine/api/params.h"

namespace espalier::app {

/// Editor of one parameter of a recipe, made from its specification; checks what is typed by the schema's own rules.
class ParamField : public FormRow {
    Q_OBJECT
public:
    ParamField(const api::ParamSpec& spec, api::Scale scale, QWidget* parent = nullptr);

    const api::ParamSpec& spec() const { return m_spec; }
    /// As typed; parse it with the schema.
    QString typed() const { return m_read(); }
    /// Canonical text ("0.00055"); shows it the way people write it and says nothing.
    void setValue(const api::ParamValue& value);
    void setScale(api::Scale scale);
    /// The user chose something else than the default of the scale.
    bool isTouched() const { return m_isTouched; }
    bool isRight() const { return problem().isEmpty(); }
    /// Canonical text of a right value.
    std::string value() const;
    bool isParsed() const;
    /// What the recipe itself has against the value, though it is in range; taken back before the next check.
    void setRecipeProblem(const QString& sentence);
    void clearRecipeProblem();

Q_SIGNALS:
    void edited();

private:
    void buildEditor();
    void buildChoice();
    void buildChoiceList();
    void userEdited();
    void check();
    void refreshHint();

    api::ParamSpec m_spec;
    api::ParamSchema m_schema;
    api::Scale m_scale;
    std::function<QString()> m_read;
    std::function<void(const QString&)> m_write;
    bool m_isTouched = false, m_isWriting = false, m_hasRecipeProblem = false;
};

}  // namespace espalier::app
