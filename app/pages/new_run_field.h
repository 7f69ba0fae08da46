#pragma once

#include <QLineEdit>
#include <QWidget>

#include <functional>

#include "engine/api/params.h"

class QGridLayout;
class QLabel;
class QPushButton;

namespace espalier::widgets {
class ElidedLabel;
}  // namespace espalier::widgets

namespace espalier::app {

/// Line for one number: takes "5.5e-4" as well as "0.00055", shows unit and two arrows inside at the right. Up, Down
/// and the arrows step, by factors where the range spreads over decades.
class NumberField : public QLineEdit {
    Q_OBJECT
public:
    NumberField(const api::ParamSpec& spec, QWidget* parent = nullptr);
    void stepBy(int steps);

Q_SIGNALS:
    void stepped();

protected:
    void paintEvent(QPaintEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;

private:
    QRect arrowRect(bool isUp) const;
    api::ParamSpec m_spec;
};

/// Row of a form: name, editor, hint beside it; below, when the value is wrong, one sentence with its remedy as a link.
class FormRow : public QWidget {
    Q_OBJECT
public:
    explicit FormRow(const QString& label, QWidget* parent = nullptr);
    void setEditor(QWidget* editor);
    QWidget* editor() const { return m_editor; }
    void setHint(const QString& text);
    QString hint() const;
    /// Empty = the value is right again. Without a remedy there is no link.
    void setProblem(const QString& sentence, const QString& remedy = {});
    QString problem() const { return m_problem; }
    QPushButton* remedy() const { return m_remedy; }
    void setChanged(bool isChanged);

Q_SIGNALS:
    void remedyClicked();

private:
    QGridLayout* m_grid;
    QLabel* m_label;
    widgets::ElidedLabel* m_hint;
    QWidget* m_editor = nullptr;
    QWidget* m_problemRow = nullptr;
    QLabel* m_sentence = nullptr;
    QPushButton* m_remedy = nullptr;
    QString m_problem;
};

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

/// A number the way people write it: "5.5e-4", "0.1", "5,000" (only for reading, never for fields).
QString shownNumber(double value, bool isLog);
/// Text that a field shows for a value; reading it back gives the same value.
QString shownValue(const api::ParamSpec& spec, const api::ParamValue& value);

}  // namespace espalier::app
