#include "widgets/controls/filter_field.h"

#include <QKeyEvent>
#include <QPainter>
#include <QTimer>

#include "widgets/controls/controls.h"
#include "widgets/theme/icons.h"
#include "widgets/theme/theme.h"

namespace espalier::widgets {

FilterField::FilterField(const QString& placeholder, const QString& iconName, bool isExpression, QWidget* parent)
    : QLineEdit(parent), m_iconName(iconName) {
    setPlaceholderText(placeholder);
    setAccessibleName(placeholder);
    setAcceptDrops(false);
    setTextMargins(18, 0, 0, 0);
    if (isExpression) {
        // The placeholder stays in the text font.
        connect(this, &QLineEdit::textChanged, this,
                [this](const QString& text) { setFont(theme().font(text.isEmpty() ? Type::Body : Type::Mono)); });
    }
    auto* timer = new QTimer(this);
    timer->setSingleShot(true);
    timer->setInterval(120);
    const auto send = [this, timer] {
        timer->stop();
        if (text() == m_sent) return;
        m_sent = text();
        Q_EMIT filterChanged(m_sent);
    };
    connect(timer, &QTimer::timeout, this, send);
    connect(this, &QLineEdit::textChanged, timer, qOverload<>(&QTimer::start));
    connect(this, &QLineEdit::returnPressed, this, send);
}

void FilterField::setError(const QString& sentence) {
    if (m_error.isEmpty()) m_hint = toolTip();
    m_error = sentence;
    setToolTip(sentence.isEmpty() ? m_hint : sentence);
    setAccessibleDescription(sentence);
    const QFont own = font();
    setFieldError(this, !sentence.isEmpty());
    setFont(own);  // polishing again took the one of expressions away
}

void FilterField::keyPressEvent(QKeyEvent* event) {
    if (event->key() == Qt::Key_Escape) {
        if (text().isEmpty())
            clearFocus();
        else
            clear();
        return;
    }
    QLineEdit::keyPressEvent(event);
}

void FilterField::paintEvent(QPaintEvent* event) {
    QLineEdit::paintEvent(event);
    QPainter painter(this);
    paintIcon(painter, m_iconName, QRect(8, (height() - 14) / 2, 14, 14), theme().color(Color::Text3));
}

}  // namespace espalier::widgets
