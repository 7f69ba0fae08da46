#pragma once

#include <QColor>
#include <QVector>
#include <QWidget>

namespace espalier::widgets {

/// Values at the cursor: a popup of 216 px beside the cursor line, one row a line of the chart in legend order. Belongs
/// to the page, so it may reach beyond a small chart; never takes the mouse.
class ReadoutBox : public QWidget {
    Q_OBJECT
public:
    struct Row {
        QString label, smooth, raw;
        int colorIndex = 0;
        QColor color = {};  ///< instead of a run's; transparent = no swatch
    };
    struct Content {
        QString title, detail;  ///< "step 58,410", "epoch 149.8, 0:42:22"
        QVector<Row> rows;
        bool hasSmooth = false;
    };

    explicit ReadoutBox(QWidget* page);
    /// `cursor`: x of the line and top of the chart in page coordinates; flips to the left when `isLeft`.
    void showAt(const Content& content, const QPoint& cursor, bool isLeft);
    const Content& content() const { return m_content; }

protected:
    void paintEvent(QPaintEvent*) override;

private:
    int valueWidth() const;
    Content m_content;
};

}  // namespace espalier::widgets
