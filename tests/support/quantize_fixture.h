#pragma once

#include <QMouseEvent>

#include "app/pages/quantize_page.h"
#include "tests/support/page_fixture.h"
#include "tests/support/sample_runs.h"
#include "widgets/controls/key_value_list.h"
#include "widgets/plot/weight_views.h"

/// What the tests of the Quantize page do with the mouse and read from its lists.
namespace espalier::tests {

/// A trained run and the job that quantized it.
class QuantizeFixture : public PageFixture<app::QuantizePage> {
public:
    feed::RunInfo parent, job;
    QuantizeShape shape;

    bool start() {
        if (!PageFixture::start()) return false;
        parent = newRun(*workspace, "cct-s0", "70-compact-transformers");
        finishRun(*workspace, parent);
        job = makeQuantizeRun(*workspace, "flexround-s0", parent.id, shape);
        return true;
    }
    void clickPoint(int id) {
        auto* scatter = page->scatter();
        QTest::mouseClick(scatter, Qt::LeftButton, {}, scatter->positionOf(id).toPoint());
        settle();
    }
};

inline void moveMouse(QWidget* widget, const QPoint& to, Qt::MouseButtons buttons = Qt::NoButton) {
    QMouseEvent move(QEvent::MouseMove, to, widget->mapToGlobal(to), Qt::NoButton, buttons, Qt::NoModifier);
    QApplication::sendEvent(widget, &move);
}

inline QString valueOf(const widgets::KeyValueList* list, const QString& key) {
    for (const widgets::KeyValue& row : list->rows())
        if (row.key == key) return row.value;
    return QStringLiteral("no such row");
}

}  // namespace espalier::tests
