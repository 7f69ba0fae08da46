#include "app/pages/run_names.h"

#include <QSet>

#include <algorithm>

namespace espalier::app {

QStringList shortRunNames(const QStringList& names, int words) {
    QList<QStringList> parts;
    qsizetype common = std::numeric_limits<qsizetype>::max();
    for (const QString& name : names) {
        parts += name.split(u'-');
        qsizetype same = 0;
        while (same < parts.back().size() && same < parts.front().size() && parts.back()[same] == parts.front()[same]) ++same;
        common = std::min(common, same);
    }
    // The same words go from every name, so that what is left can be compared.
    qsizetype first = common;
    for (const QStringList& part : parts) first = std::min(first, std::max<qsizetype>(0, part.size() - words));
    QStringList result;
    for (const QStringList& part : parts) result += part.mid(first).join(u'-');
    if (QSet<QString>(result.begin(), result.end()).size() != names.size()) return names;
    return result;
}

}  // namespace espalier::app
