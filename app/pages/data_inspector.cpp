#include "app/pages/data_inspector.h"

#include <QApplication>
#include <QClipboard>
#include <QHBoxLayout>
#include <QInputDialog>
#include <QLabel>
#include <QMenu>
#include <QMouseEvent>
#include <QPainter>
#include <QToolButton>
#include <QVBoxLayout>

#include <algorithm>

#include "app/bridge/edits.h"
#include "app/pages/data_sample_grid.h"
#include "app/shell/commands.h"
#include "widgets/controls/chip.h"
#include "widgets/controls/controls.h"
#include "widgets/controls/flow_layout.h"
#include "widgets/controls/key_value_list.h"
#include "widgets/controls/section.h"
#include "widgets/theme/format.h"
#include "widgets/theme/icons.h"
#include "widgets/theme/metrics.h"

namespace espalier::app {

using namespace widgets;
using format::text;

namespace {

constexpr int kPictureSide = 160;
constexpr int kPictureRead = 640;
constexpr int kMostRuns = 20;

Section* addSection(QVBoxLayout* layout, const QString& title, QWidget* body, QWidget* parent) {
    auto* section = new Section(title, parent);
    section->setBody(body);
    section->setBodyMargins(12, 0, 12, 8);
    layout->addWidget(section);
    return section;
}

QString shapeText(const feed::DatasetSummary& set) {
    QStringList lengths;
    for (const auto length : set.shape) lengths << QString::number(length);
    return lengths.join(QStringLiteral(" × "));
}

}  // namespace

/// The chosen sample, enlarged by whole factors so that its pixels stay what they are.
class DataInspector::Picture : public QWidget {
public:
    explicit Picture(QWidget* parent) : QWidget(parent) { setFixedHeight(kPictureSide); }
    void setImage(QImage image) {
        m_image = std::move(image);
        update();
    }

protected:
    void paintEvent(QPaintEvent*) override {
        if (m_image.isNull()) return;
        QPainter painter(this);
        double scale = std::min(double(width()) / m_image.width(), double(height()) / m_image.height());
        if (scale >= 1) scale = std::floor(scale);
        const QSizeF size(m_image.width() * scale, m_image.height() * scale);
        painter.setRenderHint(QPainter::SmoothPixmapTransform, scale < 1);
        painter.drawImage(QRectF(QPointF(0, std::floor((height() - size.height()) / 2)), size), m_image);
    }

private:
    QImage m_image;
};

/// Mean and deviation of each channel in columns.
class DataInspector::Channels : public QWidget {
public:
    explicit Channels(QWidget* parent) : QWidget(parent) {
        setFixedHeight(3 * metrics::kRowDense);
        connect(&theme(), &Theme::changed, this, qOverload<>(&QWidget::update));
    }
    void setValues(std::vector<double> mean, std::vector<double> deviation) {
        m_mean = std::move(mean);
        m_deviation = std::move(deviation);
        update();
    }

protected:
    void paintEvent(QPaintEvent*) override {
        QPainter painter(this);
        const Theme& look = theme();
        const auto line = [&](int row, const QString& name, const auto& value) {
            const QRect rect(0, row * metrics::kRowDense, width(), metrics::kRowDense);
            painter.setFont(look.font(row == 0 ? Type::Caption : Type::Body));
            painter.setPen(look.color(Color::Text2));
            painter.drawText(rect, Qt::AlignVCenter | Qt::AlignLeft, name);
            painter.setPen(look.color(row == 0 ? Color::Text2 : Color::Text));
            const int n = static_cast<int>(m_mean.size()), step = std::min(66, (width() - 40) / std::max(1, n));
            for (int i = 0; i < n; ++i)
                painter.drawText(QRect(width() - (n - i) * step, rect.y(), step, rect.height()), Qt::AlignVCenter | Qt::AlignRight, value(static_cast<std::size_t>(i)));
        };
        const bool isGrey = m_mean.size() == 1;
        line(0, {}, [&](std::size_t i) { return isGrey ? DataInspector::tr("grey") : i < 3 ? QString(QStringLiteral("RGB")[static_cast<qsizetype>(i)]) : QString::number(i); });
        line(1, DataInspector::tr("mean"), [&](std::size_t i) { return format::fraction(m_mean[i]); });
        line(2, DataInspector::tr("std"), [&](std::size_t i) { return i < m_deviation.size() ? format::fraction(m_deviation[i]) : QStringLiteral("–"); });
        painter.fillRect(QRect(0, metrics::kRowDense - 1, width(), 1), look.color(Color::Line));
    }

private:
    std::vector<double> m_mean, m_deviation;
};

/// Runs that trained on this data; a click makes one current.
class DataInspector::UsedBy : public QWidget {
public:
    UsedBy(AppContext& context, QWidget* parent) : QWidget(parent), m_context(context) {
        setCursor(Qt::PointingHandCursor);
        connect(&theme(), &Theme::changed, this, qOverload<>(&QWidget::update));
    }
    struct Row {
        QString id, name, value;
        int color = 0;
        feed::JobState state = feed::JobState::Queued;
    };
    void setRows(QVector<Row> rows) {
        m_rows = std::move(rows);
        setFixedHeight(static_cast<int>(m_rows.size()) * metrics::kRowTree);
        update();
    }

protected:
    void paintEvent(QPaintEvent*) override {
        QPainter painter(this);
        const Theme& look = theme();
        for (int i = 0; i < m_rows.size(); ++i) {
            const Row& row = m_rows[i];
            const int y = i * metrics::kRowTree;
            Swatch::paint(painter, QRect(-3, y, 16, metrics::kRowTree), row.color, m_context.selection->isShown(row.id), false);
            const StateLook state = look.stateLook(row.state);
            paintIcon(painter, state.icon, QRect(16, y + 5, 14, 14), look.color(state.color));
            painter.setFont(look.font(Type::Body));
            painter.setPen(look.color(Color::Text));
            painter.drawText(QRect(38, y, width() - 96, metrics::kRowTree), Qt::AlignVCenter | Qt::AlignLeft, format::elideName(painter.fontMetrics(), row.name, width() - 96));
            painter.setPen(look.color(Color::Text2));
            painter.drawText(QRect(0, y, width(), metrics::kRowTree), Qt::AlignVCenter | Qt::AlignRight, row.value);
        }
    }
    void mousePressEvent(QMouseEvent* event) override {
        const int row = event->pos().y() / metrics::kRowTree;
        if (row >= 0 && row < m_rows.size()) m_context.selection->setCurrentRun(m_rows[row].id);
    }

private:
    AppContext& m_context;
    QVector<Row> m_rows;
};

DataInspector::DataInspector(AppContext& context, QWidget* parent) : QWidget(parent), m_context(context) {
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(0);
    auto* header = new QHBoxLayout;
    header->setContentsMargins(12, 10, 12, 4);
    header->setSpacing(8);
    m_name = new ElidedLabel(Qt::ElideMiddle, Type::Title, Color::Text, this);
    header->addWidget(m_name, 1);
    QToolButton* rename = makeIconButton(QStringLiteral("rename"), tr("Rename the data set"), this);
    QToolButton* more = makeIconButton(QStringLiteral("more"), tr("More about this data set"), this);
    connect(rename, &QToolButton::clicked, this, &DataInspector::startRename);
    connect(more, &QToolButton::clicked, this, [this, more] { showMenu(more->mapToGlobal(QPoint(0, more->height()))); });
    header->addWidget(rename);
    header->addWidget(more);
    layout->addLayout(header);
    auto* chips = new QWidget(this);
    m_chips = new FlowLayout(chips, 4);
    m_chips->setContentsMargins(12, 2, 12, 10);
    layout->addWidget(chips);

    auto* sample = new QWidget(this);
    auto* rows = new QVBoxLayout(sample);
    rows->setContentsMargins(0, 0, 0, 0);
    rows->setSpacing(6);
    rows->addWidget(m_picture = new Picture(sample));
    rows->addWidget(m_sampleRows = new KeyValueList(sample));
    m_sample = addSection(layout, tr("Sample"), sample, this);
    m_sample->hide();
    addSection(layout, tr("Manifest"), m_manifest = new KeyValueList(this), this);
    m_hash = makeLabel({}, Type::Mono, Color::Text2, this);
    m_hash->setWordWrap(true);
    m_hash->setTextInteractionFlags(Qt::TextSelectableByMouse);
    addSection(layout, tr("Content hash"), m_hash, this)->setCount(QStringLiteral("SHA-256"));
    m_channelSection = addSection(layout, tr("Channels"), m_channels = new Channels(this), this);
    m_channelSection->setCount(tr("train split"));
    m_checks = new QWidget(this);
    m_checkLayout = new QVBoxLayout(m_checks);
    m_checkLayout->setContentsMargins(0, 0, 0, 0);
    m_checkLayout->setSpacing(0);
    addSection(layout, tr("Checks"), m_checks, this);
    m_usedSection = addSection(layout, tr("Used by"), m_used = new UsedBy(context, this), this);
    layout->addStretch(1);
}

void DataInspector::startRename() {
    auto* dialog = new QInputDialog(this);
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setWindowTitle(tr("Rename"));
    dialog->setLabelText(tr("Name of the data set"));
    dialog->setTextValue(m_name->text());
    connect(dialog, &QInputDialog::textValueSelected, this, [this, id = m_dataset](const QString& name) {
        if (!name.trimmed().isEmpty()) m_context.edits->renameDataset(id, name.trimmed());
    });
    dialog->open();
}

void DataInspector::showMenu(const QPoint& global) {
    auto* menu = new QMenu(this);
    menu->setAttribute(Qt::WA_DeleteOnClose);
    const QString id = m_dataset, name = m_name->text();
    menu->addAction(icon(QStringLiteral("run")), tr("Train on this…"), this, [this, id] { m_context.commands->newRun({}, id); });
    menu->addAction(icon(QStringLiteral("filter")), tr("Runs with this data"), this,
                    [this, name] { m_context.commands->filterRuns(QStringLiteral("dataset = \"%1\"").arg(name)); });
    menu->addAction(icon(QStringLiteral("copy")), tr("Copy id"), this, [id] { QApplication::clipboard()->setText(id); });
    menu->addSeparator();
    menu->addAction(icon(QStringLiteral("trash")), tr("Move to trash"), this, [this, id] { m_context.edits->trashDataset(id); });
    menu->popup(global);
}

void DataInspector::setDataset(const feed::DatasetSummary& set) {
    m_dataset = text(set.id);
    m_name->setText(text(set.name));
    m_chips->clear();
    const auto chip = [&](const QString& word) {
        auto* made = new Chip(word, Chip::Kind::Plain, m_chips->parentWidget());
        m_chips->addWidget(made);
        made->show();  // hidden ones take no room in fitChips()
    };
    chip(text(set.kind));
    if (!set.classes.empty()) chip(set.classes.size() == 1 ? tr("1 class") : tr("%1 classes").arg(set.classes.size()));
    chip(text(set.format));
    fitChips();
    QVector<KeyValue> rows{{tr("samples"), format::count(set.samples), {}}};
    if (!set.shape.empty()) rows << KeyValue{tr("shape"), shapeText(set), set.hasOneSize ? QString() : tr("most common")};
    if (!set.columns.empty()) rows << KeyValue{tr("columns"), format::count(static_cast<std::int64_t>(set.columns.size())), {}};
    rows << KeyValue{tr("stored"), format::bytes(set.storedBytes), {}};
    if (set.decodedBytes > 0) rows << KeyValue{tr("decoded"), format::bytes(set.decodedBytes), tr("in memory")};
    rows << KeyValue{tr("imported"), set.importSecs < 0.1 ? tr("in under 0.1 s") : set.importSecs < 1 ? tr("in %1 s").arg(format::fixed(set.importSecs, 1)) : tr("in %1").arg(format::duration(set.importSecs)), {}};
    rows << KeyValue{tr("split"), set.splitKind == "folders" ? tr("by folders") : tr("by seed %1").arg(set.splitSeed), {}};
    rows << KeyValue{tr("from"), format::elidePath(QFontMetrics(theme().font(Type::Body)), text(set.source), 120), {}, text(set.source)};
    m_manifest->setRows(rows);
    QString hash;
    const QString whole = text(set.hash);
    for (qsizetype i = 0; i < whole.size(); i += 8) hash += (i ? QStringLiteral(" ") : QString()) + whole.mid(i, 8);
    m_hash->setText(hash);
    m_channelSection->setVisible(!set.channelMean.empty());
    m_channels->setValues(set.channelMean, set.channelStd);
    setChecks(set);
    refreshRuns();
}

void DataInspector::refreshRuns() {
    QVector<UsedBy::Row> used;
    for (const feed::RunInfo& run : m_context.bridge->runs().runs()) {
        if (text(run.datasetId) != m_dataset || used.size() >= kMostRuns) continue;
        QString value = QStringLiteral("–");
        for (const char* metric : {"test/top1", "valid/top1"})
            if (const auto it = run.summary.find(metric); it != run.summary.end()) {
                value = format::fraction(it->second.best);
                break;
            }
        used << UsedBy::Row{text(run.id), text(run.name), value, run.colorIndex, run.state};
    }
    m_used->setRows(used);
    m_usedSection->setVisible(!used.isEmpty());
    m_usedSection->setCount(used.size() == 1 ? tr("1 run") : tr("%1 runs").arg(used.size()));
}

// A column in a scroll area asks for no height by width: the chips say themselves how many lines they need.
void DataInspector::fitChips() { m_chips->parentWidget()->setFixedHeight(m_chips->heightForWidth(std::max(200, width()))); }

void DataInspector::resizeEvent(QResizeEvent* event) {
    QWidget::resizeEvent(event);
    fitChips();
}

void DataInspector::setChecks(const feed::DatasetSummary& set) {
    while (QLayoutItem* item = m_checkLayout->takeAt(0)) {
        if (item->widget()) item->widget()->deleteLater();
        delete item;
    }
    m_checkTexts.clear();
    const auto add = [&](const QString& iconName, Color role, const QString& words) {
        m_checkTexts << words;
        auto* row = new QWidget(m_checks);
        auto* line = new QHBoxLayout(row);
        line->setContentsMargins(0, 2, 0, 2);
        line->setSpacing(8);
        auto* mark = new QLabel(row);
        const auto draw = [mark, iconName, role] { mark->setPixmap(iconPixmap(iconName, metrics::kIconRow, role, mark->devicePixelRatioF())); };
        draw();
        connect(&theme(), &Theme::changed, mark, draw);
        line->addWidget(mark, 0, Qt::AlignTop);
        QLabel* label = makeLabel(words, Type::Body, Color::Text, row);
        label->setWordWrap(true);
        line->addWidget(label, 1);
        m_checkLayout->addWidget(row);
    };
    const auto good = [&](const QString& words) { add(QStringLiteral("check"), Color::Success, words); };
    const auto poor = [&](const QString& words) { add(QStringLiteral("warning"), Color::Warning, words); };
    if (set.exactAcrossSplits > 0) poor(set.exactAcrossSplits == 1 ? tr("1 exact copy across splits") : tr("%1 exact copies across splits").arg(format::count(set.exactAcrossSplits)));
    else good(tr("No exact copy across splits"));
    if (set.exactDuplicates > set.exactAcrossSplits) poor(tr("%1 exact copies within a split").arg(format::count(set.exactDuplicates - set.exactAcrossSplits)));
    const auto across = std::count_if(set.nearPairs.begin(), set.nearPairs.end(), [](const feed::NearPair& pair) { return pair.acrossSplits; });
    if (set.nearDuplicatePairs > 0) poor(across > 0 ? tr("%1 near duplicates, %2 across splits").arg(format::count(set.nearDuplicatePairs)).arg(across) : tr("%1 near duplicates").arg(format::count(set.nearDuplicatePairs)));
    else good(tr("No near duplicates"));
    if (!set.classes.empty()) {
        std::int64_t most = 0, least = set.samples;
        for (const feed::ClassInfo& each : set.classes) most = std::max(most, each.total()), least = std::min(least, each.total());
        if (least <= 0) poor(tr("A class has no sample"));
        else if (most >= 3 * least) poor(tr("Imbalance %1 : 1").arg(format::significant(double(most) / double(least), 2)));
        else good(tr("Classes are balanced, %1 : 1").arg(format::fixed(double(most) / double(least), 1)));
    }
    const auto skipped = std::count_if(set.warnings.begin(), set.warnings.end(), [](const Warning& each) { return each.outcome == Outcome::Skipped; });
    if (skipped > 0) add(QStringLiteral("error"), Color::Error, skipped == 1 ? tr("1 file could not be read") : tr("%1 files could not be read").arg(skipped));
    else good(tr("Every file could be read"));
}

void DataInspector::setSample(const std::optional<feed::SampleInfo>& sample, const QString& className) {
    m_sample->setVisible(sample.has_value());
    if (!sample) return;
    m_sample->setCount(tr("no. %1").arg(format::count(sample->index)));
    QVector<KeyValue> rows{{tr("file"), format::elidePath(QFontMetrics(theme().font(Type::Mono)), text(sample->source), 120), {}, text(sample->source), true}};
    rows << KeyValue{tr("class"), className.isEmpty() ? tr("none") : className, {}};
    rows << KeyValue{tr("split"), QString::fromLatin1(feed::splitName(sample->split)), {}};
    if (sample->width > 0) rows << KeyValue{tr("size"), QStringLiteral("%1 × %2 × %3").arg(sample->width).arg(sample->height).arg(sample->channels), {}};
    rows << KeyValue{tr("stored"), format::bytes(sample->storedBytes), {}};
    m_sampleRows->setRows(rows);
    m_picture->setVisible(sample->width > 0);
    m_context.bridge->reads().run(
        this, QStringLiteral("picture"),
        [workspace = m_context.workspace, dataset = m_dataset.toStdString(), index = sample->index] { return sampleThumbnail(*workspace, dataset, index, kPictureRead); },
        [this](QImage image) { m_picture->setImage(std::move(image)); });
}

}  // namespace espalier::app
