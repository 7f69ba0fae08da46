#include "widgets/theme/icons.h"

#include <QDir>
#include <QFile>
#include <QHash>
#include <QIconEngine>
#include <QPainter>
#include <QPixmapCache>
#include <QSvgRenderer>

#include "engine/base/log.h"

namespace espalier::widgets {

namespace {

const QByteArray& iconSource(const QString& name) {
    static QHash<QString, QByteArray> sources;
    auto it = sources.find(name);
    if (it == sources.end()) {
        QFile file(QStringLiteral(":/espalier/icons/%1.svg").arg(name));
        QByteArray bytes;
        if (file.open(QIODevice::ReadOnly))
            bytes = file.readAll();
        else
            ESPALIER_LOG(Warning, "theme") << "no icon named " << name.toStdString();
        it = sources.insert(name, bytes);
    }
    return *it;
}

// Draws in the colours of the theme at paint time, so a theme switch needs no new icons.
class ThemedIconEngine : public QIconEngine {
public:
    ThemedIconEngine(QString name, Color role) : m_name(std::move(name)), m_role(role) {}

    void paint(QPainter* painter, const QRect& rect, QIcon::Mode mode, QIcon::State state) override {
        const int side = std::min(rect.width(), rect.height());
        const QRect square(rect.x() + (rect.width() - side) / 2, rect.y() + (rect.height() - side) / 2, side, side);
        paintIcon(*painter, m_name, square, colorOf(mode, state));
    }
    QPixmap pixmap(const QSize& size, QIcon::Mode mode, QIcon::State state) override {
        return scaledPixmap(size, mode, state, 1.0);
    }
    QPixmap scaledPixmap(const QSize& size, QIcon::Mode mode, QIcon::State state, qreal scale) override {
        // Qt hands over the size in real pixels. A push button asks for more width than height: the rest is the gap
        // to its text, which the style keeps at 4 px.
        const QPixmap glyph = iconPixmap(m_name, qRound(std::min(size.width(), size.height()) / scale), colorOf(mode, state), scale);
        if (size.width() <= size.height() || glyph.isNull()) return glyph;
        QPixmap padded(size);
        padded.setDevicePixelRatio(scale);
        padded.fill(Qt::transparent);
        QPainter(&padded).drawPixmap(0, 0, glyph);
        return padded;
    }
    QIconEngine* clone() const override { return new ThemedIconEngine(m_name, m_role); }

private:
    QColor colorOf(QIcon::Mode mode, QIcon::State state) const {
        if (mode == QIcon::Disabled) return theme().color(Color::Disabled);
        if (mode == QIcon::Selected) return theme().color(Color::OnSelection);
        const bool isQuiet = m_role == Color::Text2 || m_role == Color::Text3;
        if (isQuiet && (mode == QIcon::Active || state == QIcon::On)) return theme().color(Color::Text);
        return theme().color(m_role);
    }
    QString m_name;
    Color m_role;
};

}  // namespace

QPixmap iconPixmap(const QString& name, int size, const QColor& color, qreal pixelRatio) {
    const QString key = QStringLiteral("espalier/%1/%2/%3/%4").arg(name, QString::number(size), color.name(QColor::HexArgb),
                                                                   QString::number(pixelRatio));
    QPixmap pixmap;
    if (QPixmapCache::find(key, &pixmap)) return pixmap;
    QByteArray svg = iconSource(name);
    if (svg.isEmpty()) return {};
    svg.replace("currentColor", color.name().toLatin1());
    if (size <= 12) svg.replace("stroke-width=\"1.5\"", "stroke-width=\"1.7\"");
    const int real = qMax(1, qRound(size * pixelRatio));
    QImage image(real, real, QImage::Format_ARGB32_Premultiplied);
    image.fill(Qt::transparent);
    QPainter painter(&image);
    painter.setOpacity(color.alphaF());
    QSvgRenderer(svg).render(&painter, QRectF(0, 0, real, real));
    painter.end();
    pixmap = QPixmap::fromImage(image);
    pixmap.setDevicePixelRatio(pixelRatio);
    QPixmapCache::insert(key, pixmap);
    return pixmap;
}

QIcon icon(const QString& name, Color role) { return QIcon(new ThemedIconEngine(name, role)); }

void paintIcon(QPainter& painter, const QString& name, const QRect& rect, const QColor& color) {
    const qreal ratio = painter.device() ? painter.device()->devicePixelRatioF() : 1.0;
    painter.drawPixmap(rect.topLeft(), iconPixmap(name, rect.width(), color, ratio));
}

QStringList iconNames() {
    QStringList names;
    for (const QString& file : QDir(QStringLiteral(":/espalier/icons")).entryList({QStringLiteral("*.svg")}, QDir::Files, QDir::Name))
        names << file.chopped(4);
    return names;
}

}  // namespace espalier::widgets
