#include "tests/architecture/borders.h"

#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QQueue>
#include <QSet>

namespace espalier::architecture {
namespace {

// Outside headers by where they lie; project headers by their path from the root.
const QString kTorch = QStringLiteral("/torch/include/|/(ATen|c10)/[^/]+|^engine/api/(torch|blocks)\\.h$");
const QString kQt = QStringLiteral("/qt6/|/Qt(Core|Gui|Widgets|Svg|PrintSupport|Concurrent)/");
const QString kHdf5 = QStringLiteral("/hdf5/|/hdf5\\.h$|/H5[A-Za-z]*public\\.h$");
const QString kSqlite = QStringLiteral("/sqlite3\\.h$");

Border border(const char* room, const QString& forbidden, const char* because) {
    return {QString::fromLatin1(room), forbidden, QString::fromLatin1(because)};
}

QStringList includesOf(const QString& file) {
    QFile handle(file);
    if (!handle.open(QIODevice::ReadOnly)) return {};
    static const QRegularExpression line(QStringLiteral("^\\s*#\\s*include\\s*[\"<]([^\">]+)[\">]"),
                                         QRegularExpression::MultilineOption);
    QStringList found;
    auto matches = line.globalMatch(QString::fromUtf8(handle.readAll()));
    while (matches.hasNext()) found << matches.next().captured(1);
    return found;
}

}  // namespace

std::vector<ObjectDeps> parseNinjaDeps(const QString& text, const QString& buildFolder) {
    std::vector<ObjectDeps> objects;
    const QDir build(buildFolder);
    for (const auto& line : text.split(QLatin1Char('\n'))) {
        if (line.isEmpty()) continue;
        if (!line.startsWith(QLatin1Char(' '))) {
            const auto colon = line.indexOf(QStringLiteral(": #deps"));
            if (colon > 0) objects.push_back({line.left(colon), {}, {}});
            continue;
        }
        if (objects.empty()) continue;
        const auto path = QDir::cleanPath(build.absoluteFilePath(line.trimmed()));
        auto& object = objects.back();
        if (object.source.isEmpty() && (path.endsWith(QStringLiteral(".cpp")) || path.endsWith(QStringLiteral(".c"))))
            object.source = path;
        object.files << path;
    }
    return objects;
}

const std::vector<Border>& borders() {
    static const std::vector<Border> all = {
        border("engine/base/|engine/feed/|engine/metrics/",
               kTorch + u'|' + kQt + u'|' + kHdf5 + u'|' + kSqlite +
                   QStringLiteral("|/opencv4/|/nlohmann/|/unicode/|^engine/(?!base/|feed/|metrics/)"),
               "the lowest rooms know the standard library only"),
        border("engine/intake/",
               kTorch + u'|' + kQt + u'|' + kHdf5 + u'|' + kSqlite +
                   QStringLiteral("|^engine/(catalog|api|data|nn|quant|interop|runtime)/"),
               "intake knows format libraries, and HDF5 only through the run log's wrapper"),
        border("engine/runlog/",
               kTorch + u'|' + kQt + u'|' + kSqlite + QStringLiteral("|^engine/(catalog|intake|api|data|nn|quant|runtime)/"),
               "logs must be readable without LibTorch or a window"),
        border("engine/catalog/",
               kTorch + u'|' + kQt + u'|' + kHdf5 + QStringLiteral("|^engine/(runlog|intake|api|data|nn|quant|runtime)/"),
               "the catalog knows SQLite and plain values"),
        border("engine/api/", kTorch + u'|' + kQt + u'|' + kHdf5 + u'|' + kSqlite + QStringLiteral("|^engine/(runtime|runlog|catalog|intake)/"),
               "the recipe interface must cost nothing to include"),
        border("engine/data/|engine/nn/|engine/quant/|engine/interop/",
               kQt + u'|' + kHdf5 + u'|' + kSqlite + QStringLiteral("|^engine/(runtime|catalog)/"),
               "blocks know torch, never the window or the runtime"),
        border("engine/runtime/", kQt, "the engine also runs without a window"),
        border("engine/", QStringLiteral("^(app|widgets|plugins)/"), "the engine knows nobody above it"),
        border("plugins/", kQt + u'|' + kHdf5 + u'|' + kSqlite + QStringLiteral("|^engine/(runtime|runlog|catalog|intake)/|^(app|widgets)/"),
               "a recipe sees the recipe API and the blocks it re-exports, nothing else"),
        border("widgets/", kTorch + u'|' + kHdf5 + u'|' + kSqlite + QStringLiteral("|^app/|^plugins/|^engine/(?!base/|feed/)"),
               "widgets take plain values"),
        border("app/cli/", kQt, "the command line has no window"),
        border("app/",
               kTorch + u'|' + kHdf5 + u'|' + kSqlite +
                   QStringLiteral("|^plugins/|^engine/(runlog|catalog|intake|data|nn|quant|interop)/"
                                  "|^engine/runtime/(?!(engine|workspace|predict)\\.h$)"),
               "the window reaches the engine through its handle and plain values"),
    };
    return all;
}

QStringList includeChain(const QString& source, const QString& target, const QString& sourceFolder) {
    const QDir root(sourceFolder);
    QQueue<QStringList> open;
    open.enqueue({source});
    QSet<QString> seen{source};
    while (!open.isEmpty()) {
        const auto chain = open.dequeue();
        for (const auto& include : includesOf(chain.last())) {
            const auto local = QDir::cleanPath(root.absoluteFilePath(include));
            if (local == target || target.endsWith(u'/' + include)) return chain + QStringList{target};
            if (seen.contains(local) || !QFileInfo::exists(local)) continue;
            seen.insert(local);
            open.enqueue(chain + QStringList{local});
        }
    }
    return {source, QStringLiteral("…"), target};
}

QStringList violations(const std::vector<ObjectDeps>& objects, const QString& sourceFolder) {
    const QDir root(QDir::cleanPath(sourceFolder));
    const auto relative = [&](const QString& path) {
        const QString prefix = root.absolutePath() + u'/';
        return path.startsWith(prefix) ? path.mid(prefix.size()) : path;
    };
    // A recipe is its <slug>.md and all files named <slug>_*: the longest such slug says whose a file is.
    const auto recipeOf = [&](const QString& path) {
        static const QRegularExpression pluginFile(QStringLiteral("^(plugins/[^/]+/)([^/.]+)"));
        const auto match = pluginFile.match(path);
        auto slug = match.captured(2);
        while (!root.exists(match.captured(1) + slug + QStringLiteral(".md")) && slug.contains(u'_'))
            slug.truncate(slug.lastIndexOf(u'_'));
        return slug;
    };
    QStringList found;
    for (const auto& object : objects) {
        const auto source = relative(object.source);
        if (source.startsWith(QStringLiteral("build/")) || source.startsWith(u'/')) continue;
        const auto report = [&](const QString& file, const QString& because) {
            QStringList chain;
            for (const auto& step : includeChain(object.source, file, root.absolutePath())) chain << relative(step);
            found << QStringLiteral("%1 must not read %2: %3. Include path: %4")
                         .arg(source, relative(file), because, chain.join(QStringLiteral(" -> ")));
        };
        for (const auto& border : borders()) {
            if (!QRegularExpression(QStringLiteral("^(%1)").arg(border.room)).match(source).hasMatch()) continue;
            const QRegularExpression forbidden(border.forbidden);
            for (const auto& file : object.files) {
                const auto path = relative(file);
                if (path != source && !path.startsWith(QStringLiteral("build/")) && forbidden.match(path).hasMatch()) {
                    report(file, border.because);
                    break;  // one line a border and source is enough to act on
                }
            }
        }
        const auto own = recipeOf(source);
        if (own.isEmpty()) continue;
        for (const auto& file : object.files) {
            if (const auto other = recipeOf(relative(file)); !other.isEmpty() && other != own)
                report(file, QStringLiteral("recipes do not know each other"));
        }
    }
    return found;
}

}  // namespace espalier::architecture
