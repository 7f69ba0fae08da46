#pragma once

#include <QColor>
#include <QWidget>

#include <functional>

namespace espalier::widgets {

/// The colours of a map, low to high, as a small bar. GUI thread.
class ColorBar : public QWidget {
    Q_OBJECT
public:
    ColorBar(QSize size, QWidget* parent);
    void setSigned(bool isSigned);
    /// Other colours for magnitudes than viridis; takes 0 … 1.
    void setUnsignedColors(std::function<QColor(double)> colors);

protected:
    void paintEvent(QPaintEvent*) override;

private:
    std::function<QColor(double)> m_colors;
    bool m_isSigned = false;
};

}  // namespace espalier::widgets
