#pragma once

#include <QLineEdit>

namespace espalier::widgets {

/// Search or filter line with an icon at the left; Escape clears, then gives the focus back. `isExpression` sets the
/// mono font for filter expressions.
class FilterField : public QLineEdit {
    Q_OBJECT
public:
    explicit FilterField(const QString& placeholder, const QString& iconName = QStringLiteral("search"),
                         bool isExpression = false, QWidget* parent = nullptr);
    /// Red border and the sentence as tooltip and accessible description; empty = fine again.
    void setError(const QString& sentence);
    QString error() const { return m_error; }

Q_SIGNALS:
    /// 120 ms after the last key, or at once on Enter.
    void filterChanged(const QString& text);

protected:
    void keyPressEvent(QKeyEvent*) override;
    void paintEvent(QPaintEvent*) override;

private:
    QString m_iconName, m_error, m_hint, m_sent;
};

}  // namespace espalier::widgets
