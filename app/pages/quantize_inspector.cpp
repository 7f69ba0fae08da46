#include "app/pages/quantize_inspector.h"

#include <QHBoxLayout>
#include <QMouseEvent>
#include <QPainter>
#include <QPushButton>
#include <QVBoxLayout>

#include <algorithm>
#include <cmath>

#include "app/pages/page_parts.h"
#include "widgets/controls/chip.h"
#include "widgets/controls/controls.h"
#include "widgets/controls/flow_layout.h"
#include "widgets/controls/key_value_list.h"
#include "widgets/controls/section.h"
#include "widgets/theme/format.h"
#include "widgets/theme/metrics.h"

namespace espalier::app {

using namespace widgets;
using format::text;

class QuantizeInspector::MarkView : public QWidget {
public:
    explicit MarkView(QWidget* parent) : QWidget(parent) {
        setFixedSize(12, 14);
        connect(&theme(), &Theme::changed, this, qOverload<>(&QWidget::update));
    }
    void setMethod(const QString& method) {
        m_method = method;
        update();
    }

protected:
    void paintEvent(QPaintEvent*) override {
        QPainter painter(this);
        MethodLook look = theme().methodLook(m_method);
        if (m_method.isEmpty()) look = {theme().color(Color::Text), Marker::Disc, {}};
        paintMarker(painter, QRectF(rect()).center(), look, theme().color(Color::Panel), 10);
    }

private:
    QString m_method;
};

/// Rows "mark, name, size"; a click chooses the point.
class QuantizeInspector::NearRows : public QWidget {
public:
    explicit NearRows(QuantizeInspector* owner) : QWidget(owner), m_owner(owner) {
        setCursor(Qt::PointingHandCursor);
        setAccessibleName(QuantizeInspector::tr("Smallest within 1 % of base"));
        connect(&theme(), &Theme::changed, this, qOverload<>(&QWidget::update));
    }
    struct Row {
        int id = 0;
        QString method, name, size;
    };
    void setRows(QVector<Row> rows, int current) {
        m_rows = std::move(rows);
        m_current = current;
        setFixedHeight(std::max(1, static_cast<int>(m_rows.size())) * metrics::kRowTree);
        update();
    }

protected:
    void paintEvent(QPaintEvent*) override {
        QPainter painter(this);
        const Theme& look = theme();
        if (m_rows.isEmpty()) {
            painter.setFont(look.font(Type::Body));
            painter.setPen(look.color(Color::Text2));
            painter.drawText(rect(), Qt::AlignLeft | Qt::AlignVCenter, QuantizeInspector::tr("none yet"));
        }
        for (int i = 0; i < m_rows.size(); ++i) {
            const QRect line(0, i * metrics::kRowTree, width(), metrics::kRowTree);
            paintMarker(painter, QPointF(6, line.center().y() + 1), look.methodLook(m_rows[i].method), look.color(Color::Panel));
            painter.setFont(look.font(m_rows[i].id == m_current ? Type::BodyStrong : Type::Body));
            painter.setPen(look.color(Color::Text));
            painter.drawText(line.adjusted(18, 0, -72, 0), Qt::AlignLeft | Qt::AlignVCenter, m_rows[i].name);
            painter.drawText(line, Qt::AlignRight | Qt::AlignVCenter, m_rows[i].size);
        }
    }
    void mousePressEvent(QMouseEvent* event) override {
        const int row = event->pos().y() / metrics::kRowTree;
        if (row >= 0 && row < m_rows.size()) Q_EMIT m_owner->pointPicked(m_rows[row].id);
    }

private:
    QuantizeInspector* m_owner;
    QVector<Row> m_rows;
    int m_current = -1;
};

namespace {

KeyValue number(const QString& key, std::int64_t value, bool isBold = false) {
    KeyValue row{key, format::count(value), {}};
    row.isNumber = true;
    row.isBold = isBold;
    return row;
}

}  // namespace

QuantizeInspector::QuantizeInspector(QWidget* parent) : QWidget(parent) {
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(0);
    auto* header = new QHBoxLayout;
    header->setContentsMargins(12, 8, 8, 4);
    header->setSpacing(metrics::kSpace6);
    m_mark = new MarkView(this);
    m_name = new ElidedLabel(Qt::ElideMiddle, Type::Title, Color::Text, this);
    header->addWidget(m_mark);
    header->addWidget(m_name, 1);
    layout->addLayout(header);
    auto* chipHolder = new QWidget(this);
    m_chips = new FlowLayout(chipHolder);
    m_chips->setContentsMargins(12, 4, 12, 10);
    layout->addWidget(chipHolder);
    layout->addWidget(makeLine(Qt::Horizontal, this));
    auto* readings = new QHBoxLayout;
    readings->setContentsMargins(12, 10, 12, 8);
    m_metric = new Reading(QString(), this);
    m_size = new Reading(tr("size"), this);
    readings->addWidget(m_metric);
    readings->addWidget(m_size);
    layout->addLayout(readings);
    m_losses = new KeyValueList(this);
    m_lossSection = addInspectorSection(layout, tr("Against the base"), m_losses, this);
    m_bytes = new KeyValueList(this);
    m_byteSection = addInspectorSection(layout, tr("Bytes"), m_bytes, this);
    m_byteSection->setCount(tr("exact"));
    m_layer = new KeyValueList(this);
    m_layerSection = addInspectorSection(layout, tr("Layer"), m_layer, this);
    m_near = new NearRows(this);
    m_nearSection = addInspectorSection(layout, tr("Smallest within"), m_near, this);
    m_nearSection->setCount(tr("1 % of base"));
    auto* foot = new QVBoxLayout;
    foot->setContentsMargins(12, 8, 12, 12);
    m_export = makeButton(tr("Export safetensors"), QStringLiteral("export"), ButtonKind::Normal, ControlSize::Normal, this);
    m_export->setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    foot->addWidget(m_export);
    layout->addWidget(makeLine(Qt::Horizontal, this));
    layout->addLayout(foot);
    layout->addStretch(1);
    connect(m_export, &QPushButton::clicked, this, &QuantizeInspector::exportRequested);
}

void QuantizeInspector::setExporting(bool isExporting) {
    m_export->setEnabled(!isExporting);
    m_export->setText(isExporting ? tr("Writing…") : tr("Export safetensors"));
}

void QuantizeInspector::setPoint(const QuantizeData& data, const feed::TradeoffPoint* point) {
    setEnabled(point != nullptr);
    if (!point) return;
    const auto& job = data.tables.job;
    const bool isBase = point->pointId == 0;
    m_mark->setMethod(text(point->method));
    m_name->setText(tr("%1, %2").arg(text(point->label), format::bytes(point->bytesTotal)));
    QStringList chips;
    if (isBase) chips << tr("base");
    if (point->onFront) chips << tr("on the front");
    if (!point->method.empty()) chips << theme().methodLook(text(point->method)).label;
    for (const auto& row : data.tables.layers)
        if (row.method == point->method && row.probeKind == "recon") {
            chips << (row.granularity == "channel" ? tr("per channel") : row.granularity == "tensor" ? tr("per tensor") : text(row.granularity));
            break;
        }
    if (point->avgABits < 32) chips << tr("a%1").arg(point->avgABits);
    if (chips != m_chipState) {
        m_chipState = chips;
        m_chips->clear();
        for (const QString& chip : chips) m_chips->addWidget(new Chip(chip, Chip::Kind::Plain, this));
    }
    m_metric->setCaption(text(job.metricName));
    m_metric->setValue(format::fixed(point->metric, 4));
    m_metric->setDetail(std::isfinite(point->metricLo) ? tr("%1 to %2").arg(format::fixed(point->metricLo, 4), format::fixed(point->metricHi, 4)) : QString());
    m_size->setValue(format::bytes(point->bytesTotal));
    const double ratio = point->bytesTotal > 0 ? double(job.baseBytes) / double(point->bytesTotal) : 0;
    m_size->setDetail(isBase ? tr("%1 parameters").arg(format::si(double(job.baseParams))) : tr("%1 × smaller").arg(format::fixed(ratio, 1)));
    QVector<KeyValue> losses{{tr("metric, base"), format::fixed(job.baseMetric, 4), {}},
                             {tr("metric, here"), format::fixed(point->metric, 4), isBase ? QString() : format::signedFixed(point->metric - job.baseMetric, 4)},
                             {tr("loss, base"), format::fixed(job.baseLoss, 4), {}},
                             {tr("loss, here"), format::fixed(point->loss, 4), isBase ? QString() : format::signedFixed(point->loss - job.baseLoss, 4)}};
    if (std::isfinite(point->predMetric)) losses << KeyValue{tr("metric, predicted"), format::fixed(point->predMetric, 4), {}};
    losses << KeyValue{tr("mean bits"), format::fixed(point->avgWBits, 2), {}};
    if (std::isfinite(point->seconds)) losses << KeyValue{tr("made in"), format::duration(point->seconds), {}};
    m_losses->setRows(losses);
    m_bytes->setRows({number(tr("weights"), point->bytesWeights), number(tr("scales"), point->bytesSide), number(tr("untouched"), point->bytesOther),
                      number(tr("total"), point->bytesTotal, true)});
    QVector<NearRows::Row> near;
    for (const auto* one : data.smallestWithinOnePercent()) near << NearRows::Row{one->pointId, text(one->method), text(one->label), format::bytes(one->bytesTotal)};
    m_near->setRows(near, point->pointId);
    m_export->setEnabled(!point->artifactPath.empty());
    m_export->setToolTip(point->artifactPath.empty() ? tr("This point stored no model") : tr("The model of this point; its payload is exactly the bytes above"));
}

void QuantizeInspector::setLayer(const QuantizeData& data, const feed::TradeoffPoint* point, const feed::TradeoffLayer* layer, const QString& title, double moved1, double moved2) {
    m_layerSection->setVisible(layer != nullptr);
    if (!layer || !point) return;
    m_layerSection->setCount(title);
    QVector<KeyValue> rows;
    if (title != text(layer->layerName)) rows << KeyValue{tr("in the model"), text(layer->layerName), {}, {}, true};
    rows << KeyValue{tr("shape"), text(layer->shape), {}} << KeyValue{tr("kind"), text(layer->op), {}};
    const auto choices = feed::resolvedChoices(data.tables, point->pointId);
    const auto choice = std::find_if(choices.begin(), choices.end(), [&](const auto& one) { return one.layerIx == layer->layerIx; });
    std::int64_t bits = 32;
    if (choice != choices.end()) {
        bits = choice->optionKind == "float" ? 32 : choice->wBits;
        rows << KeyValue{tr("bits"), QString::number(bits), {}} << KeyValue{tr("bytes"), format::count(choice->bytesTotal), {}};
    }
    if (const auto* row = data.recon(layer->layerIx, point->method, bits)) {
        const QString method = theme().methodLook(text(point->method)).label;
        rows << KeyValue{tr("error before"), format::significant(row->errOutInit, 3), tr("output MSE")};
        rows << KeyValue{tr("error, %1").arg(method), format::significant(row->errOut, 3), {}};
        rows << KeyValue{tr("relative error"), format::significant(row->nsr, 3), {}};
        if (std::isfinite(row->sqnrDb)) rows << KeyValue{tr("SQNR"), format::fixed(row->sqnrDb, 1), tr("dB")};
    }
    if (std::isfinite(moved1)) rows << KeyValue{tr("moved 1 level"), format::significant(moved1 * 100, 2) + tr(" %"), {}};
    if (std::isfinite(moved2)) rows << KeyValue{tr("moved 2+ levels"), format::significant(moved2 * 100, 2) + tr(" %"), {}};
    for (const auto& row : data.tables.layers)
        if (row.layerIx == layer->layerIx && std::isfinite(row.kurtW)) {
            rows << KeyValue{tr("kurtosis"), format::fixed(row.kurtW, 1), tr("3 is normal")};
            break;
        }
    m_layer->setRows(rows);
}

}  // namespace espalier::app
