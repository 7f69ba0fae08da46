#include "app/pages/new_run_field.h"

#include <QCheckBox>
#include <QComboBox>
#include <QGridLayout>
#include <QHBoxLayout>
#include <QKeyEvent>
#include <QLabel>
#include <QPainter>
#include <QPushButton>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "widgets/controls/chip.h"
#include "widgets/controls/controls.h"
#include "widgets/controls/flow_layout.h"
#include "widgets/controls/segmented_control.h"
#include "widgets/theme/format.h"
#include "widgets/theme/icons.h"
#include "widgets/theme/metrics.h"

namespace espalier::app {

using namespace widgets;
using format::text;

namespace {

constexpr int kComboWidth = 160;
constexpr int kMostSegments = 4;
constexpr int kSegmentsWidth = 270;
constexpr double kNoUpperEnd = 1e6;  // ranges that end here or later say "or more"

bool isNumber(api::ParamType type) { return type == api::ParamType::Integer || type == api::ParamType::Real; }

// "Largest gradient norm; 0 is off" ends in what a value means: that belongs beside the field.
QString meaning(const std::string& help) {
    const auto at = help.find(';');
    return at == std::string::npos ? QString() : text(help.substr(at + 1)).trimmed();
}

QString rangeHint(const api::ParamSpec& spec) {
    if (spec.minimum == spec.maximum) return {};
    const bool isLog = spec.isLog;
    if (spec.maximum >= kNoUpperEnd) return ParamField::tr("%1 or more").arg(shownNumber(spec.minimum, isLog));
    return ParamField::tr("%1 to %2").arg(shownNumber(spec.minimum, isLog), shownNumber(spec.maximum, isLog));
}

QString sentenceCase(QString sentence) {
    if (!sentence.isEmpty()) sentence[0] = sentence[0].toUpper();
    return sentence;
}

}  // namespace

ParamField::ParamField(const api::ParamSpec& spec, api::Scale scale, QWidget* parent)
    : FormRow(text(spec.label), parent), m_spec(spec), m_schema({spec}), m_scale(scale) {
    setToolTip(text(spec.help));
    setWhatsThis(text(spec.help));
    buildEditor();
    setValue(spec.defaultAt(scale));
    connect(this, &FormRow::remedyClicked, this, [this] {
        editor()->setFocus();  // the link goes away, the keyboard stays here
        setValue(m_spec.paper);
        userEdited();
    });
}

void ParamField::buildEditor() {
    switch (m_spec.type) {
        case api::ParamType::Choice: return buildChoice();
        case api::ParamType::ChoiceList: return buildChoiceList();
        case api::ParamType::Boolean: {
            auto* box = new QCheckBox(this);
            m_read = [box] { return box->isChecked() ? QStringLiteral("true") : QStringLiteral("false"); };
            m_write = [box](const QString& value) { box->setChecked(value == QStringLiteral("true")); };
            connect(box, &QCheckBox::toggled, this, &ParamField::userEdited);
            return setEditor(box);
        }
        default: break;
    }
    QLineEdit* line = nullptr;
    if (isNumber(m_spec.type)) {
        auto* number = new NumberField(m_spec, this);
        connect(number, &NumberField::stepped, this, &ParamField::userEdited);
        line = number;
    } else {
        line = new QLineEdit(this);
        line->setFixedWidth(kComboWidth);
    }
    m_read = [line] { return line->text(); };
    m_write = [line](const QString& value) {
        line->setText(value);
        line->setCursorPosition(0);
    };
    connect(line, &QLineEdit::textEdited, this, &ParamField::userEdited);
    setEditor(line);
}

void ParamField::buildChoice() {
    QStringList names;
    for (const std::string& choice : m_spec.choices) names << text(choice);
    if (names.size() <= kMostSegments) {
        auto* segments = new SegmentedControl(names, this);
        if (segments->sizeHint().width() <= kSegmentsWidth) {
            m_read = [segments] { return segments->currentText(); };
            m_write = [segments](const QString& value) { segments->setCurrentIndex(static_cast<int>(segments->labels().indexOf(value))); };
            for (int i = 0; i < names.size() && i < static_cast<int>(m_spec.choiceHelp.size()); ++i)
                segments->setSegmentToolTip(i, text(m_spec.choiceHelp[static_cast<std::size_t>(i)]));
            connect(segments, &SegmentedControl::currentChanged, this, &ParamField::userEdited);
            return setEditor(segments);
        }
        delete segments;
    }
    auto* combo = new QComboBox(this);
    combo->addItems(names);
    combo->setFixedWidth(kComboWidth);
    combo->setFocusPolicy(Qt::StrongFocus);
    m_read = [combo] { return combo->currentText(); };
    m_write = [combo](const QString& value) { combo->setCurrentText(value); };
    connect(combo, &QComboBox::currentIndexChanged, this, &ParamField::userEdited);
    setEditor(combo);
}

void ParamField::buildChoiceList() {
    auto* holder = new QWidget(this);
    auto* row = new QHBoxLayout(holder);
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(metrics::kSpace4);
    QList<Chip*> chips;
    for (const std::string& choice : m_spec.choices) {
        auto* chip = new Chip(text(choice), Chip::Kind::Toggle, holder);
        connect(chip, &Chip::toggled, this, &ParamField::userEdited);
        row->addWidget(chip);
        chips << chip;
    }
    m_read = [chips] {
        QStringList chosen;
        for (const Chip* chip : chips)
            if (chip->isChecked()) chosen << chip->text();
        return chosen.join(u',');
    };
    m_write = [chips](const QString& value) {
        const QStringList chosen = value.split(u',');
        for (Chip* chip : chips) chip->setChecked(chosen.contains(chip->text()));
    };
    setEditor(holder);
}

void ParamField::setValue(const api::ParamValue& value) {
    m_isWriting = true;
    m_write(shownValue(m_spec, value));
    m_isWriting = false;
    check();
}

void ParamField::setScale(api::Scale scale) {
    m_scale = scale;
    if (!m_isTouched) setValue(m_spec.defaultAt(scale));
    else check();
}

std::string ParamField::value() const {
    const auto parsed = m_schema.parse(m_spec.key, m_read().toStdString());
    return parsed ? api::valueText(*parsed) : std::string();
}

void ParamField::userEdited() {
    if (m_isWriting) return;
    check();
    const auto parsed = m_schema.parse(m_spec.key, m_read().toStdString());
    m_isTouched = !parsed || api::valueText(*parsed) != api::valueText(m_spec.defaultAt(m_scale));
    setChanged(m_isTouched);
    Q_EMIT edited();
}

void ParamField::check() {
    refreshHint();
    setChanged(m_isTouched);
    const auto parsed = m_schema.parse(m_spec.key, m_read().toStdString());
    if (parsed) return setProblem({});
    const QString paper = shownValue(m_spec, m_spec.paper);
    bool isOk = false;
    const double number = m_read().trimmed().toDouble(&isOk);
    QString what = sentenceCase(text(parsed.error().what));
    if (isNumber(m_spec.type) && isOk && m_spec.minimum != m_spec.maximum) {
        if (number > m_spec.maximum) what = tr("Highest is %1").arg(shownNumber(m_spec.maximum, m_spec.isLog));
        if (number < m_spec.minimum) what = tr("Lowest is %1").arg(shownNumber(m_spec.minimum, m_spec.isLog));
    }
    if (m_read().trimmed().isEmpty() && isNumber(m_spec.type)) what = tr("A number is needed");
    setProblem(tr("%1; the paper uses %2.").arg(what, paper), tr("Use that"));
}

bool ParamField::isParsed() const { return m_schema.parse(m_spec.key, m_read().toStdString()).has_value(); }

void ParamField::setRecipeProblem(const QString& sentence) {
    m_hasRecipeProblem = true;
    setProblem(sentence);
}

void ParamField::clearRecipeProblem() {
    if (!m_hasRecipeProblem) return;
    m_hasRecipeProblem = false;
    check();
}

void ParamField::refreshHint() {
    QStringList parts;
    if (m_spec.type == api::ParamType::Choice) {
        const auto at = std::find(m_spec.choices.begin(), m_spec.choices.end(), m_read().toStdString()) - m_spec.choices.begin();
        if (at < static_cast<std::ptrdiff_t>(m_spec.choiceHelp.size()) && !m_spec.choiceHelp[static_cast<std::size_t>(at)].empty())
            parts << text(m_spec.choiceHelp[static_cast<std::size_t>(at)]);
    } else if (m_spec.type == api::ParamType::Boolean) {
        parts << text(m_spec.help);
    } else {
        parts << rangeHint(m_spec) << meaning(m_spec.help);
        parts.removeAll(QString());
    }
    setHint(parts.join(QStringLiteral("; ")));
}

}  // namespace espalier::app
