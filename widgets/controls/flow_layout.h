#pragma once

#include <QLayout>
#include <QList>

namespace espalier::widgets {

/// Lays widgets out in lines that wrap, for chips and badges.
class FlowLayout : public QLayout {
public:
    explicit FlowLayout(QWidget* parent = nullptr, int gap = 4);
    ~FlowLayout() override;

    void addItem(QLayoutItem* item) override { m_items.append(item); }
    int count() const override { return static_cast<int>(m_items.size()); }
    QLayoutItem* itemAt(int index) const override { return m_items.value(index); }
    QLayoutItem* takeAt(int index) override;
    Qt::Orientations expandingDirections() const override { return {}; }
    bool hasHeightForWidth() const override { return true; }
    int heightForWidth(int width) const override { return arrange(QRect(0, 0, width, 0), false); }
    void setGeometry(const QRect& rect) override;
    QSize sizeHint() const override { return minimumSize(); }
    QSize minimumSize() const override;
    /// Deletes all widgets.
    void clear();

private:
    int arrange(const QRect& rect, bool isApplied) const;
    QList<QLayoutItem*> m_items;
    int m_gap;
};

}  // namespace espalier::widgets
