#include "app/pages/data_sample_grid.h"

#include <QHelpEvent>
#include <QKeyEvent>
#include <QPainter>
#include <QScrollBar>
#include <QToolTip>

#include <algorithm>
#include <cmath>

#include "widgets/theme/format.h"
#include "widgets/theme/theme.h"

namespace espalier::app {

using namespace widgets;
using format::text;

namespace {

constexpr double kCell = 43, kLargeCell = 86;
constexpr int kCacheKb = 64 * 1024;
constexpr int kReadAtOnce = 48;  // cells a background read brings; the screen fills in a few steps
constexpr int kThumbSide = 96;

QImage toImage(const feed::Image8& picture) {
    if (picture.isEmpty()) return {};
    const auto format = picture.channels == 1 ? QImage::Format_Grayscale8 : QImage::Format_RGB888;
    const QImage view(picture.pixels.data(), picture.width, picture.height, qsizetype(picture.width) * picture.channels, format);
    return view.convertToFormat(QImage::Format_RGB32);  // owns its pixels
}

}  // namespace

QImage sampleThumbnail(const runtime::Workspace& workspace, const std::string& dataset, std::int64_t index, int side) {
    const auto picture = workspace.sampleImage(dataset, index);
    if (!picture) return {};
    const QImage image = toImage(*picture);
    if (image.width() <= side && image.height() <= side) return image;
    return image.scaled(side, side, Qt::KeepAspectRatio, Qt::SmoothTransformation);
}

SampleGrid::SampleGrid(AppContext& context, QWidget* parent) : QAbstractScrollArea(parent), m_context(context), m_cache(kCacheKb) {
    setFrameShape(QFrame::NoFrame);
    setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    setFocusPolicy(Qt::StrongFocus);
    viewport()->setAutoFillBackground(false);
    setAccessibleName(tr("Samples"));
    verticalScrollBar()->setSingleStep(static_cast<int>(kCell));
    connect(&theme(), &Theme::changed, viewport(), qOverload<>(&QWidget::update));
}

void SampleGrid::setSamples(const QString& dataset, SampleList samples) {
    if (dataset != m_dataset) {
        m_cache.clear();
        m_current = -1;
        m_class = -1;
        m_context.bridge->reads().cancel(this, QStringLiteral("thumbnails"));
        m_isReading = false;
        verticalScrollBar()->setValue(0);
    }
    m_dataset = dataset;
    m_samples = std::move(samples);
    rebuild();
}

void SampleGrid::setClassFilter(int label) {
    if (label == m_class) return;
    m_class = label;
    m_current = -1;
    verticalScrollBar()->setValue(0);
    rebuild();
}

void SampleGrid::setOrder(Order order) {
    m_order = order;
    m_current = -1;
    verticalScrollBar()->setValue(0);
    rebuild();
}

void SampleGrid::setLarge(bool isLarge) {
    m_isLarge = isLarge;
    layOut();
    readVisible();
}

void SampleGrid::rebuild() {
    const std::int64_t before = currentSample();
    m_shown.clear();
    if (m_samples) {
        const auto& all = *m_samples;
        for (std::size_t i = 0; i < all.size(); ++i)
            if (m_class < 0 || all[i].label == m_class) m_shown.push_back(static_cast<std::int32_t>(i));
        const auto key = [&](std::int32_t row) -> std::int64_t {
            const feed::SampleInfo& sample = all[static_cast<std::size_t>(row)];
            switch (m_order) {
                case Order::ByClass: return sample.label;
                case Order::BySplit: return static_cast<std::int64_t>(sample.split);
                case Order::BySize: return -sample.storedBytes;
                case Order::Stored: break;
            }
            return 0;
        };
        if (m_order != Order::Stored)
            std::stable_sort(m_shown.begin(), m_shown.end(), [&](std::int32_t a, std::int32_t b) { return key(a) < key(b); });
        m_current = -1;
        for (std::size_t i = 0; i < m_shown.size() && before >= 0; ++i)
            if (all[static_cast<std::size_t>(m_shown[i])].index == before) m_current = static_cast<int>(i);
    }
    layOut();
    readVisible();
}

void SampleGrid::layOut() {
    const int all = m_samples ? static_cast<int>(m_samples->size()) : 0;
    const auto columnsOf = [this](double cell) { return std::max(1, static_cast<int>(std::lround(viewport()->width() / cell))); };
    // A few samples need not be small: those of the whole set decide, so that cells stay when a class is chosen.
    const auto fitAt = [&](double cell) {
        const int rows = (all + columnsOf(cell) - 1) / columnsOf(cell);
        return rows * (viewport()->width() + 1.0) / columnsOf(cell) <= viewport()->height();
    };
    double wanted = m_isLarge ? kLargeCell : kCell;
    if (all > 0 && fitAt(2 * wanted)) wanted *= 2;
    m_columns = columnsOf(wanted);
    m_pitch = static_cast<double>(viewport()->width() + 1) / m_columns;
    const int rows = (count() + m_columns - 1) / m_columns;
    const int height = static_cast<int>(std::lround(rows * m_pitch)) - 1;
    verticalScrollBar()->setPageStep(viewport()->height());
    verticalScrollBar()->setSingleStep(static_cast<int>(m_pitch));
    verticalScrollBar()->setRange(0, std::max(0, height - viewport()->height()));
    viewport()->update();
}

QRect SampleGrid::cellRect(int position) const {
    const int row = position / m_columns, column = position % m_columns;
    const int left = static_cast<int>(std::lround(column * m_pitch)), right = static_cast<int>(std::lround((column + 1) * m_pitch)) - 1;
    const int top = static_cast<int>(std::lround(row * m_pitch)), bottom = static_cast<int>(std::lround((row + 1) * m_pitch)) - 1;
    return QRect(left, top - verticalScrollBar()->value(), right - left, bottom - top);
}

int SampleGrid::positionAt(const QPoint& point) const {
    const int column = static_cast<int>(point.x() / m_pitch), row = static_cast<int>((point.y() + verticalScrollBar()->value()) / m_pitch);
    const int position = row * m_columns + column;
    return column >= 0 && column < m_columns && position >= 0 && position < count() ? position : -1;
}

std::vector<std::int64_t> SampleGrid::missing() const {
    std::vector<std::int64_t> result;
    if (!m_samples || m_shown.empty()) return result;
    const int first = static_cast<int>(verticalScrollBar()->value() / m_pitch) * m_columns;
    const int last = (static_cast<int>((verticalScrollBar()->value() + viewport()->height()) / m_pitch) + 1) * m_columns;
    for (int i = std::max(0, first); i < std::min(last, count()); ++i) {
        const std::int64_t index = (*m_samples)[static_cast<std::size_t>(m_shown[static_cast<std::size_t>(i)])].index;
        if (!m_cache.contains(index)) result.push_back(index);
    }
    return result;
}

bool SampleGrid::isSettled() const { return !m_isReading && (!isVisible() || missing().empty()); }

void SampleGrid::readVisible() {
    if (m_isReading || !isVisible()) return;
    std::vector<std::int64_t> wanted = missing();
    if (wanted.empty()) return;
    if (wanted.size() > kReadAtOnce) wanted.resize(kReadAtOnce);
    m_isReading = true;
    using Pictures = std::vector<std::pair<std::int64_t, QImage>>;
    m_context.bridge->reads().run(
        this, QStringLiteral("thumbnails"),
        [workspace = m_context.workspace, dataset = m_dataset.toStdString(), wanted]() {
            Pictures pictures;
            for (const std::int64_t index : wanted) pictures.emplace_back(index, sampleThumbnail(*workspace, dataset, index, kThumbSide));
            return pictures;
        },
        [this, dataset = m_dataset](Pictures pictures) {
            m_isReading = false;
            if (dataset != m_dataset) return readVisible();
            for (auto& [index, image] : pictures) {
                const auto kb = std::max<qsizetype>(1, image.sizeInBytes() / 1024);
                m_cache.insert(index, new QImage(std::move(image)), kb);
            }
            m_readCount += static_cast<std::int64_t>(pictures.size());
            viewport()->update();
            readVisible();
        });
}

std::int64_t SampleGrid::currentSample() const {
    if (!m_samples || m_current < 0 || m_current >= count()) return -1;
    return (*m_samples)[static_cast<std::size_t>(m_shown[static_cast<std::size_t>(m_current)])].index;
}

void SampleGrid::choose(int position) {
    if (count() == 0) return;
    m_current = std::clamp(position, 0, count() - 1);
    QScrollBar* bar = verticalScrollBar();
    const QRect cell = cellRect(m_current);
    if (cell.top() < 0) bar->setValue(bar->value() + cell.top());
    if (cell.bottom() > viewport()->height() - 1) bar->setValue(bar->value() + cell.bottom() - viewport()->height() + 1);
    viewport()->update();
    Q_EMIT sampleChosen(currentSample());
}

void SampleGrid::paintEvent(QPaintEvent*) {
    QPainter painter(viewport());
    const Theme& look = theme();
    if (!m_samples) return;
    const int first = std::max(0, static_cast<int>(verticalScrollBar()->value() / m_pitch) * m_columns);
    for (int i = first; i < count(); ++i) {
        const QRect cell = cellRect(i);
        if (cell.top() > viewport()->height()) break;
        const QImage* image = m_cache.object((*m_samples)[static_cast<std::size_t>(m_shown[static_cast<std::size_t>(i)])].index);
        if (!image || image->isNull()) {
            painter.fillRect(cell, look.color(Color::Panel));
            continue;
        }
        // Fills the cell and crops to its centre; a picture smaller than the cell keeps its pixels sharp.
        const double scale = std::max(double(cell.width()) / image->width(), double(cell.height()) / image->height());
        const double w = cell.width() / scale, h = cell.height() / scale;
        painter.setRenderHint(QPainter::SmoothPixmapTransform, scale < 1);
        painter.drawImage(QRectF(cell), *image, QRectF((image->width() - w) / 2, (image->height() - h) / 2, w, h));
    }
    if (m_current < 0 || m_current >= count()) return;
    painter.setRenderHint(QPainter::Antialiasing, false);
    painter.setBrush(Qt::NoBrush);
    painter.setPen(QPen(look.color(Color::Well), 1));
    painter.drawRect(cellRect(m_current).adjusted(1, 1, -2, -2));
    painter.setPen(QPen(look.color(hasFocus() ? Color::Focus : Color::Accent), 2));
    painter.drawRect(cellRect(m_current));
}

void SampleGrid::resizeEvent(QResizeEvent*) {
    layOut();
    readVisible();
}

void SampleGrid::showEvent(QShowEvent* event) {
    QAbstractScrollArea::showEvent(event);
    readVisible();
}

void SampleGrid::scrollContentsBy(int, int) {
    viewport()->update();
    readVisible();
}

void SampleGrid::focusInEvent(QFocusEvent*) { viewport()->update(); }
void SampleGrid::focusOutEvent(QFocusEvent*) { viewport()->update(); }

void SampleGrid::mousePressEvent(QMouseEvent* event) {
    if (const int position = positionAt(event->pos()); event->button() == Qt::LeftButton && position >= 0) choose(position);
}

void SampleGrid::keyPressEvent(QKeyEvent* event) {
    const int page = std::max(1, static_cast<int>(viewport()->height() / m_pitch)) * m_columns;
    switch (event->key()) {
        case Qt::Key_Left: return choose(m_current - 1);
        case Qt::Key_Right: return choose(m_current + 1);
        case Qt::Key_Up: return choose(m_current < m_columns ? m_current : m_current - m_columns);
        case Qt::Key_Down: return choose(m_current < 0 ? 0 : m_current + m_columns);
        case Qt::Key_PageUp: return choose(m_current - page);
        case Qt::Key_PageDown: return choose(m_current + page);
        case Qt::Key_Home: return choose(0);
        case Qt::Key_End: return choose(count() - 1);
        default: QAbstractScrollArea::keyPressEvent(event);
    }
}

bool SampleGrid::viewportEvent(QEvent* event) {
    if (event->type() == QEvent::ToolTip) {
        auto* help = static_cast<QHelpEvent*>(event);
        const int position = positionAt(help->pos());
        if (position < 0 || !m_samples) {
            QToolTip::hideText();
            return true;
        }
        const feed::SampleInfo& sample = (*m_samples)[static_cast<std::size_t>(m_shown[static_cast<std::size_t>(position)])];
        const QString label = m_classNames.value(static_cast<int>(sample.label));
        QToolTip::showText(help->globalPos(), QStringLiteral("%1\n%2%3, %4 × %5").arg(text(sample.source), label.isEmpty() ? QString() : label + QStringLiteral(", "),
                           QString::fromLatin1(feed::splitName(sample.split))).arg(sample.width).arg(sample.height), viewport(), cellRect(position));
        return true;
    }
    return QAbstractScrollArea::viewportEvent(event);
}

}  // namespace espalier::app
