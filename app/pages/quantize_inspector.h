#pragma once

#include <QWidget>

#include "app/pages/quantize_data.h"

class QLabel;
class QPushButton;

namespace espalier::widgets {
class ElidedLabel;
class FlowLayout;
class KeyValueList;
class Reading;
class Section;
}  // namespace espalier::widgets

namespace espalier::app {

/// Inspector of the Quantize page: the chosen point with its exact bytes, the chosen layer, the smallest points near
/// the base, and the export of the model. GUI thread; shows what it is told.
class QuantizeInspector : public QWidget {
    Q_OBJECT
public:
    explicit QuantizeInspector(QWidget* parent = nullptr);

    void setPoint(const QuantizeData& data, const feed::TradeoffPoint* point);
    /// `title`: the layer as a person reads it. Shares of weights that moved 1 and 2 or more levels; NaN = not logged.
    void setLayer(const QuantizeData& data, const feed::TradeoffPoint* point, const feed::TradeoffLayer* layer, const QString& title, double moved1, double moved2);
    void setExporting(bool isExporting);
    QPushButton* exportButton() const { return m_export; }
    const widgets::KeyValueList* bytes() const { return m_bytes; }
    const widgets::KeyValueList* layer() const { return m_layer; }

Q_SIGNALS:
    void exportRequested();
    void pointPicked(int id);

private:
    class MarkView;
    class NearRows;
    MarkView* m_mark;
    NearRows* m_near;
    widgets::ElidedLabel* m_name;
    widgets::FlowLayout* m_chips;
    widgets::Reading *m_metric, *m_size;
    widgets::KeyValueList *m_losses, *m_bytes, *m_layer;
    widgets::Section *m_lossSection, *m_byteSection, *m_layerSection, *m_nearSection;
    QPushButton* m_export;
    QStringList m_chipState;
};

}  // namespace espalier::app
