#pragma once

#include <QWidget>

namespace espalier::app {

/// Title bar of a dock: a strip of 8 px to drag it by; dots appear under the pointer.
class DockGrip : public QWidget {
    Q_OBJECT
public:
    explicit DockGrip(const QString& name, QWidget* parent = nullptr);
    QSize sizeHint() const override { return {100, 8}; }
    QSize minimumSizeHint() const override { return {20, 8}; }

protected:
    void paintEvent(QPaintEvent*) override;
    void enterEvent(QEnterEvent*) override { update(); }
    void leaveEvent(QEvent*) override { update(); }
};

}  // namespace espalier::app
