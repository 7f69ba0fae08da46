#pragma once

#include <QLineEdit>

#include "engine/api/params.h"

namespace espalier::app {

/// Line for one number: takes "5.5e-4" as well as "0.00055", shows unit and two arrows inside at the right. Up, Down
/// and the arrows step, by factors where the range spreads over decades.
class NumberField : public QLineEdit {
    Q_OBJECT
public:
    NumberField(const api::ParamSpec& spec, QWidget* parent = nullptr);
    void stepBy(int steps);

Q_SIGNALS:
    void stepped();

protected:
    void paintEvent(QPaintEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;

private:
    QRect arrowRect(bool isUp) const;
    api::ParamSpec m_spec;
};

/// A number the way people write it: "5.5e-4", "0.1", "5,000" (only for reading, never for fields).
QString shownNumber(double value, bool isLog);
/// Text that a field shows for a value; reading it back gives the same value.
QString shownValue(const api::ParamSpec& spec, const api::ParamValue& value);

}  // namespace espalier::app
