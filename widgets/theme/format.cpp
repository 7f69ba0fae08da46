#include "widgets/theme/format.h"

#include <QDateTime>
#include <QLocale>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace espalier::widgets::format {

namespace {

constexpr QChar kMinus(0x2212);
constexpr QChar kDash(0x2013);
constexpr QChar kInfinity(0x221E);

// The sign of the number, not that of an exponent: "5.5e-4" can be typed back.
QString withTrueMinus(QString text) {
    if (text.startsWith(u'-')) text[0] = kMinus;
    return text;
}

QString notFinite(double value) {
    if (std::isnan(value)) return QString(kDash);
    return value > 0 ? QString(kInfinity) : QString(kMinus) + kInfinity;
}

// "5.5e-4" from a value, up to `figures` significant figures without trailing zeros.
QString exponentText(double value, int figures) {
    QString mantissa = QString::number(value, 'e', figures - 1);
    const qsizetype e = mantissa.indexOf(u'e');
    int exponent = mantissa.mid(e + 1).toInt();
    mantissa.truncate(e);
    if (mantissa.contains(u'.')) {
        while (mantissa.endsWith(u'0')) mantissa.chop(1);
        if (mantissa.endsWith(u'.')) mantissa.chop(1);
    }
    return mantissa + u'e' + QString::number(exponent);
}

QString trimmedNumber(double value, int decimals) {
    QString text = QString::number(value, 'f', decimals);
    if (text.contains(u'.')) {
        while (text.endsWith(u'0')) text.chop(1);
        if (text.endsWith(u'.')) text.chop(1);
    }
    return text;
}

// "12345.6" becomes "12,345.6".
QString separated(QString text) {
    const qsizetype point = text.indexOf(u'.');
    for (qsizetype at = (point < 0 ? text.size() : point) - 3; at > (text.startsWith(u'-') ? 1 : 0); at -= 3) text.insert(at, u',');
    return text;
}

QString threeFigures(double value) {
    const double size = std::fabs(value);
    const int decimals = size >= 100 ? 0 : size >= 10 ? 1 : 2;
    return QString::number(value, 'f', decimals);
}

bool isLossName(const QString& name) {
    return name.endsWith(QLatin1String("loss")) || name.endsWith(QLatin1String("ece"));
}

bool isFractionName(const QString& name) {
    return name.contains(QLatin1String("top1")) || name.contains(QLatin1String("top5")) || name.endsWith(QLatin1String("acc"));
}

}  // namespace

QString count(std::int64_t value) {
    QLocale locale(QLocale::English, QLocale::UnitedStates);
    return withTrueMinus(locale.toString(static_cast<qlonglong>(value)));
}

QString si(double value) {
    if (!std::isfinite(value)) return notFinite(value);
    struct Step {
        double factor;
        const char* letter;
    };
    static constexpr std::array<Step, 4> steps{{{1e12, " T"}, {1e9, " G"}, {1e6, " M"}, {1e3, " k"}}};
    for (const Step& step : steps)
        if (std::fabs(value) >= step.factor * 0.9995)
            return withTrueMinus(threeFigures(value / step.factor)) + QString::fromLatin1(step.letter);
    return withTrueMinus(trimmedNumber(value, std::fabs(value) < 10 ? 2 : 0));
}

QString fraction(double value, int digits) {
    if (!std::isfinite(value)) return notFinite(value);
    QString text = QString::number(value, 'f', digits);
    if (text.startsWith(QLatin1String("0."))) text.remove(0, 1);
    if (text.startsWith(QLatin1String("-0."))) text.remove(1, 1);
    return withTrueMinus(text);
}

QString fixed(double value, int digits) {
    if (!std::isfinite(value)) return notFinite(value);
    QString text = QString::number(value, 'f', digits);
    if (text.startsWith(u'-') && text.toDouble() == 0) text.remove(0, 1);
    return withTrueMinus(text);
}

QString significant(double value, int figures) {
    if (!std::isfinite(value)) return notFinite(value);
    if (value == 0) return QStringLiteral("0");
    const double size = std::fabs(value);
    if (size < 1e-3 || size >= 1e6) return withTrueMinus(exponentText(value, figures));
    const int before = static_cast<int>(std::floor(std::log10(size))) + 1;
    return withTrueMinus(separated(QString::number(value, 'f', std::max(0, figures - before))));
}

QString signedFixed(double value, int digits) {
    const QString text = fixed(value, digits);
    if (!std::isfinite(value) || text.toDouble() == 0 || value < 0) return text;
    return u'+' + text;
}

