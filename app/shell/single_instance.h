#pragma once

#include <QLocalServer>
#include <QObject>
#include <QStringList>

namespace espalier::app {

/// One window a workspace: the first start listens, a second one hands its paths over and ends. Local to the user and
/// the machine; the socket's name is made from the folder. GUI thread.
class SingleInstance : public QObject {
    Q_OBJECT
public:
    explicit SingleInstance(const QString& workspaceFolder, QObject* parent = nullptr);

    /// Gives the paths to the window that has this workspace open; false when there is none.
    bool handOver(const QStringList& paths) const;
    /// Becomes the window that others hand over to. False when that is impossible; the window works all the same.
    bool listen();

Q_SIGNALS:
    void startedAgain(const QStringList& paths);

private:
    void receive();
    QString m_name;
    QLocalServer m_server;
};

}  // namespace espalier::app
