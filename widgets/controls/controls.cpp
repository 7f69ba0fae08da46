#include "widgets/controls/controls.h"

#include <QEvent>
#include <QPaintEvent>
#include <QPainter>
#include <QStyle>

#include "widgets/theme/format.h"
#include "widgets/theme/icons.h"
#include "widgets/theme/metrics.h"

namespace espalier::widgets {

namespace {

const char* sizeName(ControlSize size) {
    return size == ControlSize::Small ? "small" : size == ControlSize::Large ? "large" : "normal";
}

// Follows the theme without holding a colour: paints its role each time.
class LineWidget : public QWidget {
public:
    explicit LineWidget(QWidget* parent) : QWidget(parent) {}

protected:
    void paintEvent(QPaintEvent*) override { QPainter(this).fillRect(rect(), theme().color(Color::Line)); }
};

// Fills a widget before it paints itself.
class GroundPainter : public QObject {
public:
    GroundPainter(QWidget* widget, Color role) : QObject(widget), m_role(role) {}

protected:
    bool eventFilter(QObject* watched, QEvent* event) override {
        if (event->type() == QEvent::Paint) {
            auto* widget = static_cast<QWidget*>(watched);
            QPainter(widget).fillRect(static_cast<QPaintEvent*>(event)->rect(), theme().color(m_role));
        }
        return QObject::eventFilter(watched, event);
    }

private:
    Color m_role;
};

void repolish(QWidget* widget) {
    widget->style()->unpolish(widget);
    widget->style()->polish(widget);
    widget->update();
}

}  // namespace

QPushButton* makeButton(const QString& text, const QString& iconName, ButtonKind kind, ControlSize size, QWidget* parent) {
    auto* button = new QPushButton(text, parent);
    button->setProperty("size", QString::fromLatin1(sizeName(size)));
    Color role = Color::Text;
    if (kind == ButtonKind::Primary) {
        button->setProperty("kind", QStringLiteral("primary"));
        button->setFont(theme().font(Type::BodyStrong));
        role = Color::OnAccent;
    } else if (kind == ButtonKind::Danger) {
        button->setProperty("kind", QStringLiteral("danger"));
        role = Color::Error;
    }
    if (!iconName.isEmpty()) {
        button->setIcon(icon(iconName, role));
        // Wider than the glyph: the style leaves only 4 px between icon and text.
        button->setIconSize(QSize(metrics::kIconRow + 4, metrics::kIconRow));
    }
    button->setSizePolicy(QSizePolicy::Maximum, QSizePolicy::Fixed);
    button->setAutoDefault(false);
    return button;
}

QToolButton* makeIconButton(const QString& iconName, const QString& name, QWidget* parent, ControlSize size) {
    auto* button = new QToolButton(parent);
    button->setIcon(icon(iconName));
    button->setIconSize(size == ControlSize::Small ? QSize(metrics::kIconRow, metrics::kIconRow)
                                                   : QSize(metrics::kIconTool, metrics::kIconTool));
    const int side = size == ControlSize::Small ? metrics::kControlSmall : metrics::kControl;
    setTextHeight(button, side);
    setTextWidth(button, side);
    button->setToolTip(name);
    button->setAccessibleName(name);
    button->setFocusPolicy(Qt::TabFocus);
    return button;
}

QToolButton* makeToggle(const QString& iconName, const QString& name, bool isChecked, QWidget* parent) {
    QToolButton* button = makeIconButton(iconName, name, parent);
    button->setCheckable(true);
    button->setChecked(isChecked);
    return button;
}

void setLabelLook(QLabel* label, Type type, Color role) {
    label->setFont(theme().font(type));
    label->setProperty("typeStep", static_cast<int>(type));
    // By the style sheet, not by a palette: Qt puts an older palette back when a widget moves to another parent.
    const QString ink = Theme::colorName(role);
    if (label->property("ink").toString() == ink) return;
    label->setProperty("ink", ink);
    if (label->testAttribute(Qt::WA_WState_Polished)) repolish(label);
}

QLabel* makeLabel(const QString& text, Type type, Color role, QWidget* parent) {
    auto* label = new QLabel(text, parent);
    label->setTextFormat(Qt::PlainText);
    setLabelLook(label, type, role);
    QObject::connect(&theme(), &Theme::changed, label,
                     [label] { label->setFont(theme().font(static_cast<Type>(label->property("typeStep").toInt()))); });
    return label;
}

QWidget* makeLine(Qt::Orientation orientation, QWidget* parent) {
    auto* line = new LineWidget(parent);
    if (orientation == Qt::Horizontal)
        line->setFixedHeight(1);
    else
        line->setFixedWidth(1);
    return line;
}

void setTextHeight(QWidget* widget, int px) {
    const auto apply = [widget, px] { widget->setFixedHeight(theme().scaled(px)); };
    apply();
    QObject::connect(&theme(), &Theme::changed, widget, apply);
}

void setTextWidth(QWidget* widget, int px) {
    const auto apply = [widget, px] { widget->setFixedWidth(theme().scaled(px)); };
    apply();
    QObject::connect(&theme(), &Theme::changed, widget, apply);
}

void setGround(QWidget* widget, Color role) {
    widget->setAutoFillBackground(false);
    for (QObject* child : widget->children())
        if (dynamic_cast<GroundPainter*>(child)) delete child;
    widget->installEventFilter(new GroundPainter(widget, role));
    widget->update();
}

void setFieldError(QWidget* field, bool isWrong) {
    if (field->property("isWrong").toBool() == isWrong) return;
    field->setProperty("isWrong", isWrong);
    repolish(field);
}

ElidedLabel::ElidedLabel(Qt::TextElideMode mode, Type type, Color role, QWidget* parent)
    : QWidget(parent), m_mode(mode), m_type(type), m_role(role) {
    setFont(theme().font(type));
    setSizePolicy(QSizePolicy::Preferred, QSizePolicy::Fixed);
    connect(&theme(), &Theme::changed, this, [this] { setType(m_type); });
}

void ElidedLabel::setText(const QString& text) {
    if (text == m_text) return;
    m_text = text;
    setAccessibleName(text);
    updateGeometry();
    resizeEvent(nullptr);
    update();
}

void ElidedLabel::setRole(Color role) {
    m_role = role;
    update();
}

void ElidedLabel::setType(Type type) {
    m_type = type;
    setFont(theme().font(type));
    updateGeometry();
    update();
}

QSize ElidedLabel::sizeHint() const { return {fontMetrics().horizontalAdvance(m_text) + 1, theme().lineHeight(m_type)}; }
QSize ElidedLabel::minimumSizeHint() const { return {std::min(24, sizeHint().width()), theme().lineHeight(m_type)}; }

void ElidedLabel::resizeEvent(QResizeEvent*) {
    setToolTip(fontMetrics().horizontalAdvance(m_text) > width() ? m_text : QString());
}

void ElidedLabel::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    painter.setFont(theme().font(m_type));
    painter.setPen(theme().color(isEnabled() ? m_role : Color::Disabled));
    const QString shown = m_mode == Qt::ElideNone ? format::fitParts(fontMetrics(), m_text, width()) : fontMetrics().elidedText(m_text, m_mode, width());
    painter.drawText(rect(), Qt::AlignVCenter | Qt::AlignLeft, shown);
}

}  // namespace espalier::widgets
