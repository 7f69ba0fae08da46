#pragma once

#include <QFrame>
#include <QString>
#include <QTimer>
#include <QWidget>

class QHBoxLayout;
class QLabel;
class QPushButton;

namespace espalier::widgets {

/// Message across the top of a page: tint, border, icon, bold what, a line with where and what is safe, remedies, copy.
class Banner : public QFrame {
    Q_OBJECT
public:
    enum class Kind { Info, Warning, Error, Success };
    Banner(Kind kind, const QString& what, const QString& detail = {}, QWidget* parent = nullptr);
    QPushButton* addRemedy(const QString& text);
    void setCopyText(const QString& text);
    void setTexts(const QString& what, const QString& detail);
    QString text() const;

Q_SIGNALS:
    void closed();

protected:
    void paintEvent(QPaintEvent*) override;

private:
    Kind m_kind;
    QLabel* m_what;
    QLabel* m_detail;
    QHBoxLayout* m_buttons;
    QString m_copyText;
};

/// Short note, 320 wide, that goes away after six seconds; the shell stacks up to three.
class Toast : public QFrame {
    Q_OBJECT
public:
    Toast(const QString& bold, const QString& text, const QString& iconName, QWidget* parent = nullptr);
    QPushButton* addAction(const QString& text);
    QString text() const;

Q_SIGNALS:
    void expired();

protected:
    void paintEvent(QPaintEvent*) override;
    void enterEvent(QEnterEvent*) override;
    void leaveEvent(QEvent*) override;

private:
    QString m_text;
    QHBoxLayout* m_row;
    QTimer m_timer;
};

/// A page or panel with nothing to show: icon, one bold sentence, one line what to do, at most one button.
class EmptyState : public QWidget {
    Q_OBJECT
public:
    EmptyState(const QString& iconName, const QString& title, const QString& text, QWidget* parent = nullptr);
    void setTexts(const QString& title, const QString& text);
    QPushButton* setButton(const QString& text, const QString& iconName = {}, bool isPrimary = false);

private:
    QLabel* m_title;
    QLabel* m_text;
    QPushButton* m_button = nullptr;
};

}  // namespace espalier::widgets
