#include "app/pages/data_parts.h"

#include <QHelpEvent>
#include <QMouseEvent>
#include <QPaintEvent>
#include <QPainter>
#include <QToolTip>

#include <algorithm>
#include <cmath>

#include "widgets/theme/format.h"
#include "widgets/theme/icons.h"
#include "widgets/theme/metrics.h"
#include "widgets/theme/theme.h"

namespace espalier::app {

using namespace widgets;
using format::text;

namespace {

constexpr int kPairRow = 34, kPicture = 30;
constexpr int kReadPairs = 24;

QString resultWord(Outcome outcome) {
    switch (outcome) {
        case Outcome::Skipped: return WarningModel::tr("skipped");
        case Outcome::Kept: return WarningModel::tr("kept");
        case Outcome::Ignored: return WarningModel::tr("ignored");
    }
    return {};
}

// "bird/2082.jpg" and "bird/2984.jpg" become "bird/2082, 2984".
QString pairName(const QString& a, const QString& b) {
    const auto stem = [](const QString& path) {
        const qsizetype dot = path.lastIndexOf(u'.');
        return dot > path.lastIndexOf(u'/') + 1 ? path.left(dot) : path;
    };
    // The split stands in the line below.
    const auto inSplit = [&](const QString& path) {
        const QString head = path.section(u'/', 0, 0);
        const bool isSplit = head == QStringLiteral("train") || head == QStringLiteral("valid") || head == QStringLiteral("val") || head == QStringLiteral("test");
        return stem(isSplit ? path.section(u'/', 1) : path);
    };
    const QString first = inSplit(a), second = inSplit(b);
    const QString folder = first.left(first.lastIndexOf(u'/') + 1);
    return first + QStringLiteral(", ") + (!folder.isEmpty() && second.startsWith(folder) ? second.mid(folder.size()) : second);
}

}  // namespace

double medianOf(std::vector<double> values) {
    if (values.empty()) return NAN;
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    return *middle;
}

// ---- WarningModel

void WarningModel::setWarnings(Warnings warnings) {
    beginResetModel();
    m_warnings = std::move(warnings);
    // What was lost first, in the order found.
    const auto rank = [](const Warning& each) { return each.outcome == Outcome::Skipped ? 0 : each.outcome == Outcome::Kept ? 1 : 2; };
    std::stable_sort(m_warnings.begin(), m_warnings.end(), [&](const Warning& a, const Warning& b) { return rank(a) < rank(b); });
    endResetModel();
}

int WarningModel::count(Outcome outcome) const {
    return static_cast<int>(std::count_if(m_warnings.begin(), m_warnings.end(), [outcome](const Warning& each) { return each.outcome == outcome; }));
}

QString WarningModel::copyText() const {
    QString lines = QStringLiteral("file\tline\treason\tresult\n");
    for (const Warning& each : m_warnings)
        lines += QStringLiteral("%1\t%2\t%3\t%4\n").arg(text(each.file), each.line > 0 ? QString::number(each.line) : QString(), text(each.detail), QString::fromLatin1(outcomeName(each.outcome)));
    return lines;
}

int WarningModel::rowCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : static_cast<int>(m_warnings.size()); }

QVariant WarningModel::data(const QModelIndex& index, int role) const {
    if (!index.isValid()) return {};
    const Warning& each = m_warnings[static_cast<std::size_t>(index.row())];
    if (role == Qt::DisplayRole || role == Qt::ToolTipRole) switch (index.column()) {
            case 0: return each.line > 0 ? QStringLiteral("%1:%2").arg(text(each.file)).arg(each.line) : text(each.file);
            case 1: return text(each.detail);
            default: return resultWord(each.outcome);
        }
    if (role == Qt::UserRole) return static_cast<int>(each.outcome);
    return {};
}

QVariant WarningModel::headerData(int section, Qt::Orientation orientation, int role) const {
    if (orientation != Qt::Horizontal) return {};
    if (role == Qt::TextAlignmentRole) return int(Qt::AlignVCenter | (section == 2 ? Qt::AlignRight : Qt::AlignLeft));
    if (role != Qt::DisplayRole) return {};
    return section == 0 ? tr("File") : section == 1 ? tr("Reason") : tr("Result");
}

// ---- SizeHistogram

SizeHistogram::SizeHistogram(QWidget* parent) : QWidget(parent) {
    setMouseTracking(true);
    connect(&theme(), &Theme::changed, this, qOverload<>(&QWidget::update));
}

void SizeHistogram::setBins(std::vector<feed::HistogramBin> bins, double median, bool isBytes) {
    m_bins = std::move(bins);
    m_median = median;
    m_isBytes = isBytes;
    setAccessibleName(medianText());
    update();
}

