#pragma once

#include <QRegularExpression>
#include <QString>
#include <QStringList>

#include <map>
#include <vector>

namespace espalier::architecture {

/// One compiled object: its source and every file the compiler read for it, all absolute paths.
struct ObjectDeps {
    QString object, source;
    QStringList files;
};

/// Output of `ninja -t deps`: "object: #deps N, … (VALID)" followed by indented paths.
std::vector<ObjectDeps> parseNinjaDeps(const QString& text, const QString& buildFolder);

/// A room may not read files that match the pattern.
struct Border {
    QString room;       ///< path prefix of the source, relative to the repository
    QString forbidden;  ///< regular expression on the absolute path, or on the relative one for project files
    QString because;
};
const std::vector<Border>& borders();

/// One sentence a violation: source, forbidden file, the chain of includes that leads there, and the reason.
QStringList violations(const std::vector<ObjectDeps>& objects, const QString& sourceFolder);

/// Shortest chain of #include lines from `source` to `target` through project files; only the ends when none is found.
QStringList includeChain(const QString& source, const QString& target, const QString& sourceFolder);

}  // namespace espalier::architecture
