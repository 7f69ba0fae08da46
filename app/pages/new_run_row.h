#pragma once

#include <QWidget>

class QGridLayout;
class QLabel;
class QPushButton;

namespace espalier::app {

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
    void setLabelWidth(int px);  ///< 132 at first

Q_SIGNALS:
    void remedyClicked();

private:
    QGridLayout* m_grid;
    QLabel* m_label;
    QLabel* m_hint;
    QWidget* m_editor = nullptr;
    QWidget* m_problemRow = nullptr;
    QLabel* m_sentence = nullptr;
    QPushButton* m_remedy = nullptr;
    QString m_problem;
};

}  // namespace espalier::app
