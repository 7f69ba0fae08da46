#pragma once

// The only place that includes QCustomPlot. Its header uses Qt's lower-case keywords, which the rest of the program
// switches off; they exist between these lines only.
#define signals Q_SIGNALS
#define slots Q_SLOTS
#define emit
#define foreach(variable, container) for (variable : container)
#include <qcustomplot.h>
#undef signals
#undef slots
#undef emit
#undef foreach
