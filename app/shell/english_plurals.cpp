#include "app/shell/english_plurals.h"

#include <QCoreApplication>
#include <QTranslator>

#include <cstring>

namespace espalier::app {

namespace {

class EnglishPlurals : public QTranslator {
public:
    using QTranslator::QTranslator;
    bool isEmpty() const override { return false; }
    QString translate(const char*, const char* source, const char*, int n) const override {
        if (n < 0 || !std::strstr(source, "%n")) return {};
        QString text = QString::fromUtf8(source);
        text.replace(QStringLiteral("(es)"), n == 1 ? QString() : QStringLiteral("es"));
        text.replace(QStringLiteral("(s)"), n == 1 ? QString() : QStringLiteral("s"));
        return text;
    }
};

}  // namespace

void installEnglishPlurals() {
    static bool isInstalled = false;
    if (isInstalled) return;
    isInstalled = true;
    QCoreApplication::installTranslator(new EnglishPlurals(QCoreApplication::instance()));
}

}  // namespace espalier::app
