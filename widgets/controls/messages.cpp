#include "widgets/controls/messages.h"

#include <QApplication>
#include <QClipboard>
#include <QHBoxLayout>
#include <QLabel>
#include <QPainter>
#include <QPushButton>
#include <QToolButton>
#include <QVBoxLayout>

#include "widgets/controls/controls.h"
#include "widgets/controls/paint_help.h"
#include "widgets/theme/icons.h"

namespace espalier::widgets {

namespace {

// Wrapped text as tall as its lines need at the width it gets; a plain size policy would forget that.
void wrap(QLabel* label) {
    label->setWordWrap(true);
    QSizePolicy policy(QSizePolicy::Expanding, QSizePolicy::Preferred);
    policy.setHeightForWidth(true);
    label->setSizePolicy(policy);
}

struct MessageLook {
    const char* icon;
    Color ink, tint;
};

MessageLook lookOf(Banner::Kind kind) {
    switch (kind) {
        case Banner::Kind::Info: return {"info", Color::Info, Color::InfoTint};
        case Banner::Kind::Warning: return {"warning", Color::Warning, Color::WarningTint};
        case Banner::Kind::Error: return {"error", Color::Error, Color::ErrorTint};
        case Banner::Kind::Success: break;
    }
    return {"check", Color::Success, Color::SuccessTint};
}

// Icon of a fixed size that follows the theme.
class IconLabel : public QWidget {
public:
    IconLabel(QString name, int size, Color role, QWidget* parent) : QWidget(parent), m_name(std::move(name)), m_role(role) {
        setFixedSize(size, size);
    }

protected:
    void paintEvent(QPaintEvent*) override {
        QPainter painter(this);
        paintIcon(painter, m_name, rect(), theme().color(m_role));
    }

private:
    QString m_name;
    Color m_role;
};

}  // namespace

Banner::Banner(Kind kind, const QString& what, const QString& detail, QWidget* parent) : QFrame(parent), m_kind(kind) {
    const MessageLook look = lookOf(kind);
    setAccessibleName(what);
    auto* layout = new QHBoxLayout(this);
    layout->setContentsMargins(12, 8, 8, 8);
    layout->setSpacing(10);
    layout->addWidget(new IconLabel(QString::fromLatin1(look.icon), 16, look.ink, this), 0, Qt::AlignTop);
    auto* column = new QVBoxLayout;
    column->setSpacing(2);
    m_what = makeLabel(what, Type::BodyStrong, Color::Text, this);
    wrap(m_what);
    m_what->setTextInteractionFlags(Qt::TextSelectableByMouse);
    m_detail = makeLabel(detail, Type::Body, Color::Text2, this);
    wrap(m_detail);
    m_detail->setTextInteractionFlags(Qt::TextSelectableByMouse);
    m_detail->setVisible(!detail.isEmpty());
    m_buttons = new QHBoxLayout;
    m_buttons->setSpacing(8);
    m_buttons->setContentsMargins(0, 0, 0, 0);
    column->addWidget(m_what);
    column->addWidget(m_detail);
    column->addLayout(m_buttons);
    layout->addLayout(column, 1);
    QToolButton* close = makeIconButton(QStringLiteral("close"), tr("Close"), this, ControlSize::Small);
    connect(close, &QToolButton::clicked, this, [this] {
        Q_EMIT closed();
        deleteLater();
    });
    layout->addWidget(close, 0, Qt::AlignTop);
    m_copyText = what + (detail.isEmpty() ? QString() : u'\n' + detail);
    if (kind == Kind::Error) {
        QToolButton* copy = makeIconButton(QStringLiteral("copy"), tr("Copy the message"), this, ControlSize::Small);
        connect(copy, &QToolButton::clicked, this, [this] { QApplication::clipboard()->setText(m_copyText); });
        layout->insertWidget(layout->count() - 1, copy, 0, Qt::AlignTop);
    }
}

void Banner::setTexts(const QString& what, const QString& detail) {
    setAccessibleName(what);
    m_what->setText(what);
    m_detail->setText(detail);
    m_detail->setVisible(!detail.isEmpty());
}

QPushButton* Banner::addRemedy(const QString& text) {
    QPushButton* button = makeButton(text, {}, ButtonKind::Normal, ControlSize::Small, this);
    if (m_buttons->count() == 0) m_buttons->setContentsMargins(0, 6, 0, 0);
    if (m_buttons->count() == 0) m_buttons->addStretch(1);
    m_buttons->insertWidget(m_buttons->count() - 1, button);
    return button;
}

void Banner::setCopyText(const QString& text) { m_copyText = text; }
QString Banner::text() const { return m_what->text() + u'\n' + m_detail->text(); }

void Banner::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    const MessageLook look = lookOf(m_kind);
    paintBox(painter, rect(), metrics::kRadiusCard, theme().color(look.tint), theme().color(look.ink));
}

