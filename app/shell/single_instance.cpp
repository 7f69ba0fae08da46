#include "app/shell/single_instance.h"

#include <QCryptographicHash>
#include <QDir>
#include <QFileInfo>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QLocalSocket>

#include "engine/base/log.h"

namespace espalier::app {

namespace {

constexpr int kAnswerMs = 1500;
constexpr qint64 kMostBytes = 1 << 20;
const QByteArray kAnswer = QByteArrayLiteral("ok\n");

QString socketName(const QString& folder) {
    const QString canonical = QFileInfo(folder).canonicalFilePath();
    const QByteArray seed = (canonical.isEmpty() ? QDir(folder).absolutePath() : canonical).toUtf8() + QDir::homePath().toUtf8();
    return QStringLiteral("espalier-") + QString::fromLatin1(QCryptographicHash::hash(seed, QCryptographicHash::Sha1).toHex().left(20));
}

}  // namespace

SingleInstance::SingleInstance(const QString& workspaceFolder, QObject* parent)
    : QObject(parent), m_name(socketName(workspaceFolder)) {
    m_server.setSocketOptions(QLocalServer::UserAccessOption);
    connect(&m_server, &QLocalServer::newConnection, this, &SingleInstance::receive);
}

bool SingleInstance::handOver(const QStringList& paths) const {
    QLocalSocket socket;
    socket.connectToServer(m_name);
    if (!socket.waitForConnected(kAnswerMs)) return false;
    QJsonArray absolute;  // the other process stands in another folder
    for (const QString& path : paths) absolute.append(QFileInfo(path).absoluteFilePath());
    socket.write(QJsonDocument(QJsonObject{{QStringLiteral("paths"), absolute}}).toJson(QJsonDocument::Compact) + '\n');
    if (!socket.waitForBytesWritten(kAnswerMs) || !socket.waitForReadyRead(kAnswerMs)) return false;
    return socket.readAll() == kAnswer;
}

bool SingleInstance::listen() {
    if (m_server.listen(m_name)) return true;
    // Left behind by a crash: nobody answers there.
    QLocalServer::removeServer(m_name);
    if (m_server.listen(m_name)) return true;
    ESPALIER_LOG(Warning, "window") << "a second start will open a second window: " << m_server.errorString().toStdString();
    return false;
}

void SingleInstance::receive() {
    while (QLocalSocket* socket = m_server.nextPendingConnection()) {
        connect(socket, &QLocalSocket::disconnected, socket, &QObject::deleteLater);
        connect(socket, &QLocalSocket::readyRead, this, [this, socket] {
            if (socket->bytesAvailable() > kMostBytes) return socket->abort();
            if (!socket->canReadLine()) return;
            const QJsonDocument message = QJsonDocument::fromJson(socket->readLine());
            if (!message.isObject()) return socket->abort();
            QStringList paths;
            for (const auto& path : message.object()[QStringLiteral("paths")].toArray()) paths << path.toString();
            socket->write(kAnswer);
            socket->flush();
            socket->disconnectFromServer();
            Q_EMIT startedAgain(paths);
        });
    }
}

}  // namespace espalier::app
