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

constexpr int kLabelWidth = 132;
constexpr int kNumberWidth = 92;
constexpr int kUnitNumberWidth = 120;
constexpr int kComboWidth = 160;
constexpr int kArrowWidth = 18;
constexpr int kMostSegments = 4;
constexpr int kSegmentsWidth = 270;
constexpr double kNoUpperEnd = 1e6;  // ranges that end here or later say "or more"

bool isNumber(api::ParamType type) { return type == api::ParamType::Integer || type == api::ParamType::Real; }

// "5.5e-04" as to_chars writes it becomes "5.5e-4".
QString withShortExponent(QString number) {
    const qsizetype e = number.indexOf(u'e');
    if (e < 0) return number;
    QString exponent = number.mid(e + 1);
    const bool isNegative = exponent.startsWith(u'-');
    exponent.remove(u'-').remove(u'+');
    while (exponent.size() > 1 && exponent.startsWith(u'0')) exponent.remove(0, 1);
    return number.left(e + 1) + (isNegative ? QStringLiteral("-") : QString()) + exponent;
}

QString shortest(double value, std::chars_format style) {
    char buffer[64];
    const auto [end, code] = std::to_chars(buffer, buffer + sizeof buffer, value, style);
    return code == std::errc{} ? withShortExponent(QString::fromLatin1(buffer, static_cast<qsizetype>(end - buffer))) : QString();
}

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

QString shownNumber(double value, bool isLog) {
    const double size = std::fabs(value);
    if (size > 0 && (size < 0.001 || (isLog && size < 1))) return shortest(value, std::chars_format::scientific);
    if (size >= 1000 && value == std::floor(value)) return format::count(static_cast<std::int64_t>(value));
    return shortest(value, std::chars_format::fixed);
}

QString shownValue(const api::ParamSpec& spec, const api::ParamValue& value) {
    if (const double* real = std::get_if<double>(&value)) {
        const double size = std::fabs(*real);
        const bool isSmall = size > 0 && (size < 0.001 || (spec.isLog && size < 1));
        return shortest(*real, isSmall ? std::chars_format::scientific : std::chars_format::general);
    }
    QString shown = text(api::valueText(value));
    if (spec.type == api::ParamType::IntegerList) shown.replace(u',', QStringLiteral(", "));
    return shown;
}

// ---- NumberField

NumberField::NumberField(const api::ParamSpec& spec, QWidget* parent) : QLineEdit(parent), m_spec(spec) {
    const int unit = spec.unit.empty() ? 0 : QFontMetrics(theme().font(Type::Body)).horizontalAdvance(format::text(spec.unit)) + 6;
    setTextMargins(0, 0, kArrowWidth - 4 + unit, 0);
    setFixedWidth(spec.unit.empty() ? kNumberWidth : kUnitNumberWidth);
    setMouseTracking(true);
}

QRect NumberField::arrowRect(bool isUp) const {
    return QRect(width() - kArrowWidth - 1, isUp ? 2 : height() / 2, kArrowWidth, height() / 2 - 2);
}

void NumberField::stepBy(int steps) {
    bool isOk = false;
    const double before = QLineEdit::text().trimmed().toDouble(&isOk);
    double value = isOk ? before : (std::holds_alternative<double>(m_spec.paper) ? std::get<double>(m_spec.paper) : m_spec.minimum);
    if (m_spec.type == api::ParamType::Integer) {
        value = std::round(value) + steps;
    } else if (m_spec.isLog) {
        // 1, 2, 5, 10, …: from any value to the next of these.
        for (int i = 0; i < std::abs(steps); ++i) {
            if (value <= 0) {
                value = steps > 0 ? std::max(m_spec.minimum, 1e-6) : 0;
                continue;
            }
            const double decade = std::pow(10.0, std::floor(std::log10(value) + 1e-9));
            const double ladder[] = {0.5, 1, 2, 5, 10};
            const double lead = value / decade;
            double next = steps > 0 ? 10 : 0.5;
            for (const double rung : ladder) {
                if (steps > 0 && rung > lead * 1.0001) { next = rung; break; }
                if (steps < 0 && rung < lead * 0.9999) next = rung;
            }
            value = next * decade;
        }
    } else {
        const double span = m_spec.maximum - m_spec.minimum;
        const double step = std::pow(10.0, std::floor(std::log10(span > 0 ? span / 5 : 1.0)));
        value = std::round((value + steps * step) / step) * step;
    }
    if (m_spec.minimum != m_spec.maximum) value = std::clamp(value, m_spec.minimum, m_spec.maximum);
    // Rounded to what a person would have typed: 0.30000000000000004 is 0.3.
    value = QString::number(value, 'g', 10).toDouble();
    setText(m_spec.type == api::ParamType::Integer ? QString::number(static_cast<qint64>(value)) : shownValue(m_spec, value));
    Q_EMIT stepped();
}