QString axis(double value) {
    if (!std::isfinite(value)) return notFinite(value);
    if (value == 0) return QStringLiteral("0");
    const double size = std::fabs(value);
    if (size >= 1e9) return withTrueMinus(exponentText(value, 3));
    if (size >= 1e6) return withTrueMinus(trimmedNumber(value / 1e6, 2)) + u'M';
    if (size >= 1e4) return withTrueMinus(trimmedNumber(value / 1e3, 2)) + u'k';
    if (size < 1e-2) return withTrueMinus(exponentText(value, 3));
    return withTrueMinus(trimmedNumber(value, 4));
}

QString metric(const QString& series, double value) {
    if (isFractionName(series)) return fraction(value);
    if (isLossName(series) && std::isfinite(value) && std::fabs(value) < 1000) return fixed(value, 4);
    return significant(value);
}

QString bytes(std::int64_t value) {
    const double size = std::fabs(static_cast<double>(value));
    if (size < 1000) return count(value) + QStringLiteral(" B");
    struct Step {
        double factor;
        const char* unit;
    };
    static constexpr std::array<Step, 4> steps{{{1e12, " TB"}, {1e9, " GB"}, {1e6, " MB"}, {1e3, " KB"}}};
    for (const Step& step : steps)
        if (size >= step.factor * 0.9995)
            return withTrueMinus(threeFigures(static_cast<double>(value) / step.factor)) + QString::fromLatin1(step.unit);
    return count(value) + QStringLiteral(" B");
}

QString clock(double secs) {
    if (!std::isfinite(secs)) return notFinite(secs);
    const auto total = static_cast<std::int64_t>(std::max(0.0, secs) + 0.5);
    return QStringLiteral("%1:%2:%3")
        .arg(total / 3600)
        .arg((total / 60) % 60, 2, 10, QLatin1Char('0'))
        .arg(total % 60, 2, 10, QLatin1Char('0'));
}

QString shortClock(double secs) {
    if (!std::isfinite(secs) || secs >= 3599.5) return clock(secs);
    const auto total = static_cast<std::int64_t>(std::max(0.0, secs) + 0.5);
    return QStringLiteral("%1:%2").arg(total / 60).arg(total % 60, 2, 10, QLatin1Char('0'));
}

QString duration(double secs) {
    if (!std::isfinite(secs) || secs < 0) return QString(kDash);
    if (secs < 9.5 && secs >= 0.05) return QStringLiteral("%1 s").arg(QString::number(secs, 'f', secs < 1 ? 1 : 0));
    if (secs < 90) return QStringLiteral("%1 s").arg(qRound(secs));
    const auto minutes = static_cast<std::int64_t>(secs / 60 + 0.5);
    if (minutes < 60) return QStringLiteral("%1 min").arg(minutes);
    if (minutes < 48 * 60) {
        const auto rest = minutes % 60;
        return rest ? QStringLiteral("%1 h %2 min").arg(minutes / 60).arg(rest) : QStringLiteral("%1 h").arg(minutes / 60);
    }
    const auto hours = (minutes + 30) / 60;
    return hours % 24 ? QStringLiteral("%1 d %2 h").arg(hours / 24).arg(hours % 24) : QStringLiteral("%1 d").arg(hours / 24);
}

QString timeLeft(double secs) { return secs < 0 || !std::isfinite(secs) ? QString() : duration(secs) + QStringLiteral(" left"); }

QString when(double unixSecs) {
    if (unixSecs <= 0) return QString(kDash);
    const QDateTime time = QDateTime::fromMSecsSinceEpoch(static_cast<qint64>(unixSecs * 1000)).toLocalTime();
    const QDate today = QDate::currentDate();
    if (time.date() == today) return time.toString(QStringLiteral("HH:mm"));
    const QLocale locale(QLocale::English);
    if (time.date().year() == today.year()) return locale.toString(time, QStringLiteral("d MMM HH:mm"));
    return time.toString(QStringLiteral("yyyy-MM-dd"));
}

QString copyText(double value) {
    std::array<char, 40> buffer{};
    const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value).ptr;
    return QString::fromLatin1(buffer.data(), end - buffer.data());
}

QString shortHash(const QString& hash) {
    return hash.size() <= 9 ? hash : hash.left(4) + QChar(0x2026) + hash.right(4);
}

QString elideName(const QFontMetrics& metrics, const QString& text, int width) {
    return metrics.elidedText(text, Qt::ElideMiddle, width);
}
QString elideSentence(const QFontMetrics& metrics, const QString& text, int width) {
    return metrics.elidedText(text, Qt::ElideRight, width);
}
QString fitParts(const QFontMetrics& metrics, const QString& text, int width) {
    QString shown = text;
    while (!shown.isEmpty() && metrics.horizontalAdvance(shown) > width) shown.truncate(std::max<qsizetype>(0, shown.lastIndexOf(QStringLiteral(", "))));
    return shown;
}
QString elidePath(const QFontMetrics& metrics, const QString& text, int width) {
    return metrics.elidedText(text, Qt::ElideLeft, width);
}

}  // namespace espalier::widgets::format