Toast::Toast(const QString& bold, const QString& text, const QString& iconName, QWidget* parent)
    : QFrame(parent), m_text(text.isEmpty() ? bold : bold + u' ' + text) {
    setFixedWidth(320);
    setAccessibleName(m_text);
    m_row = new QHBoxLayout(this);
    m_row->setContentsMargins(12, 8, 8, 8);
    m_row->setSpacing(10);
    const Color role = iconName == QLatin1String("error")     ? Color::Error
                       : iconName == QLatin1String("warning") ? Color::Warning
                       : iconName == QLatin1String("check")   ? Color::Success
                                                              : Color::Text2;
    if (!iconName.isEmpty()) m_row->addWidget(new IconLabel(iconName, 16, role, this), 0, Qt::AlignVCenter);
    auto* label = makeLabel(QString(), Type::Body, Color::Text, this);
    label->setTextFormat(Qt::RichText);
    label->setText(QStringLiteral("<span style=\"font-weight:600\">%1</span> %2").arg(bold.toHtmlEscaped(), text.toHtmlEscaped()));
    label->setWordWrap(true);
    m_row->addWidget(label, 1);
    m_timer.setSingleShot(true);
    m_timer.setInterval(metrics::kToastStayMs);
    connect(&m_timer, &QTimer::timeout, this, [this] {
        Q_EMIT expired();
        deleteLater();
    });
    m_timer.start();
}

QPushButton* Toast::addAction(const QString& text) {
    QPushButton* button = makeButton(text, {}, ButtonKind::Normal, ControlSize::Small, this);
    m_row->addWidget(button);
    connect(button, &QPushButton::clicked, this, [this] {
        Q_EMIT expired();
        deleteLater();
    });
    return button;
}

QString Toast::text() const { return m_text; }

void Toast::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    paintBox(painter, rect(), metrics::kRadiusCard, theme().color(Color::Popup), theme().color(Color::Border));
}

// A pointer on the note keeps it.
void Toast::enterEvent(QEnterEvent*) { m_timer.stop(); }
void Toast::leaveEvent(QEvent*) { m_timer.start(); }

EmptyState::EmptyState(const QString& iconName, const QString& title, const QString& text, QWidget* parent) : QWidget(parent) {
    auto* layout = new QVBoxLayout(this);
    layout->setSpacing(4);
    layout->addStretch(1);
    layout->addWidget(new IconLabel(iconName, metrics::kIconEmpty, Color::Text3, this), 0, Qt::AlignHCenter);
    layout->addSpacing(8);
    m_title = makeLabel(title, Type::BodyStrong, Color::Text, this);
    m_title->setAlignment(Qt::AlignCenter);
    m_title->setWordWrap(true);
    m_text = makeLabel(text, Type::Body, Color::Text2, this);
    m_text->setAlignment(Qt::AlignCenter);
    m_text->setWordWrap(true);
    layout->addWidget(m_title);
    layout->addWidget(m_text);
    layout->addStretch(1);
}

void EmptyState::setTexts(const QString& title, const QString& text) {
    setAccessibleName(title);
    m_title->setText(title);
    m_text->setText(text);
}

QPushButton* EmptyState::setButton(const QString& text, const QString& iconName, bool isPrimary) {
    delete m_button;
    m_button = makeButton(text, iconName, isPrimary ? ButtonKind::Primary : ButtonKind::Normal, ControlSize::Normal, this);
    auto* column = static_cast<QVBoxLayout*>(layout());
    column->insertSpacing(column->count() - 1, 8);
    column->insertWidget(column->count() - 1, m_button, 0, Qt::AlignHCenter);
    return m_button;
}

}  // namespace espalier::widgets
