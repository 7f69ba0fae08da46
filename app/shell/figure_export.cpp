#include "app/shell/figure_export.h"

#include <QCoreApplication>
#include <QFile>
#include <QFileInfo>
#include <QHBoxLayout>
#include <QWidget>

#include <memory>
#include <vector>

#include "engine/feed/metric_names.h"
#include "widgets/plot/chart_export.h"
#include "widgets/plot/chart_group.h"
#include "widgets/plot/loss_chart.h"

namespace espalier::app {
namespace {

using widgets::LineRole;
using widgets::LineSpec;

/// Series of one run and the lines over them; the series live as long as this.
class Curves {
public:
    Curves(runtime::Workspace& workspace, const feed::RunInfo& run) : m_workspace(workspace), m_run(run) {}

    Result<void> add(std::vector<LineSpec>& lines, std::string_view name, LineRole role, const QString& label) {
        auto columns = m_workspace.readSeries(m_run.id, std::string(name));
        if (!columns || columns->values.empty()) return {};  // not every run has every series
        auto series = std::make_unique<widgets::Series>();
        series->run = QString::fromStdString(m_run.id);
        series->name = QString::fromUtf8(name.data(), qsizetype(name.size()));
        widgets::SeriesStore::mergeLogged(*series, std::move(*columns));
        LineSpec line;
        line.run = series->run;
        line.id = line.run + u'/' + series->name;
        line.label = label;
        line.colorIndex = m_run.colorIndex;
        line.role = role;
        line.series = series.get();
        m_series.push_back(std::move(series));
        lines.push_back(std::move(line));
        return {};
    }

private:
    runtime::Workspace& m_workspace;
    const feed::RunInfo& m_run;
    std::vector<std::unique_ptr<widgets::Series>> m_series;
};

}  // namespace

Result<void> exportRunFigure(runtime::Workspace& workspace, const QString& runText, const QString& format, const QString& path) {
    if (format != QStringLiteral("svg") && format != QStringLiteral("pdf") && format != QStringLiteral("png"))
        return fail(ErrorCode::BadInput, "\"" + format.toStdString() + "\" is not svg, pdf or png", "--format");
    ESPALIER_TRY(const auto run, workspace.findRun(runText.toStdString()));
    Curves curves(workspace, run);
    std::vector<LineSpec> loss, accuracy;
    using namespace feed;
    ESPALIER_CHECK_OK(curves.add(loss, names::kTrainLoss, LineRole::Smoothed, QStringLiteral("train")));
    ESPALIER_CHECK_OK(curves.add(loss, names::kValidLoss, LineRole::Valid, QStringLiteral("valid")));
    ESPALIER_CHECK_OK(curves.add(accuracy, names::kTrainTop1, LineRole::Plain, QStringLiteral("train")));
    ESPALIER_CHECK_OK(curves.add(accuracy, names::kValidTop1, LineRole::Valid, QStringLiteral("valid")));
    if (loss.empty()) return fail(ErrorCode::NotFound, "has no loss curve to draw", run.name, "Choose a run that trained");

    QWidget page;
    page.setAttribute(Qt::WA_DontShowOnScreen);
    page.resize(960, 360);
    auto* row = new QHBoxLayout(&page);
    widgets::ChartGroup group(&page);
    widgets::LossChart lossChart(QStringLiteral("Loss"), QStringLiteral("cross entropy, nats"), &page);
    widgets::LossChart accuracyChart(QStringLiteral("Top-1"), {}, &page);
    QVector<widgets::LossChart*> charts{&lossChart};
    lossChart.setLines(std::move(loss));
    if (!accuracy.empty()) {
        accuracyChart.setLines(std::move(accuracy));
        charts << &accuracyChart;
    } else {
        accuracyChart.hide();
    }
    for (auto* chart : charts) {
        row->addWidget(chart);
        group.add(chart);
    }
    // Laid out as on a screen: axes choose their labels by the room there is.
    page.show();
    QCoreApplication::processEvents();
    group.updateNow();
    // The suffix decides the format: a path without one is written beside and renamed.
    const bool hasSuffix = QFileInfo(path).suffix().compare(format, Qt::CaseInsensitive) == 0;
    const QString target = hasSuffix ? path : path + u'.' + format;
    ESPALIER_CHECK_OK(widgets::exportCharts(charts, int(charts.size()), target));
    if (hasSuffix) return {};
    QFile::remove(path);
    if (!QFile::rename(target, path)) return fail(ErrorCode::Io, "could not be written", path.toStdString(), "Choose another place");
    return {};
}

}  // namespace espalier::app
