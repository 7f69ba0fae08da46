#pragma once

#include <QAbstractScrollArea>
#include <QCache>
#include <QImage>

#include <memory>
#include <vector>

#include "app/bridge/app_context.h"
#include "engine/feed/dataset.h"

namespace espalier::app {

using SampleList = std::shared_ptr<const std::vector<feed::SampleInfo>>;

/// Picture of a sample for the screen: small ones as they are, large ones reduced to `side`. Null when it has none.
QImage sampleThumbnail(const runtime::Workspace& workspace, const std::string& dataset, std::int64_t index, int side);

/// Grid of thumbnails. Only cells on screen are read, in the background, and kept in a cache of bounded size; small
/// pictures are enlarged without smoothing. Arrows, Home, End, Page keys move the current sample. GUI thread.
class SampleGrid : public QAbstractScrollArea {
    Q_OBJECT
public:
    enum class Order { Stored, ByClass, BySplit, BySize };

    explicit SampleGrid(AppContext& context, QWidget* parent = nullptr);

    void setSamples(const QString& dataset, SampleList samples);
    /// −1 = all classes.
    void setClassFilter(int label);
    int classFilter() const { return m_class; }
    void setOrder(Order order);
    Order order() const { return m_order; }
    /// Cells of 43 px, or twice that.
    void setLarge(bool isLarge);
    void setClassNames(const QStringList& names) { m_classNames = names; }

    int count() const { return static_cast<int>(m_shown.size()); }
    /// Index in the data set of the chosen sample; −1 = none.
    std::int64_t currentSample() const;
    void choose(int position);
    int columns() const { return m_columns; }
    QRect cellRect(int position) const;  ///< in viewport coordinates
    /// Thumbnails held in memory (for tests).
    int cachedCount() const { return static_cast<int>(m_cache.count()); }
    std::int64_t readCount() const { return m_readCount; }
    /// Every cell on screen has its picture.
    bool isSettled() const;

Q_SIGNALS:
    void sampleChosen(qint64 index);

protected:
    void paintEvent(QPaintEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    void scrollContentsBy(int dx, int dy) override;
    void focusInEvent(QFocusEvent* event) override;
    void focusOutEvent(QFocusEvent* event) override;
    bool viewportEvent(QEvent* event) override;
    void showEvent(QShowEvent* event) override;

private:
    void rebuild();
    void layOut();
    void readVisible();
    std::vector<std::int64_t> missing() const;
    int positionAt(const QPoint& point) const;

    AppContext& m_context;
    QString m_dataset;
    SampleList m_samples;
    std::vector<std::int32_t> m_shown;  ///< rows of m_samples in the order drawn
    QStringList m_classNames;
    QCache<qint64, QImage> m_cache;     ///< cost in kB
    int m_class = -1, m_current = -1, m_columns = 1;
    double m_pitch = 43;
    Order m_order = Order::Stored;
    bool m_isLarge = false, m_isReading = false;
    std::int64_t m_readCount = 0;
};

}  // namespace espalier::app
