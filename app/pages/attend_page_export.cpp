// What leaves the Attend page as a file or on the clipboard, and which keys it has.
#include <QApplication>
#include <QClipboard>
#include <QMenu>

#include "app/pages/attend_page.h"
#include "app/shell/error_presenter.h"
#include "widgets/controls/segmented_control.h"
#include "widgets/heatmap/attention_map.h"
#include "widgets/heatmap/head_wall.h"
#include "widgets/plot/chart_export.h"
#include "widgets/plot/loss_chart.h"
#include "widgets/theme/format.h"

namespace espalier::app {

using namespace widgets;
using format::text;

Figure AttendPage::mapAsFigure() const {
    MapPicture picture;
    const bool isRow = m_readOut == ReadOut::HeadRow;
    const QString titles[] = {tr("Layer %1, head %2").arg(m_layer + 1).arg(m_head + 1), tr("Pooling"), tr("Rollout"), tr("Class contribution")};
    picture.title = titles[static_cast<int>(m_readOut)];
    const QString what = isRow ? (m_isReceived ? tr("who looks at %1").arg(tokenName(m_query)) : tr("row of %1").arg(tokenName(m_query)))
                         : m_readOut == ReadOut::Class ? tr("to the logit of %1").arg(className(shownClass())) : QString();
    picture.caption = what.isEmpty() ? momentName(m_snapshot) : what + QStringLiteral(", ") + momentName(m_snapshot);
    picture.overlay = m_map->picture(2);
    picture.weights = m_shown;
    picture.grid = m_index.grid;
    picture.range = HeatRange::of(m_shown, m_readOut == ReadOut::Class);
    return mapFigure(std::move(picture));
}

Figure AttendPage::wallAsFigure() const {
    return wallFigure(m_now, m_index.grid, m_index.probes[static_cast<std::size_t>(m_probe)].image.size(), m_query, m_isReceived, m_rangeControl->currentIndex() == 1, tr("All heads"),
                      tr("%1, %2").arg(m_isReceived ? tr("who looks at %1").arg(tokenName(m_query)) : tr("row of %1").arg(tokenName(m_query)), momentName(m_snapshot)));
}

QString AttendPage::suggestedName() const {
    const feed::RunInfo* info = context().bridge->run(m_run);
    const QString kind = m_readOut == ReadOut::HeadRow ? QStringLiteral("l%1h%2").arg(m_layer + 1).arg(m_head + 1) : m_readOutControl->currentText().toLower();
    return QString((info ? text(info->name) : m_run) + u'-' + kind).replace(u'/', u'-').replace(u' ', u'-');
}

void AttendPage::fillExportMenu(QMenu& menu) {
    const bool hasMaps = !m_index.isEmpty() && m_now.snapshot >= 0;
    menu.addAction(tr("This map…"), this, &AttendPage::exportFigure)->setEnabled(hasMaps);
    menu.addAction(tr("All heads…"), this, [this] { exportAndTell(context(), wallAsFigure(), suggestedName() + QStringLiteral("-heads"), chooseFile); })->setEnabled(hasMaps);
    menu.addAction(tr("Entropy and distance…"), this, &AttendPage::exportCurves)->setEnabled(hasMaps);
    menu.addSeparator();
    menu.addAction(tr("Copy this map as a picture"), this, &AttendPage::copyMap)->setEnabled(hasMaps);
}

void AttendPage::copyMap() {
    if (m_map->picture().isNull()) return;
    QApplication::clipboard()->setImage(m_map->picture(2));
    if (context().errors) context().errors->toast(tr("Map copied"), {}, QStringLiteral("copy"));
}

QString AttendPage::copyPicture() {
    const QWidget* focused = QApplication::focusWidget();
    const bool isCurve = focused && m_chartsPart->isAncestorOf(focused);
    if (isCurve || m_index.isEmpty() || m_now.snapshot < 0) return Page::copyPicture();
    const Figure figure = m_wall->hasFocus() ? wallAsFigure() : mapAsFigure();
    QApplication::clipboard()->setImage(figureImage(figure));
    return figure.title;
}

QVector<KeyHelp> AttendPage::keyHelp() const {
    return {{tr("1 to 4"), tr("read-out: head row, pooling, rollout, class")},
            {tr("L, Shift+L"), tr("next or previous layer")},
            {tr("H, Shift+H"), tr("next or previous head")},
            {tr("N, Shift+N"), tr("next or previous image")},
            {tr("[, ]"), tr("one snapshot back or forth")},
            {tr("Space"), tr("play through training")},
            {tr("Arrows"), tr("on the map: query token; on the heads: layer and head")},
            {tr("C"), tr("ask with the class token")},
            {tr("O"), tr("map over the image")},
            {tr("G"), tr("token centres")},
            {tr("Ctrl+C"), tr("copy the map as a picture")}};
}

void AttendPage::exportCurves() {
    const QString path = chooseFile(suggestedName() + QStringLiteral("-heads-over-time"));
    if (path.isEmpty()) return;
    const auto written = exportCharts({m_entropy, m_distance}, 2, path);
    if (!context().errors) return;
    if (written) context().errors->toast(tr("Figure written"), path, QStringLiteral("export"));
    else context().errors->show(written.error());
}

void AttendPage::exportFigure() {
    if (!m_index.isEmpty() && m_now.snapshot >= 0) exportAndTell(context(), mapAsFigure(), suggestedName(), chooseFile);
}

}  // namespace espalier::app
