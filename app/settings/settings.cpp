#include "app/settings/settings.h"

#include <QCryptographicHash>
#include <QJsonDocument>
#include <QStandardPaths>

namespace espalier::app {

namespace {

// Raise it when docks are added or renamed: an old layout is then ignored.
constexpr int kLayoutVersion = 2;
constexpr int kMostRecent = 10;

QString defaultFile() {
    return QStandardPaths::writableLocation(QStandardPaths::GenericConfigLocation) + QStringLiteral("/espalier/espalier.ini");
}

QString workspaceKey(const QString& folder) {
    const QByteArray hash = QCryptographicHash::hash(folder.toUtf8(), QCryptographicHash::Sha1).toHex().left(12);
    return QStringLiteral("workspaces/") + QString::fromLatin1(hash);
}

}  // namespace

Settings::Settings(const QString& file, QObject* parent)
    : QObject(parent), m_settings(file.isEmpty() ? defaultFile() : file, QSettings::IniFormat) {}

widgets::ThemeKind Settings::themeKind() const {
    return widgets::Theme::kindFromName(m_settings.value(QStringLiteral("look/theme")).toString());
}
void Settings::setThemeKind(widgets::ThemeKind kind) {
    m_settings.setValue(QStringLiteral("look/theme"), widgets::Theme::kindName(kind));
}
bool Settings::isMotionReduced() const { return m_settings.value(QStringLiteral("look/reduceMotion"), false).toBool(); }
void Settings::setMotionReduced(bool isReduced) { m_settings.setValue(QStringLiteral("look/reduceMotion"), isReduced); }

QStringList Settings::recentWorkspaces() const { return m_settings.value(QStringLiteral("recent/workspaces")).toStringList(); }
void Settings::addRecentWorkspace(const QString& folder) { addRecent(QStringLiteral("recent/workspaces"), folder); }
void Settings::clearRecentWorkspaces() { m_settings.remove(QStringLiteral("recent/workspaces")); }

QStringList Settings::recentFiles() const { return m_settings.value(QStringLiteral("recent/files")).toStringList(); }
void Settings::addRecentFile(const QString& path) { addRecent(QStringLiteral("recent/files"), path); }
void Settings::clearRecentFiles() { m_settings.remove(QStringLiteral("recent/files")); }

void Settings::addRecent(const QString& list, const QString& path) {
    QStringList recent = m_settings.value(list).toStringList();
    recent.removeAll(path);
    recent.prepend(path);
    m_settings.setValue(list, QStringList(recent.mid(0, kMostRecent)));
}

double Settings::textScale() const {
    const double scale = m_settings.value(QStringLiteral("look/textScale"), 1.0).toDouble();
    return scale >= 1 && scale <= 2 ? scale : 1;
}
void Settings::setTextScale(double scale) { m_settings.setValue(QStringLiteral("look/textScale"), scale); }

std::optional<QStringList> Settings::keys(const QString& action) const {
    const QString key = QStringLiteral("keys/") + action;
    if (!m_settings.contains(key)) return std::nullopt;
    return m_settings.value(key).toString().split(QStringLiteral("; "), Qt::SkipEmptyParts);
}
void Settings::setKeys(const QString& action, const std::optional<QStringList>& keys) {
    const QString key = QStringLiteral("keys/") + action;
    if (keys) m_settings.setValue(key, keys->join(QStringLiteral("; ")));
    else m_settings.remove(key);
    Q_EMIT keysChanged();
}

QByteArray Settings::geometry() const { return m_settings.value(QStringLiteral("window/geometry")).toByteArray(); }
QByteArray Settings::docks() const {
    if (m_settings.value(QStringLiteral("window/layoutVersion")).toInt() != kLayoutVersion) return {};
    return m_settings.value(QStringLiteral("window/docks")).toByteArray();
}
void Settings::setWindow(const QByteArray& geometry, const QByteArray& docks) {
    m_settings.setValue(QStringLiteral("window/geometry"), geometry);
    m_settings.setValue(QStringLiteral("window/docks"), docks);
    m_settings.setValue(QStringLiteral("window/layoutVersion"), kLayoutVersion);
}

QString Settings::page() const { return m_settings.value(QStringLiteral("window/page")).toString(); }
void Settings::setPage(const QString& key) { m_settings.setValue(QStringLiteral("window/page"), key); }

QJsonObject Settings::object(const QString& key) const {
    return QJsonDocument::fromJson(m_settings.value(key).toString().toUtf8()).object();
}
void Settings::setObject(const QString& key, const QJsonObject& value) {
    m_settings.setValue(key, QString::fromUtf8(QJsonDocument(value).toJson(QJsonDocument::Compact)));
}

QJsonObject Settings::pageState(const QString& key) const { return object(QStringLiteral("pages/") + key); }
void Settings::setPageState(const QString& key, const QJsonObject& state) { setObject(QStringLiteral("pages/") + key, state); }
QJsonObject Settings::workspaceState(const QString& folder) const { return object(workspaceKey(folder)); }
void Settings::setWorkspaceState(const QString& folder, const QJsonObject& state) { setObject(workspaceKey(folder), state); }

}  // namespace espalier::app
