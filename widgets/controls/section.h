#pragma once

#include <QPointer>
#include <QWidget>

class QHBoxLayout;
class QLabel;
class QVBoxLayout;

namespace espalier::widgets {

/// Section of a dock: header of 28 px (chevron, title 600, count in text3, actions at the right) over a body that
/// collapses. A line parts it from what comes before.
class Section : public QWidget {
    Q_OBJECT
public:
    explicit Section(const QString& title, QWidget* parent = nullptr);

    void setTitle(const QString& title);
    /// Beside the title: "15 of 214"; `shorter` where the words do not fit.
    void setCount(const QString& text, const QString& shorter = {});
    QString count() const { return m_count; }
    void setTrailing(const QString& text);   ///< at the right: "valid/top1"
    /// The word at the right heads a column: a click on it asks for another order; a triangle shows which is in force.
    enum class Order { None, Ascending, Descending };
    void setTrailingOrder(Order order);
    QRect trailingRect() const;              ///< of the word, in this widget's pixels
    void addAction(QWidget* button);         ///< small icon button at the right
    void setBody(QWidget* body);             ///< takes ownership
    QWidget* body() const { return m_body; }
    void setBodyMargins(int left, int top, int right, int bottom);
    void setCollapsed(bool isCollapsed);
    bool isCollapsed() const { return m_isCollapsed; }
    void setLineVisible(bool isVisible) { m_hasLine = isVisible; update(); }
    QString title() const { return m_title; }

Q_SIGNALS:
    void collapsedChanged(bool isCollapsed);
    void trailingClicked();

private:
    class Header;
    friend class Header;
    QString m_title, m_count, m_shortCount, m_trailing;
    Header* m_header;
    QVBoxLayout* m_layout;
    QWidget* m_bodyHolder;
    QVBoxLayout* m_bodyLayout;
    QPointer<QWidget> m_body;
    bool m_isCollapsed = false;
    bool m_hasLine = true;
    bool m_isTrailingButton = false;
    Order m_order = Order::None;
};

/// Header of a chart or table on a page, 26 px: title 600, unit or caption in text3, then widgets, then at the right.
class ChartHeader : public QWidget {
    Q_OBJECT
public:
    explicit ChartHeader(const QString& title, const QString& caption = {}, QWidget* parent = nullptr);
    void setTitle(const QString& title);
    void setCaption(const QString& caption);
    void addLeft(QWidget* widget);   ///< after the caption (badges)
    void addRight(QWidget* widget);  ///< at the right (legend, switches)

private:
    QLabel* m_title;
    class ElidedLabel* m_caption;
    QHBoxLayout* m_left;
    QHBoxLayout* m_right;
};

}  // namespace espalier::widgets
