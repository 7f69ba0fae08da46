#pragma once

#include <QAbstractTableModel>
#include <QHash>
#include <QImage>
#include <QWidget>

#include <vector>

#include "app/bridge/app_context.h"
#include "app/pages/data_sample_grid.h"
#include "engine/feed/dataset.h"

namespace espalier::app {

/// What an import skipped or changed: file, reason, result.
class WarningModel : public QAbstractTableModel {
    Q_OBJECT
public:
    using QAbstractTableModel::QAbstractTableModel;
    void setWarnings(Warnings warnings);
    const Warnings& warnings() const { return m_warnings; }
    int count(Outcome outcome) const;
    /// Tab-separated lines with a header, for the clipboard.
    QString copyText() const;
    int rowCount(const QModelIndex& parent = {}) const override;
    int columnCount(const QModelIndex& = {}) const override { return 3; }
    QVariant data(const QModelIndex& index, int role) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

private:
    Warnings m_warnings;
};

/// Counts of a histogram with the median as a dashed line. Painted.
class SizeHistogram : public QWidget {
    Q_OBJECT
public:
    explicit SizeHistogram(QWidget* parent = nullptr);
    /// `isBytes` writes the values as sizes of files, else as pixels.
    void setBins(std::vector<feed::HistogramBin> bins, double median, bool isBytes);
    QSize sizeHint() const override { return {240, 116}; }
    QSize minimumSizeHint() const override { return {120, 80}; }
    QString medianText() const;

protected:
    void paintEvent(QPaintEvent* event) override;
    bool event(QEvent* event) override;

private:
    QRectF plot() const;
    std::vector<feed::HistogramBin> m_bins;
    double m_median = 0;
    bool m_isBytes = true;
};

/// Rows of two samples that are the same or look alike, with both pictures. A click shows the first in the grid.
class DuplicateList : public QWidget {
    Q_OBJECT
public:
    explicit DuplicateList(AppContext& context, QWidget* parent = nullptr);
    void setData(const feed::DatasetSummary& summary, SampleList samples);
    int rowCount() const { return static_cast<int>(m_rows.size()); }
    QSize sizeHint() const override;
    /// The rows on screen have their pictures.
    bool isSettled() const { return !m_isReading && (m_isPainted || m_rows.empty() || !isVisible()); }

Q_SIGNALS:
    void sampleClicked(qint64 index);

protected:
    void paintEvent(QPaintEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;

private:
    struct Row {
        std::int64_t a = 0, b = 0;
        QString name, detail, value;
        bool isAcross = false;
    };
    void readPictures(const QRect& visible);

    AppContext& m_context;
    QString m_dataset;
    std::vector<Row> m_rows;
    QHash<qint64, QImage> m_pictures;
    bool m_isReading = false, m_isPainted = false;
};

/// Median of the values, NaN for none.
double medianOf(std::vector<double> values);

}  // namespace espalier::app
