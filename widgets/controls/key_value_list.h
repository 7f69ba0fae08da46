#pragma once

#include <QVector>
#include <QWidget>

#include "widgets/theme/theme.h"

namespace espalier::widgets {

/// One line of a key/value list: name in text2 (104 px), value in text, note in text3 at the right.
struct KeyValue {
    QString key, value;
    QString note;                 ///< behind the value, faint: "in memory", "changed"
    QString toolTip = {};
    bool isMono = false;
    bool isBold = false;
    bool isNumber = false;        ///< value at the right edge
    bool isNoteAtRight = false;   ///< "changed" stands at the right edge
};

/// Lines of 20 px, painted; a sentence too long for its line goes on below. Ctrl+C copies the current line, up and down move.
class KeyValueList : public QWidget {
    Q_OBJECT
public:
    explicit KeyValueList(QWidget* parent = nullptr);
    void setRows(QVector<KeyValue> rows);
    const QVector<KeyValue>& rows() const { return m_rows; }
    void setKeyWidth(int width);
    /// Where the value of this row ends: numbers share an edge whatever the notes behind them take. For tests.
    int valueEdge(int row) const;
    QRect rowRect(int row) const;
    QSize sizeHint() const override;
    QSize minimumSizeHint() const override;

Q_SIGNALS:
    void rowDoubleClicked(int row);

protected:
    void paintEvent(QPaintEvent*) override;
    void keyPressEvent(QKeyEvent*) override;
    void mousePressEvent(QMouseEvent*) override;
    void mouseDoubleClickEvent(QMouseEvent*) override;
    bool event(QEvent*) override;
    void resizeEvent(QResizeEvent*) override;
    void changeEvent(QEvent*) override;

private:
    void layOut();
    int rowAt(const QPoint& position) const;
    int noteRoom(const KeyValue& row) const;
    QVector<KeyValue> m_rows;
    QVector<int> m_tops{0};  ///< of each row, and the end of the last
    int m_keyWidth;
    int m_current = -1;
};

/// Large reading: caption in text2, number 20 px, line below in text2. Two or three stand side by side.
class Reading : public QWidget {
    Q_OBJECT
public:
    explicit Reading(const QString& caption, QWidget* parent = nullptr);
    void setCaption(const QString& caption);
    void setValue(const QString& value);
    void setDetail(const QString& detail, Color role = Color::Text2);
    QSize sizeHint() const override;
    QSize minimumSizeHint() const override;

protected:
    void paintEvent(QPaintEvent*) override;

private:
    QString m_caption, m_value, m_detail;
    Color m_detailRole = Color::Text2;
};

}  // namespace espalier::widgets
