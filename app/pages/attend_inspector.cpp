#include "app/pages/attend_inspector.h"

#include <QHBoxLayout>
#include <QMouseEvent>
#include <QPainter>
#include <QVBoxLayout>

#include <algorithm>
#include <cmath>

#include "app/pages/page_parts.h"
#include "app/shell/note_edit.h"
#include "widgets/controls/bars.h"
#include "widgets/controls/chip.h"
#include "widgets/controls/controls.h"
#include "widgets/controls/flow_layout.h"
#include "widgets/controls/key_value_list.h"
#include "widgets/controls/section.h"
#include "widgets/theme/color_maps.h"
#include "widgets/theme/format.h"
#include "widgets/theme/metrics.h"

namespace espalier::app {

using namespace widgets;

class AttendInspector::ProbePicture : public QWidget {
public:
    explicit ProbePicture(QWidget* parent) : QWidget(parent) { setFixedSize(24, 24); }
    void setImage(const QImage& image) {
        m_image = image;
        update();
    }

protected:
    void paintEvent(QPaintEvent*) override {
        QPainter painter(this);
        painter.setRenderHint(QPainter::SmoothPixmapTransform, m_image.width() > width());
        painter.drawImage(rect(), m_image);
    }

private:
    QImage m_image;
};

/// "L6 h4", a bar to the left or right of zero, "+0.31"; a click goes to that head.
class AttendInspector::ChangeRows : public QWidget {
public:
    explicit ChangeRows(AttendInspector* owner) : QWidget(owner), m_owner(owner) {
        setAccessibleName(AttendInspector::tr("Heads whose entropy changed most"));
        setCursor(Qt::PointingHandCursor);
        connect(&theme(), &Theme::changed, this, qOverload<>(&QWidget::update));
    }
    void setRows(std::vector<HeadChange> rows) {
        m_rows = std::move(rows);
        setFixedHeight(std::max(1, static_cast<int>(m_rows.size())) * metrics::kRowKeyValue);
        update();
    }

protected:
    void paintEvent(QPaintEvent*) override {
        QPainter painter(this);
        const Theme& look = theme();
        double most = 1e-9;
        for (const auto& row : m_rows) most = std::max(most, std::abs(row.change));
        const double middle = 54 + (width() - 54 - 54) / 2.0, half = (width() - 54 - 54) / 2.0 - 4;
        for (int i = 0; i < static_cast<int>(m_rows.size()); ++i) {
            const HeadChange& row = m_rows[static_cast<std::size_t>(i)];
            const QRect line(0, i * metrics::kRowKeyValue, width(), metrics::kRowKeyValue);
            painter.setFont(look.font(Type::Body));
            painter.setPen(look.color(Color::Text));
            painter.drawText(line, Qt::AlignLeft | Qt::AlignVCenter, QStringLiteral("L%1 h%2").arg(row.layer + 1).arg(row.head + 1));
            painter.drawText(line, Qt::AlignRight | Qt::AlignVCenter, format::signedFixed(row.change, 2));
            const double reach = half * row.change / most;
            const QRgb color = mapColor(signedMap(), row.change < 0 ? 0.2 : 0.8);
            painter.fillRect(QRectF(std::min(middle, middle + reach), line.center().y() - 2, std::abs(reach), 6), QColor::fromRgb(color));
            painter.fillRect(QRectF(std::round(middle), line.top() + 3, 1, line.height() - 5), look.color(Color::BorderStrong));
        }
    }
    void mousePressEvent(QMouseEvent* event) override {
        const auto row = static_cast<std::size_t>(std::max(0, event->pos().y() / metrics::kRowKeyValue));
        if (row < m_rows.size()) Q_EMIT m_owner->headPicked(m_rows[row].layer, m_rows[row].head);
    }

private:
    AttendInspector* m_owner;
    std::vector<HeadChange> m_rows;
};

namespace {

QVector<KeyValue> keyValues(const QVector<std::pair<QString, QString>>& rows) {
    QVector<KeyValue> list;
    for (const auto& [key, value] : rows) {
        // "0.90 of ln 256": the unit or scale after the first space-separated bar stands faint.
        const int cut = static_cast<int>(value.indexOf(u'|'));
        list << KeyValue{key, cut < 0 ? value : value.left(cut), cut < 0 ? QString() : value.mid(cut + 1)};
    }
    return list;
}

}  // namespace

AttendInspector::AttendInspector(AppContext& context, QWidget* parent) : QWidget(parent) {
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(0);
    auto* header = new QHBoxLayout;
    header->setContentsMargins(12, 8, 8, 4);
    header->setSpacing(metrics::kSpace8);
    m_picture = new ProbePicture(this);
    m_name = new ElidedLabel(Qt::ElideMiddle, Type::Title, Color::Text, this);
    header->addWidget(m_picture);
    header->addWidget(m_name, 1);
    layout->addLayout(header);
    auto* chipHolder = new QWidget(this);
    m_chips = new FlowLayout(chipHolder);
    m_chips->setContentsMargins(12, 4, 12, 10);
    layout->addWidget(chipHolder);
    m_bars = new BarList(this);
    m_bars->setTrackVisible(true);
    m_bars->setNameWidth(64);
    m_predictionSection = addInspectorSection(layout, tr("Prediction"), m_bars, this);
    m_token = new KeyValueList(this);
    m_tokenSection = addInspectorSection(layout, tr("Query token"), m_token, this);
    m_head = new KeyValueList(this);
    m_headSection = addInspectorSection(layout, tr("Head"), m_head, this);
    m_changes = new ChangeRows(this);
    m_changeSection = addInspectorSection(layout, tr("Entropy of heads"), m_changes, this);
    m_note = new NoteEdit(context, this);
    addInspectorSection(layout, tr("Notes"), m_note, this);
    layout->addStretch(1);
    connect(m_bars, &BarList::rowClicked, this, [this](int row) {
        if (row >= 0 && row < static_cast<int>(m_shares.size())) Q_EMIT classPicked(m_shares[static_cast<std::size_t>(row)].index);
    });
}

void AttendInspector::setRun(const QString& run) { m_note->setRun(run); }

void AttendInspector::setProbe(const AttendProbe& probe, int number, const QString& label, const QString& predicted) {
    m_picture->setImage(probe.image);
    m_name->setText(probe.name.isEmpty() ? tr("Image %1").arg(number + 1) : probe.name);
    const bool isWrong = !predicted.isEmpty() && predicted != label;
    const QStringList state{probe.splitName, label, predicted};
    if (state == m_chipState) return;
    m_chipState = state;
    m_chips->clear();
    for (const QString& fact : {probe.splitName, label})
        if (!fact.isEmpty()) m_chips->addWidget(new Chip(fact, Chip::Kind::Plain, this));
    if (!predicted.isEmpty()) {
        auto* verdict = new Chip(isWrong ? tr("taken for %1").arg(predicted) : tr("correct"), Chip::Kind::Plain, this);
        verdict->setIconName(isWrong ? QStringLiteral("close") : QStringLiteral("check"), isWrong ? Color::Error : Color::Success);
        m_chips->addWidget(verdict);
    }
}

void AttendInspector::setPrediction(const std::vector<Share>& shares, int shown, const QString& when, const QColor& color) {
    m_shares = shares;
    QVector<BarList::Row> rows;
    for (const Share& share : shares) rows << BarList::Row{share.name, {share.share, 0, 0}, format::fixed(share.share, 4), share.index == shown};
    m_bars->setPartColors({color, color, color});
    m_bars->setRows(rows, 1);
    m_predictionSection->setCount(when);
    m_predictionSection->setVisible(!shares.empty());
}

void AttendInspector::setToken(const QString& title, const QVector<std::pair<QString, QString>>& rows) {
    m_tokenSection->setCount(title);
    m_token->setRows(keyValues(rows));
}

void AttendInspector::setHead(const QString& title, const QVector<std::pair<QString, QString>>& rows) {
    m_headSection->setCount(title);
    m_head->setRows(keyValues(rows));
}

void AttendInspector::setChanges(const std::vector<HeadChange>& changes, const QString& when) {
    m_changeSection->setVisible(!changes.empty());
    m_changeSection->setCount(when);
    m_changes->setRows(changes);
}

}  // namespace espalier::app
