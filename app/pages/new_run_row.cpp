#include "app/pages/new_run_row.h"

#include <QGridLayout>
#include <QHBoxLayout>
#include <QLabel>
#include <QPushButton>

#include "widgets/controls/controls.h"
#include "widgets/theme/icons.h"
#include "widgets/theme/metrics.h"

namespace espalier::app {

using namespace widgets;

namespace {
constexpr int kLabelWidth = 132;
}

FormRow::FormRow(const QString& label, QWidget* parent) : QWidget(parent) {
    m_grid = new QGridLayout(this);
    m_grid->setContentsMargins(0, 0, 0, 6);
    m_grid->setHorizontalSpacing(metrics::kSpace8);
    m_grid->setVerticalSpacing(2);
    m_label = makeLabel(label, Type::Body, Color::Text2, this);
    m_label->setFixedWidth(theme().scaled(kLabelWidth));
    // Two lines at most: what a value means is not cut where it can stand below.
    m_hint = makeLabel({}, Type::Caption, Color::Text3, this);
    m_hint->setWordWrap(true);
    m_hint->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);
    m_grid->addWidget(m_label, 0, 0, Qt::AlignVCenter);
    m_grid->addWidget(m_hint, 0, 2);
    m_grid->setColumnStretch(2, 1);
    m_grid->setRowMinimumHeight(0, theme().scaled(metrics::kControl));
}

void FormRow::setEditor(QWidget* editor) {
    m_editor = editor;
    m_grid->addWidget(editor, 0, 1, Qt::AlignVCenter);
    editor->setAccessibleName(m_label->text());
    m_label->setBuddy(editor);
    setFocusProxy(editor);
}

void FormRow::setHint(const QString& text) {
    m_hint->setText(text);
    m_hint->setToolTip(text);
}
void FormRow::setLabelWidth(int px) { m_label->setFixedWidth(theme().scaled(px)); }
QString FormRow::hint() const { return m_hint->text(); }

void FormRow::setChanged(bool isChanged) {
    setLabelLook(m_label, isChanged ? Type::BodyStrong : Type::Body, isChanged ? Color::Text : Color::Text2);
}

void FormRow::setProblem(const QString& sentence, const QString& remedy) {
    m_problem = sentence;
    if (m_editor) {
        setFieldError(m_editor, !sentence.isEmpty());
        m_editor->setAccessibleDescription(sentence);
    }
    if (sentence.isEmpty()) {
        if (m_problemRow) m_problemRow->hide();
        return;
    }
    if (!m_problemRow) {
        m_problemRow = new QWidget(this);
        auto* row = new QHBoxLayout(m_problemRow);
        row->setContentsMargins(0, 0, 0, 0);
        row->setSpacing(4);
        auto* mark = new QLabel(m_problemRow);
        mark->setPixmap(iconPixmap(QStringLiteral("error"), metrics::kIconInline, Color::Error, devicePixelRatioF()));
        m_sentence = makeLabel({}, Type::Caption, Color::Error, m_problemRow);
        m_sentence->setWordWrap(true);
        m_remedy = new QPushButton(m_problemRow);
        m_remedy->setProperty("kind", QStringLiteral("link"));
        m_remedy->setAutoDefault(false);
        m_remedy->setCursor(Qt::PointingHandCursor);
        QFont link = theme().font(Type::Caption);
        link.setUnderline(true);
        m_remedy->setStyleSheet(QStringLiteral("QPushButton { min-height: 16px; max-height: 16px; font-size: 11px; text-decoration: underline; color: %1; }")
                                    .arg(theme().color(Color::Error).name()));
        connect(&theme(), &Theme::changed, m_remedy, [this, mark] {
            m_remedy->setStyleSheet(QStringLiteral("QPushButton { min-height: 16px; max-height: 16px; font-size: 11px; text-decoration: underline; color: %1; }")
                                        .arg(theme().color(Color::Error).name()));
            mark->setPixmap(iconPixmap(QStringLiteral("error"), metrics::kIconInline, Color::Error, devicePixelRatioF()));
        });
        m_remedy->setFont(link);
        row->addWidget(mark, 0, Qt::AlignTop);
        row->addWidget(m_sentence, 0);
        row->addWidget(m_remedy, 0, Qt::AlignTop);
        row->addStretch(1);
        m_grid->addWidget(m_problemRow, 1, 1, 1, 2);
        connect(m_remedy, &QPushButton::clicked, this, &FormRow::remedyClicked);
    }
    m_sentence->setText(sentence);
    // A wrapped label in a row takes half of it; short sentences stay on one line.
    m_sentence->setWordWrap(QFontMetrics(theme().font(Type::Caption)).horizontalAdvance(sentence) > 280);
    m_remedy->setText(remedy);
    m_remedy->setVisible(!remedy.isEmpty());
    m_problemRow->show();
}

}  // namespace espalier::app
