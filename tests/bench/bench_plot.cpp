// 100 series of 400,000 points in one chart of 886×370: first picture (from bare columns to pixels), then one frame of
// panning and of zooming. Run with QT_QPA_PLATFORM=offscreen.
#include <benchmark/benchmark.h>

#include <QApplication>

#include <cmath>
#include <memory>
#include <random>
#include <vector>

#include "widgets/plot/chart_group.h"
#include "widgets/plot/loss_chart.h"
#include "widgets/plot/qcp.h"
#include "widgets/theme/theme.h"

using namespace espalier::widgets;

namespace {

constexpr int kSeries = 100;
constexpr std::size_t kPoints = 400000;

const std::vector<std::unique_ptr<Series>>& data() {
    static const auto all = [] {
        std::vector<std::unique_ptr<Series>> series;
        std::mt19937_64 random(1);
        for (int s = 0; s < kSeries; ++s) {
            auto one = std::make_unique<Series>();
            one->steps.resize(kPoints);
            one->values.resize(kPoints);
            one->wallSecs.resize(kPoints);
            for (std::size_t i = 0; i < kPoints; ++i) {
                one->steps[i] = static_cast<std::int64_t>(i);
                one->wallSecs[i] = static_cast<double>(i) * 0.1;
                const double noise = static_cast<double>(random() % 1000) / 1000.0 - 0.5;
                one->values[i] = 0.3 + 0.01 * s + 2 * std::exp(-static_cast<double>(i) / 60000.0) + 0.3 * noise;
            }
            series.push_back(std::move(one));
        }
        return series;
    }();
    return all;
}

struct Scene {
    QWidget page;
    ChartGroup group{&page};
    LossChart chart{QStringLiteral("Loss"), {}, &page};
    Scene() {
        page.resize(886, 396);
        chart.resize(886, 396);
        page.setAttribute(Qt::WA_DontShowOnScreen);
        page.show();
        group.setSmoothing(400);
        group.add(&chart);
    }
    void fill() {
        std::vector<LineSpec> lines;
        for (int s = 0; s < kSeries; ++s) {
            LineSpec spec;
            spec.id = QString::number(s);
            spec.label = spec.id;
            spec.colorIndex = s;
            spec.role = LineRole::Smoothed;
            spec.isFocused = s == 0;
            spec.series = data()[static_cast<std::size_t>(s)].get();
            lines.push_back(std::move(spec));
        }
        chart.setLines(std::move(lines));
        group.updateNow();
        paint();
    }
    void paint() { chart.plot()->replot(QCustomPlot::rpImmediateRefresh); }
};

void firstPicture(benchmark::State& state) {
    data();
    for (auto _ : state) {
        state.PauseTiming();
        auto scene = std::make_unique<Scene>();
        state.ResumeTiming();
        scene->fill();
        state.PauseTiming();
        scene.reset();
        state.ResumeTiming();
    }
}

void panFrame(benchmark::State& state) {
    Scene scene;
    scene.fill();
    scene.group.zoomTo({50000, 300000}, &scene.chart, AxisRange{0, 3});
    double shift = 0;
    for (auto _ : state) {
        shift = std::fmod(shift + 701, 80000);
        scene.group.zoomBy({50000 + shift, 300000 + shift});
        scene.paint();
    }
}

void zoomFrame(benchmark::State& state) {
    Scene scene;
    scene.fill();
    double width = 400000;
    for (auto _ : state) {
        width = width < 500 ? 400000 : width * 0.9;
        scene.group.zoomBy({200000 - width / 2, 200000 + width / 2}, &scene.chart, AxisRange{0, 3});
        scene.paint();
    }
}

BENCHMARK(firstPicture)->Unit(benchmark::kMillisecond)->UseRealTime()->Iterations(5);
BENCHMARK(panFrame)->Unit(benchmark::kMillisecond)->UseRealTime()->Iterations(200);
BENCHMARK(zoomFrame)->Unit(benchmark::kMillisecond)->UseRealTime()->Iterations(200);

}  // namespace

int main(int argc, char** argv) {
    QApplication application(argc, argv);
    theme().install(application);
    benchmark::Initialize(&argc, argv);
    benchmark::RunSpecifiedBenchmarks();
    return 0;
}
