#include "app/pages/new_run_form.h"

#include <QPushButton>
#include <QVBoxLayout>

#include <algorithm>

#include "widgets/controls/controls.h"
#include "widgets/theme/format.h"
#include "widgets/theme/icons.h"

namespace espalier::app {

using namespace widgets;
using format::text;

namespace {

const char* const kRunGroup = "Run";

QVBoxLayout* makeColumn(QWidget* holder) {
    auto* layout = new QVBoxLayout(holder);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(0);
    return layout;
}

}  // namespace

ParamForm::ParamForm(QWidget* parent) : QWidget(parent), m_layout(makeColumn(this)), m_runRows(new QWidget(this)) {
    makeColumn(m_runRows);
}

void ParamForm::setSchema(const api::ParamSchema& schema, api::Scale scale) {
    m_schema = schema;
    m_scale = scale;
    m_fields.clear();
    m_order.clear();
    m_groups.clear();
    delete m_body;
    delete m_runBody;
    m_body = new QWidget(this);
    m_runBody = new QWidget(m_runRows);
    QVBoxLayout* column = makeColumn(m_body);
    QVBoxLayout* runColumn = makeColumn(m_runBody);
    std::vector<std::string> names;
    for (const api::ParamSpec& spec : schema.specs())
        if (std::find(names.begin(), names.end(), spec.group) == names.end()) names.push_back(spec.group);
    for (const std::string& name : names) {
        if (name == kRunGroup) {
            fillGroup(name, runColumn, m_runBody);
            continue;
        }
        auto* holder = new QWidget(m_body);
        QVBoxLayout* rows = makeColumn(holder);
        rows->addWidget(makeLabel(text(name), Type::BodyStrong, Color::Text, holder));
        rows->addSpacing(6);
        fillGroup(name, rows, holder);
        rows->addSpacing(10);
        column->addWidget(holder);
    }
    m_layout->addWidget(m_body);
    m_runRows->layout()->addWidget(m_runBody);
    refreshRows();
}

void ParamForm::fillGroup(const std::string& name, QVBoxLayout* into, QWidget* holder) {
    Group group;
    group.holder = holder;
    for (const bool isAdvanced : {false, true})
        for (const api::ParamSpec& spec : m_schema.specs()) {
            if (spec.group != name || spec.isAdvanced != isAdvanced) continue;
            auto* field = new ParamField(spec, m_scale, holder);
            if (isAdvanced && !group.more) {
                group.more = new QPushButton(holder);
                group.more->setProperty("kind", QStringLiteral("link"));
                group.more->setAutoDefault(false);
                group.more->setCursor(Qt::PointingHandCursor);
                group.more->setSizePolicy(QSizePolicy::Maximum, QSizePolicy::Fixed);
                into->addWidget(group.more);
                into->addSpacing(2);
            }
            into->addWidget(field);
            m_fields.insert(text(spec.key), field);
            m_order.push_back(field);
            if (isAdvanced) group.advanced.push_back(field);
            connect(field, &ParamField::edited, this, [this] {
                refreshRows();
                Q_EMIT edited();
            });
        }
    const std::size_t index = m_groups.size();
    m_groups.push_back(group);
    if (group.more)
        connect(group.more, &QPushButton::clicked, this, [this, index] {
            m_groups[index].isOpen = !m_groups[index].isOpen;
            refreshRows();
        });
}

bool ParamForm::isWanted(const api::ParamSpec& spec) const {
    if (spec.onlyWhenKey.empty()) return true;
    const ParamField* other = m_fields.value(text(spec.onlyWhenKey));
    if (!other || !isWanted(other->spec())) return false;
    const std::string value = other->value();
    return std::find(spec.onlyWhenValues.begin(), spec.onlyWhenValues.end(), value) != spec.onlyWhenValues.end();
}

void ParamForm::refreshRows() {
    for (ParamField* field : m_order) field->setVisible(isWanted(field->spec()));
    for (Group& group : m_groups) {
        if (!group.more) continue;
        int folded = 0;
        for (ParamField* field : group.advanced) {
            const bool isForced = field->isTouched() || !field->isRight();
            const bool isHere = isWanted(field->spec());
            field->setVisible(isHere && (group.isOpen || isForced));
            if (isHere && !isForced) ++folded;
        }
        group.more->setVisible(folded > 0);
        group.more->setText(group.isOpen ? tr("Fewer") : tr("%1 more").arg(folded));
        group.more->setIcon(icon(group.isOpen ? QStringLiteral("chevron-down") : QStringLiteral("chevron-right"), Color::Text2));
    }
}

void ParamForm::setScale(api::Scale scale) {
    m_scale = scale;
    for (ParamField* field : m_order) field->setScale(scale);
    refreshRows();
    Q_EMIT edited();
}

std::map<std::string, std::string> ParamForm::changed() const {
    std::map<std::string, std::string> result;
    for (const ParamField* field : m_order) {
        if (!field->isParsed() || !isWanted(field->spec())) continue;
        const std::string value = field->value();
        if (value != api::valueText(field->spec().defaultAt(m_scale))) result[field->spec().key] = value;
    }
    return result;
}

int ParamForm::problemCount() const {
    return static_cast<int>(std::count_if(m_order.begin(), m_order.end(),
                                          [this](const ParamField* field) { return !field->isRight() && isWanted(field->spec()); }));
}

ParamField* ParamForm::firstWrong() const {
    const auto it = std::find_if(m_order.begin(), m_order.end(),
                                 [this](const ParamField* field) { return !field->isRight() && isWanted(field->spec()); });
    return it == m_order.end() ? nullptr : *it;
}

bool ParamForm::setRecipeProblem(const QString& key, const QString& sentence) {
    ParamField* field = m_fields.value(key);
    if (!field || !isWanted(field->spec())) return false;
    field->setRecipeProblem(sentence);
    refreshRows();
    return true;
}

void ParamForm::clearRecipeProblems() {
    for (ParamField* field : m_order) field->clearRecipeProblem();
}

}  // namespace espalier::app