QString SizeHistogram::medianText() const {
    if (!std::isfinite(m_median)) return {};
    return m_isBytes ? tr("median %1").arg(format::bytes(std::llround(m_median))) : tr("median %1 px").arg(std::llround(m_median));
}

QRectF SizeHistogram::plot() const { return QRectF(0.5, 16, width() - 1, height() - 16 - 20); }

void SizeHistogram::paintEvent(QPaintEvent*) {
    if (m_bins.empty()) return;
    QPainter painter(this);
    const Theme& look = theme();
    const QRectF area = plot();
    std::int64_t most = 1;
    for (const auto& bin : m_bins) most = std::max(most, bin.count);
    const double low = m_bins.front().low, high = m_bins.back().high, span = high > low ? high - low : 1;
    const auto x = [&](double value) { return area.left() + (value - low) / span * area.width(); };
    for (const auto& bin : m_bins) {
        const double left = std::round(x(bin.low)), right = std::round(x(bin.high));
        const double tall = bin.count > 0 ? std::max(1.0, std::round(double(bin.count) / double(most) * area.height())) : 0;
        painter.fillRect(QRectF(left, area.bottom() - tall, std::max(1.0, right - left - 1), tall), look.color(Color::SplitTrain));
    }
    painter.setPen(look.line(Color::Axis));
    painter.drawLine(QPointF(area.left(), area.bottom() + 0.5), QPointF(area.right(), area.bottom() + 0.5));
    painter.setFont(look.font(Type::Caption));
    painter.setPen(look.color(Color::Text3));
    const QFontMetrics small = painter.fontMetrics();
    const int labels = std::max(2, static_cast<int>(area.width() / 90) + 1);
    for (int i = 0; i < labels; ++i) {
        const double value = low + span * i / (labels - 1);
        const QString label = m_isBytes ? format::bytes(std::llround(value)) : QString::number(std::llround(value));
        const double w = small.horizontalAdvance(label);
        painter.drawText(QPointF(std::clamp(x(value) - w / 2, 0.0, width() - w), height() - 5), label);
    }
    if (!std::isfinite(m_median)) return;
    QPen dash(look.color(Color::Text), 1);
    dash.setDashPattern({4, 3});
    painter.setPen(dash);
    const double at = std::floor(x(m_median)) + 0.5;
    painter.drawLine(QPointF(at, 4), QPointF(at, area.bottom()));
    painter.setPen(look.color(Color::Text2));
    const QString label = medianText();
    const double w = small.horizontalAdvance(label);
    painter.drawText(QPointF(at + 6 + w < width() ? at + 6 : at - 6 - w, 12), label);
}

bool SizeHistogram::event(QEvent* event) {
    if (event->type() == QEvent::ToolTip && !m_bins.empty()) {
        auto* help = static_cast<QHelpEvent*>(event);
        const double low = m_bins.front().low, span = m_bins.back().high - low;
        const double value = low + (help->pos().x() - plot().left()) / plot().width() * span;
        for (const auto& bin : m_bins)
            if (value >= bin.low && value <= bin.high) {
                const auto word = [&](double v) { return m_isBytes ? format::bytes(std::llround(v)) : QString::number(std::llround(v)) + QStringLiteral(" px"); };
                QToolTip::showText(help->globalPos(), tr("%1 to %2: %3").arg(word(bin.low), word(bin.high), format::count(bin.count)), this);
                break;
            }
        return true;
    }
    return QWidget::event(event);
}

// ---- DuplicateList

DuplicateList::DuplicateList(AppContext& context, QWidget* parent) : QWidget(parent), m_context(context) {
    setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Fixed);
    setCursor(Qt::PointingHandCursor);
    connect(&theme(), &Theme::changed, this, qOverload<>(&QWidget::update));
}

QSize DuplicateList::sizeHint() const { return {200, static_cast<int>(m_rows.size()) * kPairRow}; }

