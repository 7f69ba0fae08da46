// Classes and sizes on the Data page: bars, chips, histogram.
#include <QHBoxLayout>
#include <QLabel>
#include <QMenu>
#include <QTreeView>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "app/pages/data_page.h"
#include "widgets/controls/bars.h"
#include "widgets/controls/chip.h"
#include "widgets/controls/section.h"
#include "widgets/controls/segmented_control.h"
#include "widgets/theme/format.h"

namespace espalier::app {

using namespace widgets;
using format::text;

namespace {

constexpr int kMostChips = 40;
constexpr int kQuietHeight = 64, kLowerHead = 66;

// Bins narrower than a byte would leave gaps between the sizes that can occur; then a bin takes whole bytes.
std::vector<feed::HistogramBin> wholeByteBins(std::vector<feed::HistogramBin> bins, const std::vector<feed::SampleInfo>& samples) {
    if (bins.size() < 2 || bins[0].high - bins[0].low >= 4) return bins;
    const auto [least, most] = std::minmax_element(samples.begin(), samples.end(), [](const auto& a, const auto& b) { return a.storedBytes < b.storedBytes; });
    if (least == samples.end()) return bins;
    const std::int64_t low = least->storedBytes, span = most->storedBytes - low + 1;
    const std::int64_t width = std::max<std::int64_t>(1, (span + 23) / 24);
    std::vector<feed::HistogramBin> whole(static_cast<std::size_t>((span + width - 1) / width));
    for (std::size_t i = 0; i < whole.size(); ++i) {
        whole[i].low = double(low + static_cast<std::int64_t>(i) * width);
        whole[i].high = whole[i].low + double(width);
    }
    for (const feed::SampleInfo& sample : samples) ++whole[static_cast<std::size_t>((sample.storedBytes - low) / width)].count;
    return whole;
}

std::int64_t mostBytes(const std::vector<feed::SampleInfo>& samples) {
    std::int64_t most = 0;
    for (const feed::SampleInfo& sample : samples) most = std::max<std::int64_t>(most, sample.storedBytes);
    return most;
}

}  // namespace

void DataPage::refreshClasses() {
    const feed::DatasetSummary* set = summary();
    m_classRows.resize(set->classes.size());
    std::iota(m_classRows.begin(), m_classRows.end(), 0);
    std::stable_sort(m_classRows.begin(), m_classRows.end(), [&](int a, int b) {
        return set->classes[static_cast<std::size_t>(a)].total() > set->classes[static_cast<std::size_t>(b)].total();
    });
    QVector<BarList::Row> rows;
    double most = 0, least = double(set->samples);
    int nameWidth = 40;
    const QFontMetrics body(theme().font(Type::Body));
    for (const int label : m_classRows) {
        const feed::ClassInfo& each = set->classes[static_cast<std::size_t>(label)];
        BarList::Row row{text(each.name), {double(each.counts[0]), double(each.counts[1]), double(each.counts[2])}, format::count(each.total())};
        nameWidth = std::max(nameWidth, body.horizontalAdvance(row.name) + 16);
        most = std::max(most, double(each.total()));
        least = std::min(least, double(each.total()));
        rows << row;
    }
    m_classBars->setNameWidth(std::min(nameWidth, 112));
    m_classBars->setRows(rows, most);
    m_classArea->setMaximumHeight(m_classBars->sizeHint().height() + 2);
    m_classHeader->setCaption(rows.isEmpty() ? tr("no labels") : rows.size() == 1 ? tr("one class, nothing to tell apart")
                              : least == most ? tr("%1, balanced").arg(rows.size())
                              : least > 0    ? tr("%1, imbalance %2 : 1").arg(rows.size()).arg(format::significant(most / least, 2))
                                             : tr("%1, one of them empty").arg(rows.size()));
}

void DataPage::refreshChips() {
    const feed::DatasetSummary* set = summary();
    auto* layout = static_cast<QHBoxLayout*>(m_chipHolder->layout());
    while (QLayoutItem* item = layout->takeAt(0)) {
        if (item->widget()) {
            item->widget()->hide();
            item->widget()->deleteLater();
        }
        delete item;
    }
    m_chips.clear();
    m_moreClasses = nullptr;
    if (set->classes.empty()) return;
    const auto add = [&](const QString& words, int label) {
        auto* chip = new Chip(words, Chip::Kind::Toggle, m_chipHolder);
        chip->setSizePolicy(QSizePolicy::Fixed, QSizePolicy::Fixed);
        chip->setChecked(m_grid->classFilter() == label);
        connect(chip, &Chip::clicked, this, [this, label] {
            m_grid->setClassFilter(label);
            // The chip under the mouse is one of those made anew.
            QMetaObject::invokeMethod(this, &DataPage::refreshChips, Qt::QueuedConnection);
        });
        m_chips << chip;
        return chip;
    };
    int room = std::max(120, m_chipHolder->width());
    const auto place = [&](QWidget* widget) {
        layout->addWidget(widget);
        widget->show();
        room -= widget->sizeHint().width() + layout->spacing();
    };
    place(add(tr("all"), -1));
    std::vector<int> rest;
    const int kMoreRoom = 76;
    for (const int label : m_classRows) {
        Chip* chip = static_cast<int>(m_chips.size()) > kMostChips ? nullptr : add(text(set->classes[static_cast<std::size_t>(label)].name), label);
        const bool isLast = label == m_classRows.back();
        if (chip && rest.empty() && room - chip->sizeHint().width() - layout->spacing() >= (isLast ? 0 : kMoreRoom)) {
            place(chip);
            continue;
        }
        if (chip) {
            m_chips.removeOne(chip);
            delete chip;
        }
        rest.push_back(label);
    }
    if (!rest.empty()) {
        auto* more = new Chip({}, Chip::Kind::Toggle, m_chipHolder);
        more->setSizePolicy(QSizePolicy::Fixed, QSizePolicy::Fixed);
        const bool isChosen = std::find(rest.begin(), rest.end(), m_grid->classFilter()) != rest.end();
        more->setText(isChosen ? text(set->classes[static_cast<std::size_t>(m_grid->classFilter())].name) : tr("%1 more").arg(rest.size()));
        more->setChecked(isChosen);
        connect(more, &Chip::clicked, this, [this, more, rest, set = *set] {
            QMenu menu;
            for (const int label : rest)
                menu.addAction(text(set.classes[static_cast<std::size_t>(label)].name), this, [this, label] { m_grid->setClassFilter(label); });
            menu.exec(more->mapToGlobal(QPoint(0, more->height())));
            refreshChips();
        });
        place(more);
    }
    layout->addStretch(1);
}

void DataPage::refreshHistogram() {
    const feed::DatasetSummary* set = summary();
    if (!set) return;
    const bool hasSides = !set->hasOneSize && !set->sizeHistogram.empty();
    m_sizeKind->setVisible(hasSides);
    const bool isBytes = !hasSides || m_sizeKind->currentIndex() == 0;
    std::vector<feed::HistogramBin> bins = isBytes ? set->byteHistogram : set->sizeHistogram;
    if (isBytes && m_samples) bins = wholeByteBins(std::move(bins), *m_samples);
    m_sizeHeader->setTitle(isBytes ? tr("File size") : tr("Picture size"));
    QString caption;
    const auto first = std::find_if(bins.begin(), bins.end(), [](const feed::HistogramBin& bin) { return bin.count > 0; });
    if (first != bins.end()) {
        const auto last = std::find_if(bins.rbegin(), bins.rend(), [](const feed::HistogramBin& bin) { return bin.count > 0; });
        if (bins.back().count == 0 && first->count == set->samples) caption = isBytes ? tr("%1 each").arg(format::bytes(std::llround(first->low))) : tr("%1 px each").arg(std::llround(first->low));
        else caption = isBytes ? tr("%1 to %2").arg(format::bytes(std::llround(first->low)), format::bytes(isBytes && m_samples ? mostBytes(*m_samples) : std::llround(last->high)))
                          : tr("larger side, %1 to %2 px").arg(std::llround(first->low)).arg(std::llround(last->high));
    }
    if (!set->sizes.empty() && set->hasOneSize) caption += tr("; all are %1").arg(text(set->sizes.front().first));
    m_sizeHeader->setCaption(caption);
    // One bar says no more than the caption.
    m_histogram->setVisible(std::count_if(bins.begin(), bins.end(), [](const feed::HistogramBin& bin) { return bin.count > 0; }) > 1);
    m_histogram->setBins(bins, m_samples ? (isBytes ? m_medianBytes : m_medianSide) : NAN, isBytes);
}

// What there is to report takes the room it needs; the rest goes to the samples.
void DataPage::fitLowerParts() {
    const feed::DatasetSummary* set = summary();
    const bool hasPairs = set->nearDuplicatePairs > 0 || !set->exactGroups.empty();
    int needed = theme().scaled(kQuietHeight);
    if (!set->warnings.empty()) {
        needed = theme().scaled(kLowerHead);
        constexpr int kMostMeasured = 40;
        const int rows = m_warnings->rowCount();
        for (int row = 0; row < std::min(rows, kMostMeasured); ++row) needed += m_warningView->sizeHintForIndex(m_warnings->index(row, 1)).height();
        if (rows > kMostMeasured) needed = QWIDGETSIZE_MAX;
    }
    for (QWidget* part : {m_warningPart, m_duplicatePart}) part->setMaximumHeight(hasPairs ? QWIDGETSIZE_MAX : needed);
}

}  // namespace espalier::app
