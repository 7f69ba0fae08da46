#pragma once

#include <QSize>
#include <QString>
#include <QStringList>

#include "engine/base/result.h"
#include "widgets/theme/theme.h"

namespace espalier::app {

class MainWindow;
struct AppContext;

/// Renders every page at 1440×900 and 1280×720 in dark and light, and Train in high contrast, as PNG files named
/// "train-dark.png" or "train-1280x720-dark.png". Works offscreen; waits until each page has settled.
class Screenshots {
public:
    Screenshots(AppContext& context, MainWindow& window, QString folder);
    /// Names of the files written.
    Result<QStringList> run();

private:
    Result<void> take(const QString& key, QSize size, widgets::ThemeKind kind);
    void choose(const QString& key);
    bool settle(int mostMs);
    QString preferredRun(bool isQuantizer) const;

    AppContext& m_context;
    MainWindow& m_window;
    QString m_folder;
    QStringList m_written;
};

}  // namespace espalier::app
