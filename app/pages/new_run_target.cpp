#include "app/pages/new_run_target.h"

#include <QComboBox>
#include <QFileInfo>
#include <QSignalBlocker>
#include <QVBoxLayout>

#include <algorithm>

#include "widgets/controls/controls.h"
#include "widgets/theme/format.h"
#include "widgets/theme/icons.h"

namespace espalier::app {

using namespace widgets;
using format::text;

namespace {

constexpr int kWideField = 208;
constexpr int kSeedField = 92;
constexpr int kMostSeeds = 100;

QComboBox* makeBox(QWidget* parent) {
    auto* box = new QComboBox(parent);
    box->setFixedWidth(kWideField);
    box->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
    return box;
}

bool takes(const api::RecipeCard& card, const feed::DatasetSummary& set) {
    return std::any_of(card.accepts.begin(), card.accepts.end(),
                       [&](api::DatasetKind kind) { return set.kind == datasetKindName(kind); });
}

}  // namespace

const char* datasetKindName(api::DatasetKind kind) {
    return kind == api::DatasetKind::Images ? "images" : kind == api::DatasetKind::Table ? "table" : "text";
}

RunTarget::RunTarget(AppContext& context, QWidget* parent) : QWidget(parent), m_context(context) {
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    column->addWidget(makeLabel(tr("Run"), Type::BodyStrong, Color::Text, this));
    column->addSpacing(6);
    const auto add = [&](const QString& label, QWidget* editor) {
        auto* row = new FormRow(label, this);
        editor->setParent(row);
        row->setEditor(editor);
        column->addWidget(row);
        return row;
    };
    m_data = add(tr("data"), m_dataBox = makeBox(this));
    m_from = add(tr("from"), m_fromBox = makeBox(this));
    m_device = add(tr("device"), m_deviceBox = makeBox(this));
    m_seeds = add(tr("seeds"), m_seedLine = new QLineEdit(QStringLiteral("0"), this));
    m_name = add(tr("name"), m_nameLine = new QLineEdit(this));
    m_tags = add(tr("tags"), m_tagLine = new QLineEdit(this));
    m_seedLine->setFixedWidth(kSeedField);
    m_nameLine->setFixedWidth(kWideField);
    m_tagLine->setFixedWidth(kWideField);
    m_nameLine->setPlaceholderText(tr("made from recipe and seed"));
    m_tagLine->setPlaceholderText(tr("paper, baseline"));
    m_tags->setHint(tr("parted by commas"));
    setDevices({});
    for (QComboBox* box : {m_dataBox, m_fromBox, m_deviceBox})
        connect(box, &QComboBox::currentIndexChanged, this, [this] {
            check();
            Q_EMIT edited();
        });
    for (QLineEdit* line : {m_seedLine, m_nameLine, m_tagLine})
        connect(line, &QLineEdit::textEdited, this, [this] {
            check();
            Q_EMIT edited();
        });
    connect(context.bridge, &EngineBridge::catalogChanged, this, [this] {
        const QString data = dataset(), run = parentRun();
        fillData();
        fillParents();
        choose(data, run);
    });
}

void RunTarget::setCard(const api::RecipeCard& card) {
    const QString data = dataset(), run = parentRun();
    m_card = card;
    fillData();
    fillParents();
    choose(data, run);
}

void RunTarget::fillData() {
    const QSignalBlocker quiet(m_dataBox);
    m_dataBox->clear();
    if (m_card.needsParentRun || m_card.accepts.empty())
        m_dataBox->addItem(m_card.needsParentRun ? tr("that of the parent run") : tr("none"), QString());
    for (const feed::DatasetSummary& set : m_context.bridge->datasets().datasets()) {
        if (!takes(m_card, set)) continue;
        const QString kind = set.kind == "images" ? QStringLiteral("image") : set.kind == "table" ? QStringLiteral("table") : QStringLiteral("archive");
        m_dataBox->addItem(icon(kind, Color::Text2), text(set.name), text(set.id));
    }
}

void RunTarget::fillParents() {
    const QSignalBlocker quiet(m_fromBox);
    const QString weights = parentRun().endsWith(QStringLiteral(".safetensors")) ? parentRun() : QString();
    m_fromBox->clear();
    m_from->setVisible(!m_card.parentKinds.empty() || m_card.needsParentRun);
    if (!m_card.needsParentRun) m_fromBox->addItem(tr("nothing, from scratch"), QString());
    for (const feed::RunInfo& run : m_context.bridge->runs().runs()) {
        const api::RecipeCard* made = m_context.registry->find(run.recipe);
        if (!made || run.state == feed::JobState::Queued || run.state == feed::JobState::Preparing) continue;
        const bool isFit = std::any_of(made->kinds.begin(), made->kinds.end(), [&](const std::string& kind) {
            return std::find(m_card.parentKinds.begin(), m_card.parentKinds.end(), kind) != m_card.parentKinds.end();
        });
        if (isFit) m_fromBox->addItem(icon(theme().stateLook(run.state).icon, Color::Text2), text(run.name), text(run.id));
    }
    if (!weights.isEmpty()) m_fromBox->addItem(icon(QStringLiteral("model"), Color::Text2), QFileInfo(weights).fileName(), weights);
}

void RunTarget::choose(const QString& dataset, const QString& parentRun) {
    const QSignalBlocker quietData(m_dataBox), quietFrom(m_fromBox);
    if (parentRun.endsWith(QStringLiteral(".safetensors")) && m_fromBox->findData(parentRun) < 0)
        m_fromBox->addItem(icon(QStringLiteral("model"), Color::Text2), QFileInfo(parentRun).fileName(), parentRun);
    const int data = m_dataBox->findData(dataset), run = m_fromBox->findData(parentRun);
    m_dataBox->setCurrentIndex(data >= 0 ? data : m_dataBox->count() > 0 ? 0 : -1);
    m_fromBox->setCurrentIndex(run >= 0 ? run : m_fromBox->count() > 0 ? 0 : -1);
    check();
    Q_EMIT edited();
}

void RunTarget::setDevices(const std::vector<std::string>& devices) {
    const QSignalBlocker quiet(m_deviceBox);
    const QString before = device();
    m_deviceBox->clear();
    m_deviceBox->addItem(tr("automatic"), QStringLiteral("auto"));
    for (const std::string& each : devices) {
        const QString id = text(each).section(u' ', 0, 0), name = text(each).section(u' ', 1);
        m_deviceBox->addItem(icon(id == QStringLiteral("cpu") ? QStringLiteral("cpu") : QStringLiteral("gpu"), Color::Text2),
                             name.isEmpty() ? id : id + QStringLiteral(", ") + name, id);
    }
    m_deviceBox->setCurrentIndex(std::max(0, m_deviceBox->findData(before)));
    check();
}

QString RunTarget::dataset() const { return m_dataBox->currentData().toString(); }
QString RunTarget::datasetName() const {
    const feed::DatasetSummary* set = m_context.bridge->dataset(dataset());
    return set ? text(set->name) : QString();
}
QString RunTarget::parentRun() const { return m_fromBox->currentData().toString(); }
QString RunTarget::parentName() const { return parentRun().endsWith(QStringLiteral(".safetensors")) ? parentRun() : parentRun().isEmpty() ? QString() : m_fromBox->currentText(); }
QString RunTarget::device() const { return m_deviceBox->currentIndex() < 0 ? QStringLiteral("auto") : m_deviceBox->currentData().toString(); }
QString RunTarget::name() const { return m_nameLine->text().trimmed(); }

QStringList RunTarget::tags() const {
    QStringList tags;
    for (const QString& tag : m_tagLine->text().split(u',', Qt::SkipEmptyParts))
        if (!tag.trimmed().isEmpty() && !tags.contains(tag.trimmed())) tags << tag.trimmed();
    return tags;
}

std::vector<std::int64_t> RunTarget::seeds() const {
    const api::ParamSchema schema({api::integerList("seed", "Run", "Seeds")});
    const auto parsed = schema.parse("seed", m_seedLine->text().toStdString());
    if (!parsed) return {};
    std::vector<std::int64_t> unique;
    for (const auto seed : std::get<std::vector<std::int64_t>>(*parsed))
        if (std::find(unique.begin(), unique.end(), seed) == unique.end()) unique.push_back(seed);
    return unique.size() > kMostSeeds ? std::vector<std::int64_t>{} : unique;
}

void RunTarget::setSeeds(const std::vector<std::int64_t>& seeds) {
    QStringList words;
    for (const std::int64_t seed : seeds) words << QString::number(seed);
    m_seedLine->setText(words.join(QStringLiteral(", ")));
    check();
    Q_EMIT edited();
}

void RunTarget::check() {
    const feed::DatasetSummary* set = m_context.bridge->dataset(dataset());
    m_data->setHint(set ? (set->classes.empty() ? format::count(set->samples)
                                                : tr("%1, %2 classes").arg(format::count(set->samples)).arg(set->classes.size()))
                        : QString());
    const bool needsData = !m_card.accepts.empty() && !m_card.needsParentRun;
    m_data->setProblem(needsData && !set ? tr("There is no data that fits; drop some into the window first.") : QString());
    const feed::RunInfo* run = m_context.bridge->run(parentRun());
    m_from->setHint(run ? text(run->datasetName) : QString());
    m_from->setProblem(m_card.needsParentRun && parentRun().isEmpty() ? tr("It starts from a finished run, and there is none that fits; train one first.") : QString());
    m_device->setHint(device() == QStringLiteral("auto") ? tr("fastest usable") : QString());
    const auto list = seeds();
    m_seeds->setHint(list.size() > 1 ? tr("makes %1 runs").arg(list.size()) : tr("several make a run each: 0, 1, 2"));
    m_seeds->setProblem(list.empty() ? tr("Write whole numbers parted by commas, such as 0, 1, 2; at most %1.").arg(kMostSeeds) : QString());
    m_name->setHint(!name().isEmpty() && list.size() > 1 ? tr("-s0, -s1, … are added") : QString());
}

int RunTarget::problemCount() const {
    int count = 0;
    for (const FormRow* row : {m_data, m_from, m_device, m_seeds, m_name, m_tags}) count += row->problem().isEmpty() ? 0 : 1;
    return count;
}

FormRow* RunTarget::firstWrong() const {
    for (FormRow* row : {m_data, m_from, m_device, m_seeds, m_name, m_tags})
        if (!row->problem().isEmpty()) return row;
    return nullptr;
}

}  // namespace espalier::app
