#pragma once

#include <QStyledItemDelegate>

#include <functional>
#include <vector>

#include "engine/feed/job_state.h"
#include "widgets/theme/theme.h"

namespace espalier::widgets {

/// What a run row shows, in its order: swatch, state icon, name, sparkline, value.
struct RunRowLook {
    int colorIndex = 0;
    bool isShown = false;
    feed::JobState state = feed::JobState::Queued;
    QString name;
    std::vector<float> spark;
    QString value;
};

/// Row of 24 px for a run. A click on the swatch does not select, it toggles. The sparkline goes first when the row is
/// narrow.
class RunRowDelegate : public QStyledItemDelegate {
    Q_OBJECT
public:
    using Reader = std::function<RunRowLook(const QModelIndex&)>;
    explicit RunRowDelegate(Reader reader, QObject* parent = nullptr);

    void setSparkShown(bool isShown) { m_isSparkShown = isShown; }
    void paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const override;
    QSize sizeHint(const QStyleOptionViewItem& option, const QModelIndex& index) const override;
    void setEditorData(QWidget* editor, const QModelIndex& index) const override;
    void updateEditorGeometry(QWidget* editor, const QStyleOptionViewItem& option, const QModelIndex& index) const override;
    static QRect swatchRect(const QRect& row);

Q_SIGNALS:
    void swatchClicked(const QModelIndex& index);
    /// A row was painted that has no curve yet.
    void sparkWanted(const QModelIndex& index) const;

protected:
    bool editorEvent(QEvent* event, QAbstractItemModel* model, const QStyleOptionViewItem& option,
                     const QModelIndex& index) override;

private:
    Reader m_reader;
    bool m_isSparkShown = true;
};

/// Row of 24 px with an icon, a name and a faint word or number at the right.
struct IconRowLook {
    QString iconName, name, trailing;
    Color iconRole = Color::Text2;
};

class IconRowDelegate : public QStyledItemDelegate {
    Q_OBJECT
public:
    using Reader = std::function<IconRowLook(const QModelIndex&)>;
    explicit IconRowDelegate(Reader reader, QObject* parent = nullptr);
    void setRowHeight(int height) { m_height = height; }
    void paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const override;
    QSize sizeHint(const QStyleOptionViewItem& option, const QModelIndex& index) const override;
    void setEditorData(QWidget* editor, const QModelIndex& index) const override;
    void updateEditorGeometry(QWidget* editor, const QStyleOptionViewItem& option, const QModelIndex& index) const override;

private:
    Reader m_reader;
    int m_height;
};

/// Plain table cells in the house look: 12 px, numbers at the right, 1 px line below each row, bold where the model
/// gives a bold font. Columns marked faint are drawn in text2.
class TableCellDelegate : public QStyledItemDelegate {
    Q_OBJECT
public:
    using QStyledItemDelegate::QStyledItemDelegate;
    void setFaintColumns(std::vector<int> columns) { m_faint = std::move(columns); }
    void paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const override;
    QSize sizeHint(const QStyleOptionViewItem& option, const QModelIndex& index) const override;

private:
    std::vector<int> m_faint;
};

/// Ground of a row by its state (selected, hovered, focused); returns the text colours for it.
struct RowInk {
    QColor text, text2, text3;
    bool isOnContrastSelection = false;
};
RowInk paintRowGround(QPainter& painter, const QStyleOptionViewItem& option);

/// 44×14 curve; NaN breaks it.
void paintSparkline(QPainter& painter, const QRectF& rect, const std::vector<float>& values, const QColor& color);

}  // namespace espalier::widgets
