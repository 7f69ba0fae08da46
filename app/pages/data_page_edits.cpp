// What the Data page changes and writes: the split, with undo, and the list of samples.
#include <QFileDialog>
#include <QLabel>
#include <QSaveFile>
#include <QSpinBox>

#include <cmath>

#include "app/pages/data_page.h"
#include "app/shell/error_presenter.h"
#include "widgets/controls/bars.h"
#include "widgets/controls/controls.h"
#include "widgets/theme/format.h"

namespace espalier::app {

using namespace widgets;
using format::text;

namespace {

// A new split of a data set; the old one comes back by its own fractions and seed.
class SplitEdit : public QUndoCommand {
public:
    using Write = std::function<void(const std::array<double, 3>&, std::int64_t seed)>;
    struct Deal {
        std::array<double, 3> fractions;
        std::int64_t seed;
    };
    SplitEdit(const QString& name, Deal before, Deal after, Write write)
        : QUndoCommand(DataPage::tr("split of %1").arg(name)), m_before(before), m_after(after), m_write(std::move(write)) {}
    void undo() override { m_write(m_before.fractions, m_before.seed); }
    void redo() override { m_write(m_after.fractions, m_after.seed); }

private:
    Deal m_before, m_after;
    Write m_write;
};

QString csvField(const QString& value) {
    if (!value.contains(u',') && !value.contains(u'"') && !value.contains(u'\n') && !value.contains(u'\r')) return value;
    QString inner = value;
    inner.replace(u'"', QStringLiteral("\"\""));
    return u'"' + inner + u'"';
}

}  // namespace

void DataPage::resplit(const std::array<double, 3>& fractions, std::int64_t seed) {
    const feed::DatasetSummary* set = summary();
    if (!set || set->splitKind == "folders") return;
    const auto write = [page = QPointer<DataPage>(this), id = m_dataset](const std::array<double, 3>& wanted, std::int64_t with) {
        if (page) page->writeSplit(id, wanted, with);
    };
    // Shares in steps of a thousandth that sum to 1: what the bar shows is what is written.
    std::array<double, 3> rounded{std::round(fractions[0] * 1000) / 1000, std::round(fractions[1] * 1000) / 1000, 0};
    rounded[2] = std::max(0.0, std::round((1 - rounded[0] - rounded[1]) * 1000) / 1000);
    auto* edit = new SplitEdit(text(set->name), {set->splitFractions, set->splitSeed}, {rounded, seed}, write);
    if (context().undo) {
        context().undo->push(edit);
    } else {
        edit->redo();
        delete edit;
    }
}

void DataPage::writeSplit(const QString& dataset, const std::array<double, 3>& fractions, std::int64_t seed) {
    m_isResplitting = true;
    m_split->setEditable(false);
    m_seed->setEnabled(false);
    m_splitHint->setText(tr("dealing anew…"));
    context().bridge->reads().run(
        this, QStringLiteral("resplit"),
        [workspace = context().workspace, id = dataset.toStdString(), fractions, seed] { return workspace->resplit(id, fractions, seed); },
        [this](Result<feed::DatasetSummary> written) {
            m_isResplitting = false;
            if (!written && context().errors) context().errors->show(written.error());
            const feed::DatasetSummary* shown = summary();
            // A new hash comes with the catalog and refreshes the page; until then the bar stays as it was let go.
            if (!written || !shown || written->hash == shown->hash) refresh();
            context().bridge->refreshCatalog();
        });
}

Result<void> DataPage::exportCsv(const QString& path) const {
    if (!m_samples) return fail(ErrorCode::NotFound, "The samples are still being read", path.toStdString(), "Try again in a moment");
    QSaveFile file(path);
    QByteArray lines("index,file,class,split,width,height,channels,bytes\n");
    for (const feed::SampleInfo& sample : *m_samples) {
        lines += QByteArray::number(static_cast<qlonglong>(sample.index)) + ',' + csvField(text(sample.source)).toUtf8() + ',' + csvField(className(sample.label)).toUtf8() + ',' +
                 feed::splitName(sample.split) + ',' + QByteArray::number(sample.width) + ',' + QByteArray::number(sample.height) + ',' + QByteArray::number(sample.channels) + ',' +
                 QByteArray::number(static_cast<qlonglong>(sample.storedBytes)) + '\n';
    }
    if (!file.open(QIODevice::WriteOnly) || file.write(lines) != lines.size() || !file.commit())
        return fail(ErrorCode::Io, "The list of samples could not be written: " + file.errorString().toStdString(), path.toStdString(), "Choose another folder");
    return {};
}

void DataPage::exportSamples() {
    const feed::DatasetSummary* set = summary();
    if (!set) return;
    const QString path = QFileDialog::getSaveFileName(this, tr("Write the list of samples"), text(set->name) + QStringLiteral("-samples.csv"), tr("CSV (*.csv)"));
    if (path.isEmpty()) return;
    const auto written = exportCsv(path);
    if (!context().errors) return;
    if (written) context().errors->toast((set->samples == 1 ? tr("1 sample written") : tr("%1 samples written").arg(format::count(set->samples))), path, QStringLiteral("check"));
    else context().errors->show(written.error());
}

}  // namespace espalier::app
