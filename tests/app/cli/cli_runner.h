#pragma once

#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QProcess>
#include <QTemporaryDir>

/// Runs the built espalier-cli on a workspace of its own, as a user's shell would.
class CliRunner {
public:
    struct Outcome {
        int code = -1;
        QByteArray out, err;
        QJsonObject json() const { return QJsonDocument::fromJson(out).object(); }
        QList<QJsonObject> lines() const {
            QList<QJsonObject> objects;
            for (const auto& line : out.split('\n'))
                if (!line.isEmpty()) objects << QJsonDocument::fromJson(line).object();
            return objects;
        }
    };

    QString folder() const { return m_folder.path(); }
    QString workspace() const { return m_folder.filePath(QStringLiteral("workspace")); }
    QString file(const char* name) const { return m_folder.filePath(QString::fromLatin1(name)); }

    Outcome run(const QStringList& words, int timeoutMs = 120000) const {
        QProcess process;
        start(process, words);
        if (!process.waitForFinished(timeoutMs)) {
            process.kill();
            process.waitForFinished(5000);
        }
        return {process.exitStatus() == QProcess::NormalExit ? process.exitCode() : -2, process.readAllStandardOutput(),
                process.readAllStandardError()};
    }
    void start(QProcess& process, const QStringList& words) const {
        process.start(QStringLiteral(ESPALIER_BUILD_DIR "/app/espalier-cli"),
                      QStringList{QStringLiteral("--workspace"), workspace()} + words);
    }
    /// "a b c" as words.
    Outcome operator()(const char* words) const { return run(QString::fromUtf8(words).split(u' ', Qt::SkipEmptyParts)); }

private:
    QTemporaryDir m_folder;
};
