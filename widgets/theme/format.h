#pragma once

#include <QFontMetrics>
#include <QString>

#include <cstdint>
#include <string>

/// Numbers, sizes and times as the interface writes them. Readings carry a true minus; textForCopy() never does.
namespace espalier::widgets::format {

/// "72,930"; negative with a true minus.
QString count(std::int64_t value);
/// "3.76 M", "947 k": three figures and an SI letter after a space.
QString si(double value);
/// Fractions in columns: ".9571"; "1.0000" at one; "–" when not finite.
QString fraction(double value, int digits = 4);
/// Fixed decimals with true minus: "1.2698"; "–" when not finite, "∞" for infinities.
QString fixed(double value, int digits);
/// Up to `figures` significant figures, small and large ones as "5.5e-4".
QString significant(double value, int figures = 4);
/// Signed: "+1.70", "−0.09", "0.00".
QString signedFixed(double value, int digits);
/// Axis label: "20k", "6e-4", "0.5".
QString axis(double value);
/// A metric by what its name says: fractions as ".9571", losses as "0.2361", others with four figures.
QString metric(const QString& series, double value);

/// 1 MB = 1,000,000 bytes: "38.2 GB", "62.8 MB", "922 B".
QString bytes(std::int64_t value);
/// "1:29:20", "0:42:22" (h:mm:ss).
QString clock(double secs);
/// "1:40" (m:ss) below an hour, else clock().
QString shortClock(double secs);
/// "35 min", "1 h 28 min", "40 s", "2 d 3 h".
QString duration(double secs);
/// "35 min left", "2 s left"; empty when unknown (negative).
QString timeLeft(double secs);
/// Local time: "09:14" today, "23 Nov 09:14" this year, else "2025-11-23".
QString when(double unixSecs);

/// Full precision for clipboard and files: "-0.0941", point as decimal mark, reading it back gives the same bits.
QString copyText(double value);
/// "9f3c…a71e".
QString shortHash(const QString& hash);

/// Run names lose their middle, sentences their end, paths their front.
QString elideName(const QFontMetrics& metrics, const QString& text, int width);
QString elideSentence(const QFontMetrics& metrics, const QString& text, int width);
/// As many of the parts between commas as fit, from the first; empty when not even that one does.
QString fitParts(const QFontMetrics& metrics, const QString& text, int width);
QString elidePath(const QFontMetrics& metrics, const QString& text, int width);

/// UTF-8 std::string to QString, the way every border crossing is written.
inline QString text(const std::string& value) { return QString::fromStdString(value); }

}  // namespace espalier::widgets::format
