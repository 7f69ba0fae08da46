#include "app/shell/card_inspectors.h"

#include <QLabel>
#include <QPushButton>
#include <QVBoxLayout>

#include <algorithm>

#include "app/shell/commands.h"
#include "widgets/controls/chip.h"
#include "widgets/controls/controls.h"
#include "widgets/controls/flow_layout.h"
#include "widgets/controls/key_value_list.h"
#include "widgets/controls/section.h"
#include "widgets/theme/format.h"

namespace espalier::app {

namespace format = widgets::format;
using widgets::Color;
using widgets::KeyValue;
using widgets::Section;
using widgets::Type;
using widgets::format::text;

namespace {

Section* addSection(QVBoxLayout* layout, const QString& title, QWidget* body, QWidget* parent) {
    auto* section = new Section(title, parent);
    section->setBody(body);
    section->setBodyMargins(12, 0, 12, 8);
    layout->addWidget(section);
    return section;
}

QVBoxLayout* makeColumn(QWidget* widget) {
    auto* layout = new QVBoxLayout(widget);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(0);
    return layout;
}

widgets::FlowLayout* addChips(QVBoxLayout* layout, QWidget* parent) {
    auto* holder = new QWidget(parent);
    auto* chips = new widgets::FlowLayout(holder);
    chips->setContentsMargins(12, 4, 12, 10);
    layout->addWidget(holder);
    return chips;
}


QString kindName(api::DatasetKind kind) {
    switch (kind) {
        case api::DatasetKind::Images: return QObject::tr("images");
        case api::DatasetKind::Table: return QObject::tr("tables");
        case api::DatasetKind::Text: break;
    }
    return QObject::tr("text");
}

bool hasOutput(const api::RecipeCard& card, const char* part) {
    return std::any_of(card.outputs.begin(), card.outputs.end(),
                       [part](const std::string& name) { return name.find(part) != std::string::npos; });
}

}  // namespace

RecipeInspector::RecipeInspector(AppContext& context, QWidget* parent) : QWidget(parent), m_context(context) {
    QVBoxLayout* layout = makeColumn(this);
    auto* top = new QVBoxLayout;
    top->setContentsMargins(12, 8, 12, 0);
    top->setSpacing(2);
    m_paper = widgets::makeLabel({}, Type::Caption, Color::Text2, this);
    m_name = new widgets::ElidedLabel(Qt::ElideRight, Type::Title, Color::Text, this);
    m_title = widgets::makeLabel({}, Type::Body, Color::Text2, this);
    m_title->setWordWrap(true);
    top->addWidget(m_paper);
    top->addWidget(m_name);
    top->addWidget(m_title);
    layout->addLayout(top);
    m_chips = addChips(layout, this);
    layout->addWidget(widgets::makeLine(Qt::Horizontal, this));
    m_about = widgets::makeLabel({}, Type::Body, Color::Text2, this);
    m_about->setWordWrap(true);
    m_about->setContentsMargins(12, 10, 12, 10);
    layout->addWidget(m_about);
    m_claim = new widgets::KeyValueList(this);
    m_claim->setKeyWidth(132);
    m_takes = new widgets::KeyValueList(this);
    m_shows = new widgets::KeyValueList(this);
    m_claimSection = addSection(layout, tr("Claim"), m_claim, this);
    addSection(layout, tr("Takes"), m_takes, this);
    addSection(layout, tr("Shows"), m_shows, this);
    layout->addWidget(widgets::makeLine(Qt::Horizontal, this));
    QPushButton* run = widgets::makeButton(tr("New run with this recipe"), QStringLiteral("run"));
    run->setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    auto* foot = new QVBoxLayout;
    foot->setContentsMargins(12, 10, 12, 12);
    foot->addWidget(run);
    layout->addLayout(foot);
    layout->addStretch(1);
    connect(run, &QPushButton::clicked, this, [this] { m_context.commands->newRun(m_context.selection->currentRecipe()); });
    connect(context.selection, &Selection::currentRecipeChanged, this, &RecipeInspector::refresh);
    refresh();
}

void RecipeInspector::refresh() {
    const api::RecipeCard* card = m_context.registry->find(m_context.selection->currentRecipe().toStdString());
    if (!card) return;
    m_paper->setText(QStringLiteral("%1, %2").arg(text(card->id).section(u'-', 0, 0), text(card->paperLink)));
    m_name->setText(text(card->name));
    m_title->setText(text(card->title));
    m_chips->clear();
    for (const auto* words : {&card->kinds, &card->domains})
        for (const std::string& word : *words) m_chips->addWidget(new widgets::Chip(text(word), widgets::Chip::Kind::Plain, this));
    m_about->setText(text(card->about));
    QVector<KeyValue> claims;
    for (const api::PaperClaim& claim : card->claims)
        claims.append(KeyValue{text(claim.label), QStringLiteral("%1 %").arg(format::fixed(claim.value * 100, 2)), text(claim.setting),
                               text(claim.source)});
    m_claim->setRows(claims);
    m_claimSection->setVisible(!claims.isEmpty());
    QStringList kinds;
    for (const api::DatasetKind kind : card->accepts) kinds << kindName(kind);
    QVector<KeyValue> takes{{tr("data"), kinds.isEmpty() ? tr("that of the parent run") : kinds.join(QStringLiteral(", ")), {}}};
    if (card->needsParentRun) takes.append({tr("starts from"), tr("a finished run"), {}});
    if (!card->deskTime.empty()) takes.append({tr("desk"), text(card->deskTime), tr("two cores")});
    takes.append({tr("parameters"), QString::number(card->schema.specs().size()), {}});
    m_takes->setRows(takes);
    QVector<KeyValue> shows;
    if (hasOutput(*card, "train/") || hasOutput(*card, "valid/")) shows.append({tr("curves"), tr("loss and metrics"), {}});
    if (hasOutput(*card, "attn")) shows.append({tr("attention"), tr("per layer and head"), {}});
    if (hasOutput(*card, "quant") || card->needsParentRun) shows.append({tr("trade-off"), tr("size against accuracy"), {}});
    QStringList later;
    for (const api::RecipeCard& other : m_context.registry->cards())
        for (const std::string& kind : other.parentKinds)
            if (other.needsParentRun && std::find(card->kinds.begin(), card->kinds.end(), kind) != card->kinds.end() && !later.contains(text(other.name)))
                later << text(other.name);
    if (!later.isEmpty()) shows.append({tr("then"), later.join(QStringLiteral(", ")), {}});
    m_shows->setRows(shows);
}

DatasetInspector::DatasetInspector(AppContext& context, QWidget* parent) : QWidget(parent), m_context(context) {
    QVBoxLayout* layout = makeColumn(this);
    auto* top = new QHBoxLayout;
    top->setContentsMargins(12, 8, 12, 0);
    m_name = new widgets::ElidedLabel(Qt::ElideMiddle, Type::Title, Color::Text, this);
    top->addWidget(m_name, 1);
    layout->addLayout(top);
    m_chips = addChips(layout, this);
    m_manifest = new widgets::KeyValueList(this);
    addSection(layout, tr("Manifest"), m_manifest, this);
    m_hash = widgets::makeLabel({}, Type::Mono, Color::Text2, this);
    m_hash->setWordWrap(true);
    m_hash->setTextInteractionFlags(Qt::TextSelectableByMouse);
    addSection(layout, tr("Content hash"), m_hash, this)->setCount(QStringLiteral("SHA-256"));
    m_checks = new widgets::KeyValueList(this);
    addSection(layout, tr("Checks"), m_checks, this);
    m_usedBy = new widgets::KeyValueList(this);
    m_usedSection = addSection(layout, tr("Used by"), m_usedBy, this);
    layout->addStretch(1);
    connect(context.selection, &Selection::currentDatasetChanged, this, &DatasetInspector::refresh);
    connect(context.bridge, &EngineBridge::catalogChanged, this, &DatasetInspector::refresh);
    refresh();
}

void DatasetInspector::refresh() {
    const feed::DatasetSummary* set = m_context.bridge->dataset(m_context.selection->currentDataset());
    if (!set) return;
    m_name->setText(text(set->name));
    m_chips->clear();
    m_chips->addWidget(new widgets::Chip(text(set->kind), widgets::Chip::Kind::Plain, this));
    if (!set->classes.empty())
        m_chips->addWidget(new widgets::Chip(tr("%n class(es)", nullptr, static_cast<int>(set->classes.size())),
                                             widgets::Chip::Kind::Plain, this));
    QStringList shape;
    for (const auto length : set->shape) shape << QString::number(length);
    QVector<KeyValue> rows{{tr("samples"), format::count(set->samples), {}},
                           {tr("shape"), shape.join(QStringLiteral(" × ")), set->hasOneSize ? QString() : tr("most common")},
                           {tr("format"), text(set->format), {}},
                           {tr("train"), format::count(set->splits[0]), {}},
                           {tr("valid"), format::count(set->splits[1]), {}},
                           {tr("test"), format::count(set->splits[2]), {}},
                           {tr("split"), set->splitKind == "folders" ? tr("by folders") : tr("by seed %1").arg(set->splitSeed), {}},
                           {tr("imported"), tr("in %1").arg(format::duration(set->importSecs)), {}}};
    m_manifest->setRows(rows);
    QString hash;
    const QString whole = text(set->hash);
    for (qsizetype i = 0; i < whole.size(); i += 8) hash += (i ? QStringLiteral(" ") : QString()) + whole.mid(i, 8);
    m_hash->setText(hash);
    m_checks->setRows({{tr("exact copies"), format::count(set->exactDuplicates), tr("%1 across splits").arg(set->exactAcrossSplits)},
                       {tr("near copies"), format::count(set->nearDuplicatePairs), tr("pairs")},
                       {tr("warnings"), format::count(static_cast<std::int64_t>(set->warnings.size())), {}}});
    QVector<KeyValue> used;
    for (const feed::RunInfo& run : m_context.bridge->runs().runs())
        if (run.datasetId == set->id && used.size() < 12) {
            const auto it = run.summary.find("test/top1");
            used.append(KeyValue{text(run.name), it == run.summary.end() ? QStringLiteral("–") : format::fraction(it->second.best), {}, {}, false, false, true});
        }
    m_usedBy->setRows(used);
    m_usedBy->setKeyWidth(170);
    m_usedSection->setVisible(!used.isEmpty());
    m_usedSection->setCount(tr("%n run(s)", nullptr, static_cast<int>(used.size())));
}

}  // namespace espalier::app
