#pragma once

#include <QApplication>
#include <QImage>

#include <cmath>
#include <memory>
#include <random>
#include <vector>

#include "widgets/plot/chart_group.h"
#include "widgets/plot/loss_chart.h"
#include "widgets/plot/qcp.h"

namespace espalier::tests {

using widgets::ChartGroup;
using widgets::LineRole;
using widgets::LineSpec;
using widgets::LossChart;
using widgets::Series;

/// A page of 320×200 with one chart of one line whose pixels can be read.
struct Page {
    QWidget page;
    ChartGroup group{&page};
    LossChart chart{QStringLiteral("Loss"), QStringLiteral("nats"), &page};
    std::vector<std::unique_ptr<Series>> series;
    std::vector<LineSpec> specs;

    explicit Page(QSize size = {320, 200}) {
        page.resize(size);
        chart.resize(size);
        group.add(&chart);
        page.show();
        chart.show();
    }
    LineSpec& add(const QString& id, int color, LineRole role, const std::vector<double>& values, std::int64_t stride = 1) {
        auto one = std::make_unique<Series>();
        one->run = id.section(u'/', 0, 0);
        one->name = QStringLiteral("train/loss");
        for (std::size_t i = 0; i < values.size(); ++i) {
            one->steps.push_back(static_cast<std::int64_t>(i) * stride);
            one->wallSecs.push_back(1000.0 + static_cast<double>(i));
        }
        one->values = values;
        LineSpec spec;
        spec.id = id;
        spec.run = one->run;
        spec.label = id;
        spec.colorIndex = color;
        spec.role = role;
        spec.series = one.get();
        series.push_back(std::move(one));
        specs.push_back(spec);
        return specs.back();
    }
    void finish() {
        chart.setLines(specs);
        group.updateNow();
        QCoreApplication::processEvents();
        chart.plot()->replot();
    }
    QImage picture() {
        chart.plot()->replot();
        return chart.grab().toImage().convertToFormat(QImage::Format_RGB32);
    }
};

/// A falling curve under noise, the same for the same seed.
inline std::vector<double> noise(std::size_t count, unsigned seed = 5) {
    std::mt19937 random(seed);
    std::normal_distribution<double> normal(0, 0.15);
    std::vector<double> values;
    for (std::size_t i = 0; i < count; ++i)
        values.push_back(0.6 + 2.0 * std::exp(-4.0 * static_cast<double>(i) / static_cast<double>(count)) + normal(random));
    return values;
}

}  // namespace espalier::tests