void NumberField::keyPressEvent(QKeyEvent* event) {
    switch (event->key()) {
        case Qt::Key_Up: return stepBy(1);
        case Qt::Key_Down: return stepBy(-1);
        case Qt::Key_PageUp: return stepBy(10);
        case Qt::Key_PageDown: return stepBy(-10);
        default: QLineEdit::keyPressEvent(event);
    }
}

void NumberField::mousePressEvent(QMouseEvent* event) {
    for (const bool isUp : {true, false})
        if (event->button() == Qt::LeftButton && arrowRect(isUp).contains(event->pos())) return stepBy(isUp ? 1 : -1);
    QLineEdit::mousePressEvent(event);
}

void NumberField::mouseMoveEvent(QMouseEvent* event) {
    setCursor(event->pos().x() >= width() - kArrowWidth ? Qt::ArrowCursor : Qt::IBeamCursor);
    QLineEdit::mouseMoveEvent(event);
}

void NumberField::paintEvent(QPaintEvent* event) {
    QLineEdit::paintEvent(event);
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    const Theme& look = theme();
    painter.setPen(QPen(look.color(isEnabled() ? Color::Text2 : Color::Disabled), 1.3, Qt::SolidLine, Qt::RoundCap, Qt::RoundJoin));
    for (const bool isUp : {true, false}) {
        const double x = width() - kArrowWidth / 2.0 - 2, y = height() / 2.0 + (isUp ? -4.5 : 4.5), d = isUp ? 1.6 : -1.6;
        painter.drawPolyline(QPolygonF({QPointF(x - 3, y + d), QPointF(x, y - d), QPointF(x + 3, y + d)}));
    }
    if (m_spec.unit.empty()) return;
    painter.setFont(look.font(Type::Body));
    painter.setPen(look.color(Color::Text3));
    painter.drawText(rect().adjusted(0, 0, -kArrowWidth - 4, 0), Qt::AlignVCenter | Qt::AlignRight, format::text(m_spec.unit));
}

// ---- FormRow

FormRow::FormRow(const QString& label, QWidget* parent) : QWidget(parent) {
    m_grid = new QGridLayout(this);
    m_grid->setContentsMargins(0, 0, 0, 6);
    m_grid->setHorizontalSpacing(metrics::kSpace8);
    m_grid->setVerticalSpacing(2);
    m_label = makeLabel(label, Type::Body, Color::Text2, this);
    m_label->setFixedWidth(kLabelWidth);
    m_hint = new ElidedLabel(Qt::ElideRight, Type::Caption, Color::Text3, this);
    m_hint->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);
    m_grid->addWidget(m_label, 0, 0, Qt::AlignVCenter);
    m_grid->addWidget(m_hint, 0, 2);
    m_grid->setColumnStretch(2, 1);
    m_grid->setRowMinimumHeight(0, metrics::kControl);
}

void FormRow::setEditor(QWidget* editor) {
    m_editor = editor;
    m_grid->addWidget(editor, 0, 1, Qt::AlignVCenter);
    editor->setAccessibleName(m_label->text());
    m_label->setBuddy(editor);
    setFocusProxy(editor);
}

void FormRow::setHint(const QString& text) { m_hint->setText(text); }
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

// ---- ParamField

ParamField::ParamField(const api::ParamSpec& spec, api::Scale scale, QWidget* parent)
    : FormRow(text(spec.label), parent), m_spec(spec), m_schema({spec}), m_scale(scale) {
    setToolTip(text(spec.help));
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
