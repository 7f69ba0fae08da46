#pragma once

#include <QAbstractButton>
#include <QComboBox>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QToolButton>

#include "widgets/theme/theme.h"

/// Small factories for standard Qt controls in the house look; the style sheet keys on the properties they set.
namespace espalier::widgets {

enum class ButtonKind { Normal, Primary, Danger };
enum class ControlSize { Small, Normal, Large };  ///< 20, 24, 28 px

/// Push button with an optional icon. At most one Primary a page.
QPushButton* makeButton(const QString& text, const QString& iconName = {}, ButtonKind kind = ButtonKind::Normal,
                        ControlSize size = ControlSize::Normal, QWidget* parent = nullptr);
/// Icon-only button, 24×24 (small 20×20); `name` is tooltip and accessible name.
QToolButton* makeIconButton(const QString& iconName, const QString& name, QWidget* parent = nullptr,
                            ControlSize size = ControlSize::Normal);
/// The same, checkable.
QToolButton* makeToggle(const QString& iconName, const QString& name, bool isChecked, QWidget* parent = nullptr);

/// Text in a step of the ramp and a colour role; follows the theme.
QLabel* makeLabel(const QString& text, Type type = Type::Body, Color role = Color::Text, QWidget* parent = nullptr);
void setLabelLook(QLabel* label, Type type, Color role);

/// Line of one pixel in `line` colour.
QWidget* makeLine(Qt::Orientation orientation = Qt::Horizontal, QWidget* parent = nullptr);

/// Fixed height or width of a box that holds text; grows with the text scale.
void setTextHeight(QWidget* widget, int px);
void setTextWidth(QWidget* widget, int px);

/// Paints the ground of a widget from a role and keeps it over a theme switch.
void setGround(QWidget* widget, Color role);

/// Marks a field as wrong (red border) or right again; the sentence below is the caller's.
void setFieldError(QWidget* field, bool isWrong);

/// Label whose text is cut to its width (middle, end or front; ElideNone leaves out whole parts after a comma) with the
/// whole text in the tooltip.
class ElidedLabel : public QWidget {
    Q_OBJECT
public:
    explicit ElidedLabel(Qt::TextElideMode mode, Type type = Type::Body, Color role = Color::Text,
                         QWidget* parent = nullptr);
    void setText(const QString& text);
    QString text() const { return m_text; }
    void setRole(Color role);
    void setType(Type type);
    QSize sizeHint() const override;
    QSize minimumSizeHint() const override;

protected:
    void paintEvent(QPaintEvent*) override;
    void resizeEvent(QResizeEvent*) override;

private:
    QString m_text;
    Qt::TextElideMode m_mode;
    Type m_type;
    Color m_role;
};

}  // namespace espalier::widgets
