#pragma once

#include <QVector>
#include <QWidget>

#include "widgets/theme/theme.h"

namespace espalier::widgets {

/// Marks and names of methods at the right of a chart header. When clickable, a click or Space hides one, a double
/// click or Return shows it alone.
class MethodLegend : public QWidget {
    Q_OBJECT
public:
    struct Entry {
        QString key;
        MethodLook look;
        bool isHidden = false;
    };
    MethodLegend(bool isClickable, QWidget* parent = nullptr);
    void setEntries(QVector<Entry> entries);
    QRect entryRect(int index) const;
    QSize sizeHint() const override;
    QSize minimumSizeHint() const override { return {0, 20}; }

Q_SIGNALS:
    void toggled(const QString& key, bool isHidden);
    void isolated(const QString& key);

protected:
    void paintEvent(QPaintEvent*) override;
    void mousePressEvent(QMouseEvent*) override;
    void mouseDoubleClickEvent(QMouseEvent*) override;
    void keyPressEvent(QKeyEvent*) override;

private:
    int indexAt(const QPoint& position) const;
    void toggle(int index);
    QVector<Entry> m_entries;
    bool m_isClickable;
    int m_current = 0;
};

}  // namespace espalier::widgets
