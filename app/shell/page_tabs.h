#pragma once

#include <QTabBar>

namespace espalier::app {

/// Tab bar of the pages, 32 px: icon and name, the active one on `well` with a 2 px accent line on top.
class PageTabs : public QTabBar {
    Q_OBJECT
public:
    explicit PageTabs(QWidget* parent = nullptr);
    void addPage(const QString& iconName, const QString& title);

protected:
    QSize tabSizeHint(int index) const override;
    void paintEvent(QPaintEvent*) override;
    bool event(QEvent* event) override;
    void focusInEvent(QFocusEvent* event) override;

private:
    QStringList m_icons;
    int m_hovered = -1;
    bool m_isKeyboardFocus = false;
};

}  // namespace espalier::app
