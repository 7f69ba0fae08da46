#pragma once

#include <QWidget>

class QHBoxLayout;

namespace espalier::widgets {

/// Bar of 36 px on top of a page: what is shown at the left, how in the middle, Export at the right. Groups are parted
/// by a 1×16 line. When room is short the widgets marked as droppable go first, names before tools.
class PageToolBar : public QWidget {
    Q_OBJECT
public:
    explicit PageToolBar(QWidget* parent = nullptr);

    void add(QWidget* widget);
    void addSeparator();
    void addStretch();  ///< what follows stands at the right
    /// As add(); hidden when the bar is too narrow, highest `dropOrder` first.
    void addDroppable(QWidget* widget, int dropOrder);
    /// As addDroppable() for something the bar may show only when `wanted` (instead of QWidget::setVisible).
    void setWanted(QWidget* widget, bool isWanted);

    /// What was added so far names the thing shown and stays while the page has nothing to show.
    void endTitle();
    /// Nothing to show: no tools for it either.
    void setQuiet(bool isQuiet);

    QSize minimumSizeHint() const override;

protected:
    void paintEvent(QPaintEvent*) override;
    void resizeEvent(QResizeEvent*) override;
    bool event(QEvent*) override;

private:
    struct Item {
        QWidget* widget = nullptr;
        int dropOrder = 0;  ///< 0 = stays
        bool isWanted = true;
        bool isSeparator = false;
        bool isTitle = false;
    };
    void fit();
    int widthOf(const QList<Item>& items) const;

    QHBoxLayout* m_layout;
    QList<Item> m_items;
    bool m_isFitting = false, m_isQuiet = false;
};

}  // namespace espalier::widgets
