#include "app/pages/page.h"

#include <QApplication>

#include "widgets/plot/loss_chart.h"
#include "widgets/plot/painted_chart.h"

namespace espalier::app {

namespace {

/// The title of what was copied; empty when `widget` is no chart.
QString copyChart(QWidget* widget) {
    if (auto* chart = qobject_cast<widgets::LossChart*>(widget)) {
        chart->copyPicture();
        return chart->title();
    }
    if (auto* chart = qobject_cast<widgets::PaintedChart*>(widget)) {
        chart->copyPicture();
        return chart->figureTitle().isEmpty() ? Page::tr("Chart") : chart->figureTitle();
    }
    return {};
}

}  // namespace

QString Page::copyPicture() {
    for (QWidget* widget = QApplication::focusWidget(); widget && isAncestorOf(widget); widget = widget->parentWidget())
        if (const QString title = copyChart(widget); !title.isEmpty()) return title;
    // Where no chart has the focus, the first one is meant.
    for (QWidget* widget : findChildren<QWidget*>())
        if (widget->isVisible())
            if (const QString title = copyChart(widget); !title.isEmpty()) return title;
    return {};
}

}  // namespace espalier::app
