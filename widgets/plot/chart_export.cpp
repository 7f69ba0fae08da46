#include "widgets/plot/chart_export.h"

#include "widgets/plot/chart_group.h"
#include "widgets/plot/chart_legend.h"
#include "widgets/plot/chart_style.h"
#include "widgets/plot/loss_chart.h"
#include "widgets/plot/qcp.h"
#include "widgets/theme/format.h"
#include "widgets/theme/metrics.h"

#include <QApplication>
#include <QClipboard>
#include <QFileDialog>
#include <QFileInfo>
#include <QMenu>
#include <QPageSize>
#include <QPdfWriter>
#include <QSaveFile>
#include <QSvgGenerator>

#include <algorithm>

namespace espalier::widgets {
namespace {

constexpr int kFigureGap = 20;
constexpr double kPointsPerPixel = 72.0 / 96.0;

Error ioError(const QString& path, const QString& why) {
    Error error;
    error.code = ErrorCode::Io;
    error.what = QStringLiteral("The figure was not written: %1").arg(why).toStdString();
    error.where = path.toStdString();
    error.remedy = "Choose another folder or name";
    return error;
}

int rowsOf(const QVector<LossChart*>& charts, int columns) {
    return (static_cast<int>(charts.size()) + columns - 1) / columns;
}

void paintFigure(QCPPainter& painter, const QVector<LossChart*>& charts, int columns, bool isVector) {
    const QSize size = figureSize(charts, columns);
    const int rows = rowsOf(charts, columns);
    const QSize cell((size.width() - (columns - 1) * kFigureGap) / columns, (size.height() - (rows - 1) * kFigureGap) / rows);
    for (int i = 0; i < charts.size(); ++i) {
        painter.save();
        painter.translate((i % columns) * (cell.width() + kFigureGap), (i / columns) * (cell.height() + kFigureGap));
        charts[i]->renderTo(painter, cell, isVector);
        painter.restore();
    }
}

Result<void> writePng(const Figure& figure, const QString& path) {
    QSaveFile file(path);
    if (!file.open(QIODevice::WriteOnly) || !figureImage(figure).save(&file, "PNG") || !file.commit())
        return tl::unexpected(ioError(path, file.errorString()));
    return {};
}

Result<void> writeSvg(const Figure& figure, const QString& path) {
    QSaveFile file(path);
    if (!file.open(QIODevice::WriteOnly)) return tl::unexpected(ioError(path, file.errorString()));
    QSvgGenerator generator;
    generator.setOutputDevice(&file);
    generator.setSize(figure.size);
    generator.setViewBox(QRect(QPoint(), figure.size));
    generator.setResolution(96);
    generator.setTitle(figure.title);
    QCPPainter painter(&generator);
    painter.setMode(QCPPainter::pmVectorized);
    figure.paint(painter, true);
    painter.end();
    if (!file.commit()) return tl::unexpected(ioError(path, file.errorString()));
    return {};
}

Result<void> writePdf(const Figure& figure, const QString& path) {
    QSaveFile file(path);
    if (!file.open(QIODevice::WriteOnly)) return tl::unexpected(ioError(path, file.errorString()));
    QPdfWriter writer(&file);
    writer.setCreator(QStringLiteral("Espalier"));
    writer.setTitle(figure.title);
    writer.setPageSize(QPageSize(QSizeF(figure.size) * kPointsPerPixel, QPageSize::Point));
    writer.setPageMargins(QMarginsF());
    writer.setResolution(96);
    QCPPainter painter(&writer);
    painter.setMode(QCPPainter::pmVectorized);
    figure.paint(painter, true);
    painter.end();
    if (!file.commit()) return tl::unexpected(ioError(path, file.errorString()));
    return {};
}

Result<void> writeCsv(const Figure& figure, const QString& path) {
    if (!figure.csv) return tl::unexpected(ioError(path, QStringLiteral("this figure has no numbers to list")));
    const QByteArray bytes = figure.csv();
    QSaveFile file(path);
    if (!file.open(QIODevice::WriteOnly) || file.write(bytes) != bytes.size() || !file.commit())
        return tl::unexpected(ioError(path, file.errorString()));
    return {};
}

}  // namespace

QString csvField(const QString& text) {
    if (!text.contains(u',') && !text.contains(u'"') && !text.contains(u'\n')) return text;
    return u'"' + QString(text).replace(u'"', QStringLiteral("\"\"")) + u'"';
}

QSize figureSize(const QVector<LossChart*>& charts, int columns) {
    QSize cell(480, 260);
    for (const LossChart* chart : charts) cell = cell.expandedTo(chart->size());
    const int rows = rowsOf(charts, columns);
    return {cell.width() * columns + kFigureGap * (columns - 1), cell.height() * rows + kFigureGap * (rows - 1)};
}

Result<void> writeFigure(const Figure& figure, const QString& path) {
    const QString suffix = QFileInfo(path).suffix().toLower();
    if (suffix == QStringLiteral("png")) return writePng(figure, path);
    if (suffix == QStringLiteral("svg")) return writeSvg(figure, path);
    if (suffix == QStringLiteral("pdf")) return writePdf(figure, path);
    if (suffix == QStringLiteral("csv")) return writeCsv(figure, path);
    return tl::unexpected(ioError(path, QStringLiteral("“%1” is no format for figures, use png, svg, pdf or csv").arg(suffix)));
}

QImage figureImage(const Figure& figure) {
    QImage image(figure.size * 2, QImage::Format_ARGB32_Premultiplied);
    image.setDevicePixelRatio(2);
    image.fill(ChartLook::forPaper().color(Color::Well));
    QCPPainter painter(&image);
    figure.paint(painter, false);
    return image;
}

QString askFigurePath(QWidget* parent, const QString& suggestedName) {
    QString filter;
    QString path = QFileDialog::getSaveFileName(
        parent, LossChart::tr("Export figure"), suggestedName + QStringLiteral(".pdf"),
        LossChart::tr("PDF (*.pdf);;SVG (*.svg);;PNG, two pixels for one (*.png);;CSV, every point (*.csv)"), &filter);
    if (!path.isEmpty() && QFileInfo(path).suffix().isEmpty()) path += u'.' + filter.section(QStringLiteral("*."), 1).section(u')', 0, 0);
    return path;
}

Result<void> exportCharts(const QVector<LossChart*>& charts, int columns, const QString& path) {
    columns = std::clamp(columns, 1, std::max(1, static_cast<int>(charts.size())));
    Figure figure;
    figure.title = charts.isEmpty() ? QString() : charts.front()->title();
    figure.size = figureSize(charts, columns);
    figure.paint = [&](QPainter& painter, bool isVector) { paintFigure(static_cast<QCPPainter&>(painter), charts, columns, isVector); };
    figure.csv = [&] {
        QByteArray bytes = "run,line,x,step,wall_secs,value\n";
        for (const LossChart* chart : charts) bytes += chart->csv().toUtf8();
        return bytes;
    };
    return writeFigure(figure, path);
}

QString askAndExport(QWidget* parent, const QVector<LossChart*>& charts, int columns, const QString& suggestedName, Error* failed) {
    const QString path = askFigurePath(parent, suggestedName);
    if (path.isEmpty()) return {};
    const Result<void> result = exportCharts(charts, columns, path);
    if (result) return path;
    if (failed) *failed = result.error();
    return {};
}

QString LossChart::csv() const {
    QString text;
    for (const auto& line : m_scene.lines) {
        if (!line->isVisible()) continue;
        const LineColumns view = line->columns();
        const Series* series = line->spec().series;
        const QString run = csvField(line->spec().toolTip.isEmpty() ? line->spec().run : line->spec().toolTip);
        const QString name = csvField(series ? series->name : m_title + u' ' + line->spec().label);
        for (std::size_t i = 0; i < view.size(); ++i) {
            text += run + u',' + name + u',' + format::copyText(view.key(i)) + u',' +
                    (series ? QString::number(series->steps[i]) : QString()) + u',' +
                    (series ? format::copyText(series->wallSecs[i]) : QString()) + u',' + format::copyText(view.values[i]) + u'\n';
        }
    }
    return text;
}

QString LossChart::readoutTable() const {
    QString text = QStringLiteral("line\tstep\tsmooth\traw\n");
    if (!m_scene.cursorKey) return {};
    for (const auto& line : m_scene.lines) {
        const auto reading = line->isVisible() ? line->readingAt(*m_scene.cursorKey, m_scene.tolerance) : std::nullopt;
        if (!reading) continue;
        text += line->spec().label + u'\t' + (reading->step >= 0 ? QString::number(reading->step) : QString()) + u'\t' +
                (line->isSmoothed() ? format::copyText(reading->smooth) : QString()) + u'\t' + format::copyText(reading->raw) + u'\n';
    }
    return text;
}

void LossChart::renderTo(QPainter& generic, const QSize& size, bool isVector) {
    auto& painter = static_cast<QCPPainter&>(generic);
    const ChartLook screen = m_scene.look;
    const auto cursor = std::exchange(m_scene.cursorKey, std::nullopt);
    const auto ring = std::exchange(m_scene.hasFocusRing, false);
    m_scene.look = ChartLook::forPaper();
    applyChartLook(m_plot, m_scene.look);
    const QRect header(0, 0, size.width(), metrics::kChartHeader);
    painter.fillRect(QRect(QPoint(), size), m_scene.look.color(Color::Well));
    painter.setFont(theme().font(Type::BodyStrong));
    painter.setPen(m_scene.look.color(Color::Text));
    painter.drawText(header, Qt::AlignVCenter | Qt::AlignLeft, m_title);
    const int titleWidth = painter.fontMetrics().horizontalAdvance(m_title) + 10;
    painter.setFont(theme().font(Type::Caption));
    painter.setPen(m_scene.look.color(Color::Text3));
    painter.drawText(header.adjusted(titleWidth, 0, 0, 0), Qt::AlignVCenter | Qt::AlignLeft, m_caption);
    const int captionWidth = titleWidth + painter.fontMetrics().horizontalAdvance(m_caption) + 12;
    QVector<LegendEntry> entries;
    const QMargins margins = m_plot->axisRect()->margins();
    const QVector<StrokeKind> strokes = legendStrokes(size.width() - margins.left() - margins.right());
    for (qsizetype i = 0; i < m_legend->entries().size(); ++i) {
        if (!m_legend->entries()[i].isVisible) continue;
        entries += m_legend->entries()[i];
        entries.back().stroke = strokes.value(i);
    }
    QVector<int> widths(entries.size(), 0);
    for (LegendEntry& entry : entries) entry.value.clear();  // a figure shows curves; values belong to its table
    ChartLegend::paintEntries(&painter, header.adjusted(captionWidth, 0, 0, 0), entries, widths, m_scene.look);
    painter.translate(0, header.height());
    if (isVector) painter.setMode(QCPPainter::pmVectorized);
    m_plot->toPainter(&painter, size.width(), size.height() - header.height());
    m_scene.look = screen;
    m_scene.cursorKey = cursor;
    m_scene.hasFocusRing = ring;
    applyChartTheme(m_plot);
    replot();
}

void LossChart::copyPicture() {
    const QSize size = figureSize({this}, 1);
    QImage image(size * 2, QImage::Format_ARGB32_Premultiplied);
    image.setDevicePixelRatio(2);
    {
        QCPPainter painter(&image);
        renderTo(painter, size, false);
    }
    QApplication::clipboard()->setImage(image);
}

void LossChart::fillMenu(QMenu& menu) {
    QAction* logY = menu.addAction(tr("Log scale on y"), this, [this] { setLogY(!m_isLogY); });
    logY->setCheckable(true);
    logY->setChecked(m_isLogY);
    if (m_group) {
        ChartGroup* group = m_group;
        QAction* logX = menu.addAction(tr("Log scale on x"), group, [group] { group->setLogX(!group->isLogX()); });
        logX->setCheckable(true);
        logX->setChecked(group->isLogX());
    }
    QAction* all = menu.addAction(tr("Show all points"), this, [this] { setShowsAll(!m_showsAll); });
    all->setCheckable(true);
    all->setChecked(m_showsAll);
    if (m_group) {
        menu.addSeparator();
        menu.addAction(tr("Zoom back"), m_group, &ChartGroup::zoomBack)->setEnabled(m_group->canGoBack());
        menu.addAction(tr("Reset zoom"), m_group, &ChartGroup::zoomReset)->setEnabled(m_group->isZoomed());
    }
    menu.addSeparator();
    menu.addAction(tr("Copy picture"), this, &LossChart::copyPicture);
    menu.addAction(tr("Copy values at the cursor"), this, [this] { QApplication::clipboard()->setText(readoutTable()); })->setEnabled(m_scene.cursorKey.has_value());
    menu.addAction(tr("Copy points as CSV"), this, [this] { QApplication::clipboard()->setText(QStringLiteral("run,line,x,step,wall_secs,value\n") + csv()); });
    if (m_group) menu.addAction(tr("Export chart…"), m_group, [this] { Q_EMIT m_group->exportRequested(this); });
}

}  // namespace espalier::widgets
