#pragma once

#include <QObject>
#include <QString>
#include <QStringList>

namespace espalier::app {

/// What a page can ask of the window. The window connects to these signals; a page calls the functions.
class Commands : public QObject {
    Q_OBJECT
public:
    using QObject::QObject;

    /// Opens the New-run window; every argument may be empty.
    void newRun(const QString& recipe = {}, const QString& dataset = {}, const QString& parentRun = {}) {
        Q_EMIT newRunRequested(recipe, dataset, parentRun);
    }
    /// Starts one import of these paths and shows its job.
    void importPaths(const QStringList& paths) { Q_EMIT importRequested(paths); }
    /// Asks for files (folder = false) or a folder, then imports.
    void chooseFiles() { Q_EMIT chooseFilesRequested(); }
    /// "train", "attend", "quantize", "compare", "data".
    void openPage(const QString& key) { Q_EMIT pageRequested(key); }
    void openSample() { Q_EMIT sampleRequested(); }
    /// Runs of this data set or tag: puts a text into the navigator's filter.
    void filterRuns(const QString& expression) { Q_EMIT filterRequested(expression); }

Q_SIGNALS:
    void newRunRequested(const QString& recipe, const QString& dataset, const QString& parentRun);
    void importRequested(const QStringList& paths);
    void chooseFilesRequested();
    void pageRequested(const QString& key);
    void sampleRequested();
    void filterRequested(const QString& expression);
};

}  // namespace espalier::app
