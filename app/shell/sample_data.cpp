#include "app/shell/sample_data.h"

#include <QCoreApplication>
#include <QDir>
#include <QFileInfo>
#include <QStringList>

namespace espalier::app {

QString sampleFile(const QString& name) {
    QDir folder(QCoreApplication::applicationDirPath());
    // bin/ of an installation, or any depth of a build folder inside the source tree.
    for (int level = 0; level < 6; ++level) {
        for (const QString& place : {QStringLiteral("share/espalier/samples/"), QStringLiteral("resources/samples/")}) {
            const QString path = folder.filePath(place + name);
            if (QFileInfo(path).isFile()) return path;
        }
        if (!folder.cdUp()) break;
    }
    return {};
}

}  // namespace espalier::app
