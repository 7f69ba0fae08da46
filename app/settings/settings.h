#pragma once

#include <QByteArray>
#include <QJsonObject>
#include <QObject>
#include <QSettings>
#include <QStringList>

#include <optional>

#include "widgets/theme/theme.h"

namespace espalier::app {

/// Typed settings and session in one INI file of the user's configuration folder. Written at once; a broken or newer
/// file is read as far as it makes sense.
class Settings : public QObject {
    Q_OBJECT
public:
    /// An empty file name takes the user's own file.
    explicit Settings(const QString& file = {}, QObject* parent = nullptr);

    widgets::ThemeKind themeKind() const;
    void setThemeKind(widgets::ThemeKind kind);
    bool isMotionReduced() const;
    void setMotionReduced(bool isReduced);
    double textScale() const;  ///< 1, 1.25, 1.5 or 2
    void setTextScale(double scale);

    /// Keys of an action that the user changed; nothing when it keeps its own. An empty list means: no key.
    std::optional<QStringList> keys(const QString& action) const;
    void setKeys(const QString& action, const std::optional<QStringList>& keys);

    QStringList recentWorkspaces() const;  ///< newest first, at most ten
    void addRecentWorkspace(const QString& folder);
    void clearRecentWorkspaces();
    QStringList recentFiles() const;  ///< imported paths, newest first, at most ten
    void addRecentFile(const QString& path);
    void clearRecentFiles();

    // Session
    QByteArray geometry() const;
    QByteArray docks() const;  ///< empty when it was saved by another layout version
    void setWindow(const QByteArray& geometry, const QByteArray& docks);
    QString page() const;
    void setPage(const QString& key);
    QJsonObject pageState(const QString& key) const;
    void setPageState(const QString& key, const QJsonObject& state);
    /// Selection belongs to a workspace folder.
    QJsonObject workspaceState(const QString& folder) const;
    void setWorkspaceState(const QString& folder, const QJsonObject& state);
    QString file() const { return m_settings.fileName(); }

Q_SIGNALS:
    void keysChanged();

private:
    void addRecent(const QString& list, const QString& path);
    QJsonObject object(const QString& key) const;
    void setObject(const QString& key, const QJsonObject& value);
    QSettings m_settings;
};

}  // namespace espalier::app
