#include "widgets/heatmap/probe_strip.h"

#include <QHelpEvent>
#include <QKeyEvent>
#include <QMouseEvent>
#include <QPainter>
#include <QToolTip>
#include <QWheelEvent>

#include <algorithm>

#include "widgets/controls/paint_help.h"
#include "widgets/theme/icons.h"

namespace espalier::widgets {
namespace {

constexpr int kLargest = 50, kLeast = 36, kGap = 4, kBadge = 15, kEdge = 2;

}  // namespace

ProbeStrip::ProbeStrip(QWidget* parent) : QWidget(parent) {
    setFocusPolicy(Qt::StrongFocus);
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    setFixedHeight(kLargest + 2 * kEdge);
    setAccessibleName(tr("Pinned images; left and right choose"));
    connect(&theme(), &Theme::changed, this, qOverload<>(&QWidget::update));
}

void ProbeStrip::setProbes(QVector<ProbeThumb> probes) {
    m_probes = std::move(probes);
    setCurrent(m_current);
}

void ProbeStrip::setCurrent(int probe) {
    m_current = std::clamp(probe, 0, std::max(0, static_cast<int>(m_probes.size()) - 1));
    if (!m_probes.isEmpty()) {
        const ProbeThumb& thumb = m_probes[m_current];
        setAccessibleDescription(thumb.isWrong ? tr("%1, predicted %2").arg(thumb.label, thumb.prediction) : thumb.label);
    }
    reveal();
    update();
}

int ProbeStrip::side() const {
    const int count = std::max(1, static_cast<int>(m_probes.size()));
    return std::clamp((width() - 2 * kEdge + kGap) / count - kGap, kLeast, kLargest);
}

QRect ProbeStrip::thumbRect(int probe) const {
    const int size = side();
    return {kEdge + probe * (size + kGap) - m_offset, kEdge, size, size};
}

void ProbeStrip::reveal() {
    const int most = std::max(0, static_cast<int>(m_probes.size()) * (side() + kGap) - kGap + 2 * kEdge - width());
    const int left = m_current * (side() + kGap);
    m_offset = std::clamp(std::clamp(m_offset, left + side() + 2 * kEdge - width(), left), 0, most);
}

void ProbeStrip::resizeEvent(QResizeEvent*) { reveal(); }

int ProbeStrip::probeAt(const QPoint& position) const {
    for (int i = 0; i < m_probes.size(); ++i)
        if (thumbRect(i).contains(position)) return i;
    return -1;
}

void ProbeStrip::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    const Theme& look = theme();
    for (int i = 0; i < m_probes.size(); ++i) {
        const QRect cell = thumbRect(i);
        if (!cell.intersects(rect())) continue;
        painter.setRenderHint(QPainter::SmoothPixmapTransform, m_probes[i].image.width() > cell.width());
        painter.drawImage(cell, m_probes[i].image);
        if (!m_probes[i].isWrong) continue;
        const QRect badge(cell.right() - kBadge, cell.bottom() - kBadge, kBadge, kBadge);
        paintBox(painter, badge, metrics::kRadiusBadge, look.color(Color::Well));
        paintIcon(painter, QStringLiteral("close"), badge.adjusted(2, 2, -2, -2), look.color(Color::Error));
    }
    if (m_probes.isEmpty()) return;
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(QPen(look.color(showsFocus(this) ? Color::Focus : Color::Accent), 2));
    painter.setBrush(Qt::NoBrush);
    painter.drawRoundedRect(QRectF(thumbRect(m_current)).adjusted(-1, -1, 1, 1), 2, 2);
}

void ProbeStrip::pick(int probe) {
    if (m_probes.isEmpty()) return;
    setCurrent(probe);
    Q_EMIT picked(m_current);
}

void ProbeStrip::mousePressEvent(QMouseEvent* event) {
    const int probe = probeAt(event->pos());
    if (event->button() == Qt::LeftButton && probe >= 0) pick(probe);
}

void ProbeStrip::keyPressEvent(QKeyEvent* event) {
    switch (event->key()) {
    case Qt::Key_Left: return pick(m_current - 1);
    case Qt::Key_Right: return pick(m_current + 1);
    case Qt::Key_Home: return pick(0);
    case Qt::Key_End: return pick(static_cast<int>(m_probes.size()) - 1);
    default: QWidget::keyPressEvent(event);
    }
}

void ProbeStrip::wheelEvent(QWheelEvent* event) {
    const int most = std::max(0, static_cast<int>(m_probes.size()) * (side() + kGap) - kGap + 2 * kEdge - width());
    m_offset = std::clamp(m_offset - (event->angleDelta().y() + event->angleDelta().x()) / 2, 0, most);
    update();
}

bool ProbeStrip::event(QEvent* event) {
    if (event->type() == QEvent::ToolTip) {
        auto* help = static_cast<QHelpEvent*>(event);
        const int probe = probeAt(help->pos());
        if (probe < 0) {
            QToolTip::hideText();
        } else {
            const ProbeThumb& thumb = m_probes[probe];
            QToolTip::showText(help->globalPos(), thumb.prediction.isEmpty() ? tr("%1: %2").arg(thumb.name, thumb.label)
                                                                             : tr("%1: %2, predicted %3").arg(thumb.name, thumb.label, thumb.prediction), this);
        }
        return true;
    }
    return QWidget::event(event);
}

}  // namespace espalier::widgets
