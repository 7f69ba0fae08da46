#include <QDir>
#include <QFile>
#include <QProcess>
#include <QRegularExpression>
#include <QTest>

/// banned.txt against every file that git tracks (or would track).
class TestBannedWords : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void noFileHasABannedWord() {
        QFile list(QStringLiteral(ESPALIER_SOURCE_DIR "/tests/architecture/banned.txt"));
        QVERIFY(list.open(QIODevice::ReadOnly));
        struct Rule {
            QRegularExpression word, files, allowed;
            QString reason;
        };
        QList<Rule> rules;
        for (const auto& line : QString::fromUtf8(list.readAll()).split(u'\n')) {
            if (line.isEmpty() || line.startsWith(u'#')) continue;
            const auto parts = line.split(QStringLiteral(" ; "));
            QCOMPARE(parts.size(), 4);
            rules.append({QRegularExpression(parts[0], QRegularExpression::MultilineOption), QRegularExpression(parts[1]),
                          QRegularExpression(parts[2] == QStringLiteral("-") ? QStringLiteral("(?!)") : parts[2]), parts[3]});
        }
        QVERIFY(rules.size() >= 8);
        QStringList found;
        int filesRead = 0;
        for (const auto& file : projectFiles()) {
            QFile handle(QStringLiteral(ESPALIER_SOURCE_DIR "/") + file);
            if (!handle.open(QIODevice::ReadOnly) || handle.size() > 1000000) continue;
            ++filesRead;
            const auto text = QString::fromUtf8(handle.readAll());
            for (const auto& rule : rules) {
                if (!rule.files.match(file).hasMatch() || rule.allowed.match(file).hasMatch()) continue;
                const auto match = rule.word.match(text);
                if (match.hasMatch())
                    found << QStringLiteral("%1:%2 has \"%3\": %4").arg(file).arg(text.left(match.capturedStart()).count(u'\n') + 1)
                                 .arg(match.captured().trimmed(), rule.reason);
            }
        }
        QVERIFY2(filesRead > 50, "too few files were read");
        QVERIFY2(found.isEmpty(), qPrintable(found.join(u'\n')));
    }

private:
    static QStringList projectFiles() {
        QProcess git;
        git.setWorkingDirectory(QStringLiteral(ESPALIER_SOURCE_DIR));
        git.start(QStringLiteral("git"), {QStringLiteral("-c"), QStringLiteral("safe.directory=*"), QStringLiteral("ls-files"),
                                          QStringLiteral("-co"), QStringLiteral("--exclude-standard")});
        git.waitForFinished(30000);
        return QString::fromUtf8(git.readAllStandardOutput()).split(u'\n', Qt::SkipEmptyParts);
    }
};

QTEST_GUILESS_MAIN(TestBannedWords)
#include "tst_banned_words.moc"
