#pragma once

#include <QStringList>

namespace espalier::app {

/// What is left of run names once the words they all begin with are taken away: "F-s1" and "F-s0" of "cct7-3x1-F-s1"
/// and "cct7-3x1-F-s0". `words` at least stay, as far as the name has them. Names that would become equal stay whole.
QStringList shortRunNames(const QStringList& names, int words);

}  // namespace espalier::app
