#include "app/pages/new_run_card.h"

#include <QLabel>
#include <QVBoxLayout>

#include <algorithm>
#include <cmath>

#include "widgets/controls/bars.h"
#include "widgets/controls/chip.h"
#include "widgets/controls/controls.h"
#include "widgets/controls/flow_layout.h"
#include "widgets/controls/key_value_list.h"
#include "widgets/theme/format.h"

namespace espalier::app {

using namespace widgets;
using format::text;

namespace {

constexpr int kCardKeys = 128, kClaimKeys = 114;

KeyValue number(const QString& key, const QString& value, const QString& note = {}) {
    KeyValue row{key, value, note};
    row.isNumber = true;
    return row;
}

QString plain(const std::string& name) {
    QString result;
    for (const QChar c : text(name))
        if (c.isLetterOrNumber()) result += c.toLower();
    return result;
}

// "cifar10-jpeg" is CIFAR-10, "cifar100" is not.
bool isSameData(const std::string& ours, const std::string& papers) {
    const QString a = plain(ours), b = plain(papers);
    const qsizetype at = a.indexOf(b);
    return at >= 0 && !b.isEmpty() && (at + b.size() == a.size() || !a[at + b.size()].isDigit());
}

QLabel* wrapped(const QString& words, Type type, Color role, QWidget* parent) {
    QLabel* label = makeLabel(words, type, role, parent);
    label->setWordWrap(true);
    label->setTextInteractionFlags(Qt::TextSelectableByMouse);
    return label;
}

}  // namespace

RunCard::RunCard(AppContext& context, QWidget* parent) : QWidget(parent), m_context(context) {
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(16, 12, 16, 16);
    column->setSpacing(0);
    const auto part = [this](QVBoxLayout* into, const QString& title) {
        into->addSpacing(12);
        QWidget* line = makeLine(Qt::Horizontal, this);
        line->setFixedHeight(1);
        into->addWidget(line);
        into->addSpacing(10);
        QLabel* label = makeLabel(title, Type::CaptionStrong, Color::Text2, this);
        into->addWidget(label);
        into->addSpacing(4);
        return label;
    };
    column->addWidget(m_paper = makeLabel({}, Type::Caption, Color::Text2, this));
    column->addSpacing(2);
    column->addWidget(m_title = wrapped({}, Type::Title, Color::Text, this));
    column->addSpacing(8);
    auto* chips = new QWidget(this);
    m_chips = new FlowLayout(chips, 4);
    m_chips->setContentsMargins(0, 0, 0, 0);
    column->addWidget(chips);
    column->addSpacing(8);
    column->addWidget(m_about = wrapped({}, Type::Body, Color::Text2, this));
    m_claimPart = new QWidget(this);
    auto* claim = new QVBoxLayout(m_claimPart);
    claim->setContentsMargins(0, 0, 0, 0);
    claim->setSpacing(0);
    part(claim, tr("Claim"));
    claim->addWidget(m_claim = new KeyValueList(m_claimPart));
    claim->addWidget(m_setting = wrapped({}, Type::Caption, Color::Text3, m_claimPart));
    column->addWidget(m_claimPart);
    part(column, tr("Forecast"));
    column->addWidget(m_forecast = new KeyValueList(this));
    column->addWidget(m_memory = new ProgressBar(this));
    column->addSpacing(6);
    column->addWidget(m_time = new KeyValueList(this));
    column->addWidget(m_timeWhy = wrapped({}, Type::Caption, Color::Text3, this));
    column->addWidget(m_trouble = wrapped({}, Type::Body, Color::Error, this));
    m_differTitle = part(column, tr("Differs from the paper"));
    column->addWidget(m_differs = wrapped({}, Type::Body, Color::Text2, this));
    column->addStretch(1);
    m_trouble->hide();
    m_timeWhy->hide();
    m_claim->setKeyWidth(kClaimKeys);
    for (KeyValueList* list : {m_forecast, m_time}) list->setKeyWidth(kCardKeys);
    m_differs->setTextFormat(Qt::RichText);
}

void RunCard::setCard(const api::RecipeCard& card) {
    m_paper->setText(QStringLiteral("%1, %2").arg(text(card.id).section(u'-', 0, 0), text(card.paperLink)));
    m_title->setText(text(card.title));
    m_chips->clear();
    for (const auto* words : {&card.kinds, &card.domains})
        for (const std::string& word : *words) m_chips->addWidget(new Chip(text(word), Chip::Kind::Plain, m_chips->parentWidget()));
    m_about->setText(text(card.about));
    QVector<KeyValue> rows;
    for (const api::PaperClaim& claim : card.claims) {
        rows << number(text(claim.label), QStringLiteral("%1 %").arg(format::fixed(claim.value * 100, 2)));
        rows.back().toolTip = tr("%1; %2").arg(text(claim.setting), text(claim.source));
        double best = -1;
        int count = 0;
        for (const feed::RunInfo& run : m_context.bridge->runs().runs()) {
            const auto it = run.summary.find(claim.metric);
            if (run.recipe != card.id || it == run.summary.end() || !isSameData(run.datasetName, claim.dataset)) continue;
            best = std::max(best, it->second.best);
            ++count;
        }
        if (count > 0) rows << number(count == 1 ? tr("here, one run") : tr("here, best of %1").arg(count), QStringLiteral("%1 %").arg(format::fixed(best * 100, 2)));
        if (count > 0) rows.back().isBold = best >= claim.value;
    }
    m_claim->setRows(rows);
    m_setting->setText(card.claims.empty() ? QString() : text(card.claims.front().setting));
    m_claimPart->setVisible(!rows.isEmpty());
    QStringList differs;
    for (const std::string& each : card.deviations) {
        QString sentence = text(each);
        if (sentence.size() > 1 && sentence[1].isLetter()) sentence[0] = sentence[0].toUpper();  // "s1" stays
        differs << QStringLiteral("<p style=\"margin: 0 0 4px 0\">%1.</p>").arg(sentence.toHtmlEscaped());
    }
    if (differs.isEmpty()) differs << tr("Nothing that is known.");
    m_differs->setText(differs.join(QString()));
}

void RunCard::setForecast(const std::optional<RunForecast>& forecast, int runs, const QString& trouble) {
    m_trouble->setText(trouble);
    m_trouble->setVisible(!trouble.isEmpty());
    const QString none = QStringLiteral("–");
    const bool isKnown = forecast.has_value();
    const api::Forecast cost = isKnown ? forecast->cost : api::Forecast{};
    const auto shown = [&](std::int64_t value) { return value > 0 ? format::count(value) : none; };
    QVector<KeyValue> rows;
    rows << number(tr("parameters"), shown(cost.params), isKnown && forecast->isFromParent ? tr("of the parent run") : QString());
    rows << number(tr("MACs an item"), cost.macsPerItem > 0 ? format::si(static_cast<double>(cost.macsPerItem)) : none);
    const bool hasMemory = isKnown && forecast->bytes() > 0 && forecast->memoryOfMachine > 0;
    rows << number(tr("memory"), isKnown && forecast->bytes() > 0 ? format::bytes(forecast->bytes()) : none,
                   hasMemory ? tr("of %1").arg(format::bytes(forecast->memoryOfMachine)) : QString());
    m_forecast->setRows(rows);
    m_memory->setVisible(hasMemory);
    if (hasMemory) m_memory->setFraction(std::min(1.0, static_cast<double>(forecast->bytes()) / static_cast<double>(forecast->memoryOfMachine)));
    if (hasMemory) m_memory->setRole(forecast->bytes() > forecast->memoryOfMachine ? Color::Error : Color::Accent);
    QVector<KeyValue> time;
    time << number(tr("steps"), shown(cost.steps)) << number(tr("samples seen"), shown(cost.items));
    const double secs = isKnown ? forecast->secs() : 0;
    const double rate = isKnown && forecast->secsPerItem > 0 ? 1.0 / forecast->secsPerItem : 0;
    const bool isByEarlier = isKnown && forecast->isFromParent;
    if (!isByEarlier) time << number(tr("speed, estimated"), rate > 0 ? tr("%1 a second").arg(rate >= 10 ? format::count(std::llround(rate)) : format::fixed(rate, 1)) : none);
    time << number(tr("time a run"), secs > 0 ? format::duration(secs) : isByEarlier ? tr("not known") : none);
    if (runs > 1) time << number(tr("%1 runs").arg(runs), secs > 0 ? format::duration(secs * runs) : none);
    m_time->setRows(time);
    m_timeWhy->setText(isKnown ? forecast->timeWhy : QString());
    m_timeWhy->setVisible(!m_timeWhy->text().isEmpty());
}

QString RunCard::timeWhy() const { return m_timeWhy->text(); }

}  // namespace espalier::app