void DuplicateList::setData(const feed::DatasetSummary& summary, SampleList samples) {
    m_rows.clear();
    m_isPainted = false;
    if (m_dataset != text(summary.id)) m_pictures.clear();
    m_dataset = text(summary.id);
    const auto infoOf = [&](std::int64_t index) -> const feed::SampleInfo* {
        return samples && index >= 0 && index < static_cast<std::int64_t>(samples->size()) ? &(*samples)[static_cast<std::size_t>(index)] : nullptr;
    };
    const auto add = [&](std::int64_t a, std::int64_t b, const QString& value, const QString& more) {
        const feed::SampleInfo *first = infoOf(a), *second = infoOf(b);
        if (!first || !second) return;
        Row row{a, b, pairName(text(first->source), text(second->source)), {}, value, first->split != second->split};
        const bool isOtherLabel = first->label != second->label;
        const QString split = QString::fromLatin1(feed::splitName(first->split));
        row.detail = row.isAcross ? tr("%1 and %2").arg(split, QString::fromLatin1(feed::splitName(second->split))) : isOtherLabel ? split : tr("both in %1").arg(split);
        if (isOtherLabel) row.detail += tr(", labels differ");
        row.detail += more;
        m_rows.push_back(std::move(row));
    };
    for (const auto& group : summary.exactGroups)
        if (group.size() >= 2) add(group[0], group[1], tr("exact"), group.size() > 2 ? tr(", and %1 more").arg(group.size() - 2) : QString());
    for (const feed::NearPair& pair : summary.nearPairs) add(pair.a, pair.b, format::fixed(pair.similarity, 3), {});
    QStringList spoken;
    for (const Row& row : m_rows) spoken << row.name + u' ' + row.detail + u' ' + row.value;
    setAccessibleDescription(spoken.mid(0, 20).join(QStringLiteral("; ")));
    updateGeometry();
    setFixedHeight(sizeHint().height());
    update();
}

void DuplicateList::readPictures(const QRect& visible) {
    if (m_isReading) return;
    std::vector<std::int64_t> wanted;
    const int first = std::max(0, visible.top() / kPairRow), last = std::min(rowCount() - 1, visible.bottom() / kPairRow);
    for (int i = first; i <= last && static_cast<int>(wanted.size()) < 2 * kReadPairs; ++i)
        for (const std::int64_t index : {m_rows[static_cast<std::size_t>(i)].a, m_rows[static_cast<std::size_t>(i)].b})
            if (!m_pictures.contains(index)) wanted.push_back(index);
    if (wanted.empty()) return;
    m_isReading = true;
    using Pictures = std::vector<std::pair<std::int64_t, QImage>>;
    m_context.bridge->reads().run(
        this, QStringLiteral("pairs"),
        [workspace = m_context.workspace, dataset = m_dataset.toStdString(), wanted]() {
            Pictures pictures;
            for (const std::int64_t index : wanted) pictures.emplace_back(index, sampleThumbnail(*workspace, dataset, index, 64));
            return pictures;
        },
        [this, dataset = m_dataset](Pictures pictures) {
            m_isReading = false;
            if (dataset == m_dataset)
                for (auto& [index, image] : pictures) m_pictures.insert(index, std::move(image));
            update();
        });
}

void DuplicateList::paintEvent(QPaintEvent* event) {
    QPainter painter(this);
    const Theme& look = theme();
    const int first = std::max(0, event->rect().top() / kPairRow);
    for (int i = first; i < rowCount(); ++i) {
        const Row& row = m_rows[static_cast<std::size_t>(i)];
        const int y = i * kPairRow;
        if (y > event->rect().bottom()) break;
        int x = 0;
        for (const std::int64_t index : {row.a, row.b}) {
            const QRect box(x, y + 2, kPicture, kPicture);
            const auto it = m_pictures.constFind(index);
            if (it == m_pictures.constEnd() || it->isNull()) {
                painter.fillRect(box, look.color(Color::Panel));
            } else {
                painter.setRenderHint(QPainter::SmoothPixmapTransform, it->width() > kPicture);
                painter.drawImage(box, *it);
            }
            x += kPicture + 8;
        }
        painter.setFont(look.font(Type::Body));
        painter.setPen(look.color(Color::Text2));
        const QRect value(width() - 44, y, 44, kPairRow);
        painter.drawText(value, Qt::AlignVCenter | Qt::AlignRight, row.value);
        const QRect words(x, y + 2, value.left() - x - 8, 16);
        painter.setFont(look.font(Type::Mono));
        painter.setPen(look.color(Color::Text));
        painter.drawText(words, Qt::AlignVCenter | Qt::AlignLeft, format::elidePath(painter.fontMetrics(), row.name, words.width()));
        painter.setFont(look.font(Type::Caption));
        painter.setPen(look.color(row.isAcross ? Color::Warning : Color::Text2));
        painter.drawText(words.translated(0, 15), Qt::AlignVCenter | Qt::AlignLeft, format::elideSentence(painter.fontMetrics(), row.detail, words.width()));
    }
    m_isPainted = true;
    readPictures(event->rect());
}

void DuplicateList::mousePressEvent(QMouseEvent* event) {
    const int row = event->pos().y() / kPairRow;
    if (row < 0 || row >= rowCount()) return;
    Q_EMIT sampleClicked(event->pos().x() >= kPicture + 4 && event->pos().x() < 2 * kPicture + 8 ? m_rows[static_cast<std::size_t>(row)].b
                                                                                                 : m_rows[static_cast<std::size_t>(row)].a);
}

}  // namespace espalier::app
