#include "app/shell/run_inspector.h"

#include <QApplication>
#include <QClipboard>
#include <QInputDialog>
#include <QJsonDocument>
#include <QJsonObject>
#include <QLabel>
#include <QMenu>
#include <QToolButton>
#include <QVBoxLayout>

#include <algorithm>
#include <cctype>
#include <cmath>

#include "app/bridge/edits.h"
#include "app/shell/commands.h"
#include "app/shell/error_presenter.h"
#include "app/shell/note_edit.h"
#include "engine/feed/metric_names.h"
#include "widgets/controls/bars.h"
#include "widgets/controls/chip.h"
#include "widgets/controls/controls.h"
#include "widgets/controls/flow_layout.h"
#include "widgets/controls/key_value_list.h"
#include "widgets/controls/section.h"
#include "widgets/theme/format.h"
#include "widgets/theme/icons.h"

namespace espalier::app {

namespace format = widgets::format;
using widgets::Color;
using widgets::KeyValue;
using widgets::Section;
using widgets::Type;
using widgets::format::text;

namespace {

constexpr int kKeyWidth = 108;  ///< "attention probes" fits, and "CompactTransformers" beside it

const feed::SummaryEntry* summaryOf(const feed::RunInfo& run, const std::string& name) {
    const auto it = run.summary.find(name);
    return it == run.summary.end() ? nullptr : &it->second;
}

Section* addSection(QVBoxLayout* layout, const QString& title, QWidget* body, QWidget* parent) {
    auto* section = new Section(title, parent);
    section->setBody(body);
    section->setBodyMargins(12, 0, 12, 8);
    layout->addWidget(section);
    return section;
}

}  // namespace

RunInspector::RunInspector(AppContext& context, QWidget* parent) : QWidget(parent), m_context(context) {
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(0);
    buildHeader(layout);
    m_claimSection = addSection(layout, tr("Paper claim"), makeClaim(), this);
    m_parameters = new widgets::KeyValueList(this);
    m_parameters->setKeyWidth(kKeyWidth);
    m_parameterSection = addSection(layout, tr("Parameters"), m_parameters, this);
    m_manifest = new widgets::KeyValueList(this);
    m_manifest->setKeyWidth(kKeyWidth);
    m_manifestSection = addSection(layout, tr("Manifest"), m_manifest, this);
    m_note = new NoteEdit(context, this);
    m_noteSection = addSection(layout, tr("Notes"), m_note, this);
    layout->addStretch(1);
    connectAll();
    setRun(context.selection->currentRun());
}

void RunInspector::buildHeader(QVBoxLayout* layout) {
    auto* header = new QHBoxLayout;
    header->setContentsMargins(10, 4, 6, 4);
    header->setSpacing(4);
    m_swatch = new widgets::Swatch(0, true, this);
    m_name = new widgets::ElidedLabel(Qt::ElideMiddle, Type::Title, Color::Text, this);
    QToolButton* rename = widgets::makeIconButton(QStringLiteral("rename"), tr("Rename"), this);
    QToolButton* more = widgets::makeIconButton(QStringLiteral("more"), tr("More about this run"), this);
    header->addWidget(m_swatch);
    header->addWidget(m_name, 1);
    header->addWidget(rename);
    header->addWidget(more);
    layout->addLayout(header);
    connect(rename, &QToolButton::clicked, this, &RunInspector::startRename);
    connect(more, &QToolButton::clicked, this, [this, more] { showMenu(more->mapToGlobal(QPoint(0, more->height()))); });
    auto* chipHolder = new QWidget(this);
    m_chips = new widgets::FlowLayout(chipHolder);
    m_chips->setContentsMargins(12, 2, 12, 10);
    layout->addWidget(chipHolder);
    layout->addWidget(widgets::makeLine(Qt::Horizontal, this));
    auto* readings = new QHBoxLayout;
    readings->setContentsMargins(12, 10, 12, 8);
    m_best = new widgets::Reading(QString(), this);
    m_now = new widgets::Reading(QString(), this);
    readings->addWidget(m_best);
    readings->addWidget(m_now);
    layout->addLayout(readings);
}

QWidget* RunInspector::makeClaim() {
    auto* claim = new QWidget(this);
    auto* layout = new QVBoxLayout(claim);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(4);
    auto* line = new QHBoxLayout;
    m_claimText = new widgets::ElidedLabel(Qt::ElideNone, Type::Body, Color::Text, claim);
    m_claimGap = widgets::makeLabel({}, Type::Body, Color::Warning, claim);
    line->addWidget(m_claimText, 1);
    line->addWidget(m_claimGap);
    m_claimBar = new widgets::ClaimBar(claim);
    m_claimNote = widgets::makeLabel({}, Type::Caption, Color::Text3, claim);
    m_claimNote->setWordWrap(true);
    layout->addLayout(line);
    layout->addWidget(m_claimBar);
    layout->addWidget(m_claimNote);
    return claim;
}

void RunInspector::connectAll() {
    connect(m_swatch, &QAbstractButton::clicked, this,
            [this](bool isShown) { m_context.selection->setShown(m_runId, isShown); });
    connect(m_context.selection, &Selection::currentRunChanged, this, &RunInspector::setRun);
    connect(m_context.selection, &Selection::shownRunsChanged, this,
            [this] { m_swatch->setChecked(m_context.selection->isShown(m_runId)); });
    connect(m_context.bridge, &EngineBridge::catalogChanged, this, &RunInspector::refresh);
    connect(m_context.bridge, &EngineBridge::jobStateChanged, this, [this](quint64, const QString& run) {
        if (run == m_runId) refresh();
    });
    connect(m_context.bridge, &EngineBridge::pointsAppended, this, [this](const QString& run, const QString&) {
        const feed::RunInfo* info = run == m_runId && isVisible() ? m_context.bridge->run(m_runId) : nullptr;
        if (info) refreshReadings(*info);
    });
    connect(&m_context.bridge->runs(), &QAbstractItemModel::dataChanged, this,
            [this](const QModelIndex&, const QModelIndex&, const QList<int>& roles) {
                if (roles.isEmpty()) refresh();
            });
}

void RunInspector::setRun(const QString& id) {
    m_runId = id;
    m_note->setRun(id);
    refresh();
}

void RunInspector::refresh() {
    const feed::RunInfo* run = m_context.bridge->run(m_runId);
    setEnabled(run != nullptr);
    if (!run) return;
    refreshHeader(*run);
    refreshReadings(*run);
    refreshClaim(*run);
    refreshParameters(*run);
    refreshManifest(*run);
}

void RunInspector::refreshHeader(const feed::RunInfo& run) {
    m_name->setText(text(run.name));
    m_swatch->setColorIndex(run.colorIndex);
    m_swatch->setChecked(m_context.selection->isShown(m_runId));
    QStringList state{m_runId, QString::number(static_cast<int>(run.state)), QString::number(run.seed)};
    for (const std::string& tag : run.tags) state << text(tag);
    if (state == m_chipState) return;
    m_chipState = state;
    m_chips->clear();
    auto* badge = widgets::Badge::forState(run.state, this);
    badge->setToolTip(text(run.stateDetail));
    m_chips->addWidget(badge);
    for (const std::string& tag : run.tags) {
        auto* chip = new widgets::Chip(text(tag), widgets::Chip::Kind::Removable, this);
        connect(chip, &widgets::Chip::removeClicked, this,
                [this, tag = text(tag)] { m_context.edits->setTags({m_runId}, {}, tag); });
        m_chips->addWidget(chip);
    }
    m_chips->addWidget(new widgets::Chip(tr("seed %1").arg(run.seed), widgets::Chip::Kind::Plain, this));
    QToolButton* add = widgets::makeIconButton(QStringLiteral("add"), tr("Add a tag"), this, widgets::ControlSize::Small);
    connect(add, &QToolButton::clicked, this, [this] {
        auto* dialog = new QInputDialog(this);
        dialog->setAttribute(Qt::WA_DeleteOnClose);
        dialog->setWindowTitle(tr("Tag"));
        dialog->setLabelText(tr("Tag for this run"));
        connect(dialog, &QInputDialog::textValueSelected, this, [this](const QString& tag) {
            if (!tag.trimmed().isEmpty()) m_context.edits->setTags({m_runId}, tag.trimmed(), {});
        });
        dialog->open();
    });
    m_chips->addWidget(add);
}

// "epoch 26" where the run counts epochs and every one of them had as many steps, else "step 884".
QString RunInspector::momentText(const feed::RunInfo& run, std::int64_t step) {
    const feed::SummaryEntry* epoch = summaryOf(run, std::string(feed::names::kTrainEpoch));
    if (epoch && epoch->lastStep > 0 && std::isfinite(epoch->last)) {
        const double at = static_cast<double>(step) * epoch->last / static_cast<double>(epoch->lastStep);
        if (at >= 1 && std::abs(at - std::round(at)) < 0.01) return tr("epoch %1").arg(format::count(std::llround(at)));
    }
    return tr("step %1").arg(format::count(step));
}

void RunInspector::refreshReadings(const feed::RunInfo& run) {
    QString main = m_context.bridge->runs().valueSeries();
    for (const char* name : {"valid/top1", "test/top1"})
        if (!summaryOf(run, main.toStdString()) && summaryOf(run, name)) main = QString::fromLatin1(name);
    const feed::SummaryEntry* best = summaryOf(run, main.toStdString());
    m_best->setCaption(tr("%1, best").arg(main));
    const widgets::Series* live = m_context.bridge->series().find(m_runId, main);
    double value = best ? best->best : std::nan("");
    if (live && !live->isEmpty()) {
        const bool isLow = main.endsWith(QLatin1String("loss")) || main.endsWith(QLatin1String("ece"));
        for (const double v : live->values)
            if (std::isfinite(v) && (!std::isfinite(value) || (isLow ? v < value : v > value))) value = v;
    }
    m_best->setValue(format::fixed(value, 4));
    m_best->setDetail(best ? momentText(run, best->bestStep) : std::isfinite(value) ? QString() : tr("nothing logged yet"));

    const feed::SummaryEntry* loss = summaryOf(run, "train/loss");
    const widgets::Series* liveLoss = m_context.bridge->series().find(m_runId, QStringLiteral("train/loss"));
    const bool hasLive = liveLoss && !liveLoss->isEmpty();
    const bool isLiveRun = !feed::isFinal(run.state);
    m_now->setCaption(isLiveRun ? tr("train/loss, now") : tr("train/loss, last"));
    const double now = hasLive ? liveLoss->values.back() : loss ? loss->last : std::nan("");
    m_now->setValue(std::isnan(now) ? QStringLiteral("NaN") : format::fixed(now, 3));
    const feed::SummaryEntry* valid = summaryOf(run, "valid/loss");
    m_now->setDetail(valid ? tr("valid %1").arg(format::fixed(valid->last, 3)) : QString());
    m_now->setVisible(hasLive || loss);
}

void RunInspector::refreshClaim(const feed::RunInfo& run) {
    const api::RecipeCard* card = m_context.registry->find(run.recipe);
    const api::PaperClaim* claim = card && !card->claims.empty() ? &card->claims.front() : nullptr;
    m_claimSection->setVisible(claim != nullptr);
    if (!claim) return;
    m_claimSection->setCount(text(claim->label));
    m_claimText->setText(tr("%1 %, %2").arg(QString::number(claim->value * 100, 'f', 2), text(claim->setting)));
    const auto plain = [](std::string name) {
        std::erase_if(name, [](char c) { return !std::isalnum(static_cast<unsigned char>(c)); });
        std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
        return name;
    };
    // A claim on other data is shown, but never scored.
    const bool isSameData = plain(run.datasetName).find(plain(claim->dataset)) != std::string::npos;
    const auto it = run.summary.find(claim->metric);
    const double reached = it == run.summary.end() || !isSameData ? std::nan("") : it->second.best;
    m_claimBar->setValues(reached, claim->value, 0, 1, widgets::theme().runColor(run.colorIndex));
    const double gap = (claim->value - reached) * 100;
    if (!isSameData || !std::isfinite(reached)) {
        m_claimGap->clear();
        m_claimNote->setText(isSameData ? tr("This run has no %1 yet.").arg(text(claim->metric))
                                        : tr("On %1; this run used %2.").arg(text(claim->dataset), text(run.datasetName)));
    } else {
        m_claimGap->setText(gap > 0 ? tr("%1 to go").arg(format::fixed(gap, 2)) : tr("reached"));
        widgets::setLabelLook(m_claimGap, Type::Body, gap > 0 ? Color::Warning : Color::Success);
        m_claimNote->setText(tr("This run reached %1 % in %2.").arg(format::fixed(reached * 100, 2), text(claim->metric)));
    }
}

void RunInspector::refreshParameters(const feed::RunInfo& run) {
    const api::RecipeCard* card = m_context.registry->find(run.recipe);
    QVector<KeyValue> rows;
    const auto add = [&](const std::string& key, const std::string& value, const api::ParamSpec* spec) {
        // As the form names it; the flag's name stands in the tooltip.
        KeyValue row{spec ? text(spec->label) : text(key), text(value), {}};
        // 0 mostly stands for "off" or "by itself", which has no unit.
        if (spec && !spec->unit.empty() && value != "0") row.value += u' ' + (value == "1" && spec->unit == "epochs" ? tr("epoch") : text(spec->unit));
        row.toolTip = text(key) + QStringLiteral("  ") + text(value);
        if (run.changedParams.contains(key)) {
            row.note = tr("changed");
            row.isNoteAtRight = true;
        }
        rows.append(row);
    };
    if (card) {
        // What the form would not ask for says nothing: "layers" of a named variant, say.
        const auto matters = [&](const api::ParamSpec& spec) {
            if (spec.onlyWhenKey.empty()) return true;
            const auto other = run.params.find(spec.onlyWhenKey);
            return other != run.params.end() &&
                   std::find(spec.onlyWhenValues.begin(), spec.onlyWhenValues.end(), other->second) != spec.onlyWhenValues.end();
        };
        for (const api::ParamSpec& spec : card->schema.specs()) {
            const auto it = run.params.find(spec.key);
            if (it != run.params.end() && matters(spec) && (!spec.isAdvanced || run.changedParams.contains(spec.key))) add(it->first, it->second, &spec);
        }
    } else {
        for (const auto& [key, value] : run.params) add(key, value, nullptr);
    }
    m_parameters->setRows(rows);
    const auto counted = [&](const QString& words) { return words.arg(run.changedParams.size()).arg(run.params.size()); };
    m_parameterSection->setCount(counted(tr("%1 of %2 differ from default")), counted(tr("%1 of %2 changed")));
}

void RunInspector::refreshManifest(const feed::RunInfo& run) {
    QVector<KeyValue> rows;
    const auto add = [&](const QString& key, const QString& value, const QString& note = {}) {
        if (!value.isEmpty()) rows.append(KeyValue{key, value, note});
    };
    add(tr("data"), text(run.datasetName), format::shortHash(text(run.datasetHash)));
    const api::RecipeCard* card = m_context.registry->find(run.recipe);
    add(tr("recipe"), card ? text(card->name) : text(run.recipe));
    add(tr("scale"), text(run.scale));
    add(tr("device"), run.device.empty() ? QString() : text(run.device), run.threads == 1 ? tr("1 thread") : run.threads > 0 ? tr("%1 threads").arg(run.threads) : QString());
    if (run.params_count > 0)
        add(tr("size"), format::si(static_cast<double>(run.params_count)),
            run.macs > 0 ? tr("%1MAC").arg(format::si(static_cast<double>(run.macs))) : QString());
    const feed::RunInfo* parent = run.parentRun.empty() ? nullptr : m_context.bridge->run(text(run.parentRun));
    add(tr("parent"), run.parentRun.empty() ? tr("none") : parent ? text(parent->name) : text(run.parentRun));
    add(tr("started"), run.startedSecs > 0 ? format::when(run.startedSecs) : QString());
    add(tr("time"), run.activeSecs > 0 ? format::clock(run.activeSecs) : QString());
    add(tr("on disk"), run.bytesOnDisk > 0 ? format::bytes(run.bytesOnDisk) : QString());
    rows.append(KeyValue{tr("id"), m_runId, {}, {}, true});
    m_manifest->setRows(rows);
    m_manifestSection->setCount(tr("written %1").arg(format::when(run.createdSecs)));
}

void RunInspector::startRename() {
    auto* dialog = new QInputDialog(this);
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setWindowTitle(tr("Rename"));
    dialog->setLabelText(tr("Name of the run"));
    dialog->setTextValue(m_name->text());
    connect(dialog, &QInputDialog::textValueSelected, this, [this, id = m_runId](const QString& name) {
        if (!name.trimmed().isEmpty()) m_context.edits->renameRun(id, name.trimmed());
    });
    dialog->open();
}

void RunInspector::showMenu(const QPoint& global) {
    const feed::RunInfo* run = m_context.bridge->run(m_runId);
    if (!run) return;
    auto* menu = new QMenu(this);
    menu->setAttribute(Qt::WA_DeleteOnClose);
    menu->addAction(widgets::icon(QStringLiteral("copy")), tr("Copy manifest"), this, [this] {
        m_context.bridge->reads().run(
            this, QStringLiteral("manifest"),
            [workspace = m_context.workspace, id = m_runId.toStdString()] { return workspace->manifestText(id); },
            [this](const Result<std::string>& manifest) {
                if (manifest)
                    QApplication::clipboard()->setText(text(*manifest));
                else
                    m_context.errors->show(manifest.error());
            });
    });
    menu->addAction(widgets::icon(QStringLiteral("run")), tr("New run with these settings…"), this,
                    [this, recipe = text(run->recipe), data = text(run->datasetId)] { m_context.commands->newRun(recipe, data); });
    menu->addAction(widgets::icon(QStringLiteral("trash")), tr("Move to trash"), this, [this] { m_context.edits->trashRuns({m_runId}); });
    menu->popup(global);
}

}  // namespace espalier::app
