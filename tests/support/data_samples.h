#pragma once

#include <QByteArray>
#include <QDir>
#include <QFile>
#include <QImage>
#include <QtTest>

namespace espalier::tests {

/// photos/ below `root`: pictures of 20×16 in two classes, one broken file, one exact copy across splits by folder.
inline void writePhotos(const QDir& root) {
    for (const char* split : {"train", "test"})
        for (const char* name : {"cat", "dog"}) {
            const QString folder = QStringLiteral("photos/%1/%2").arg(QLatin1String(split), QLatin1String(name));
            QVERIFY(root.mkpath(folder));
            for (int i = 0; i < 6; ++i) {
                QImage image(20, 16, QImage::Format_RGB32);
                for (int y = 0; y < 16; ++y)
                    for (int x = 0; x < 20; ++x)
                        image.setPixel(x, y, qRgb((x * (i + 3) * 7 + y * split[0]) % 256, (y * (i + 5) * 11 + name[0]) % 256, (x * y * (i + 1) + split[1]) % 256));
                QVERIFY(image.save(root.filePath(folder + QStringLiteral("/%1.png").arg(i))));
            }
        }
    QVERIFY(QFile::copy(root.filePath(QStringLiteral("photos/train/cat/0.png")), root.filePath(QStringLiteral("photos/test/cat/copy.png"))));
    QFile broken(root.filePath(QStringLiteral("photos/train/dog/broken.png")));
    QVERIFY(broken.open(QIODevice::WriteOnly));
    broken.write("<!DOCTYPE html>");
}

/// 60 rows of two numbers and a word.
inline void writeTable(const QString& path) {
    QFile file(path);
    QVERIFY(file.open(QIODevice::WriteOnly));
    file.write("length,width,kind\n");
    for (int i = 0; i < 60; ++i) file.write(QByteArray::number(i * 0.37, 'f', 2) + ',' + QByteArray::number((i * 7) % 13) + ',' + (i % 3 ? "setosa" : "virginica") + '\n');
}

}  // namespace espalier::tests
