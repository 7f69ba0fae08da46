#include <QApplication>
#include <QFontDatabase>
#include <QFontMetrics>
#include <QRegularExpression>
#include <QSignalSpy>
#include <QTest>

#include <cmath>
#include <limits>

#include "widgets/theme/color_maps.h"
#include "widgets/theme/format.h"
#include "widgets/theme/icons.h"
#include "widgets/theme/style_sheet.h"
#include "widgets/theme/theme.h"

using namespace espalier;
using namespace espalier::widgets;

class TestTheme : public QObject {
    Q_OBJECT

    static double luminance(const QColor& color) {
        const auto part = [](double v) { return v <= 0.04045 ? v / 12.92 : std::pow((v + 0.055) / 1.055, 2.4); };
        return 0.2126 * part(color.redF()) + 0.7152 * part(color.greenF()) + 0.0722 * part(color.blueF());
    }
    static double contrast(const QColor& a, const QColor& b) {
        const double la = luminance(a), lb = luminance(b);
        return (std::max(la, lb) + 0.05) / (std::min(la, lb) + 0.05);
    }

private Q_SLOTS:
    void initTestCase() { theme().install(*qApp, ThemeKind::Dark); }
    void init() { theme().setKind(ThemeKind::Dark); }

    void readsColoursFromTheTokens() {
        QCOMPARE(theme().color(Color::Well), QColor(0x13, 0x15, 0x17));
        QCOMPARE(theme().color(Color::TooltipText2), QColor(0xB4, 0xB9, 0xBF));
        QCOMPARE(theme().color(Color::Band), QColor(255, 255, 255, 10));
        theme().setKind(ThemeKind::Light);
        QCOMPARE(theme().color(Color::Accent), QColor(0x3A, 0x73, 0x20));
    }

    void hasNoMissingColour() {
        for (const ThemeKind kind : {ThemeKind::Dark, ThemeKind::Light, ThemeKind::Contrast}) {
            theme().setKind(kind);
            for (int i = 0; i < kColorCount; ++i)
                QVERIFY2(theme().color(static_cast<Color>(i)).isValid(), qPrintable(Theme::colorName(static_cast<Color>(i))));
        }
    }

    void textIsReadableOnEveryGround() {
        for (const ThemeKind kind : {ThemeKind::Dark, ThemeKind::Light, ThemeKind::Contrast}) {
            theme().setKind(kind);
            const double least = kind == ThemeKind::Contrast ? 7.0 : 4.5;
            for (const Color text : {Color::Text, Color::Text2, Color::Text3})
                for (const Color ground : {Color::Well, Color::Panel, Color::Raised, Color::Input, Color::Popup})
                    QVERIFY(contrast(theme().color(text), theme().color(ground)) >= least);
        }
    }

    void switchesPaletteAndSheetAtOnce() {
        QSignalSpy changed(&theme(), &Theme::changed);
        theme().setKind(ThemeKind::Light);
        QCOMPARE(changed.count(), 1);
        QCOMPARE(qApp->palette().color(QPalette::Window), theme().color(Color::Panel));
        QVERIFY(qApp->styleSheet().contains(QStringLiteral("#3a7320")));
        theme().setKind(ThemeKind::Light);
        QCOMPARE(changed.count(), 1);
    }

    void sheetHasNoUnresolvedName() {
        const QString sheet = theme().styleSheet();
        QVERIFY(!sheet.contains(u'@'));
        QVERIFY(!sheet.contains(QStringLiteral("url()")));
        QVERIFY(!QRegularExpression(QStringLiteral("(color|background): *[;}]")).match(sheet).hasMatch());
    }

    void keepsTheHueOfARunOverThemes() {
        const int hue = theme().runColor(0).hslHue();
        theme().setKind(ThemeKind::Light);
        QVERIFY(std::abs(theme().runColor(0).hslHue() - hue) < 20);
        QCOMPARE(theme().runColor(8), theme().runColor(0));
        QCOMPARE(theme().runDash(8), (QVector<qreal>{6, 3}));
        QCOMPARE(theme().runDash(16), (QVector<qreal>{2, 2}));
        QVERIFY(theme().runPen(6, 1.25).widthF() >= 2.0);
    }

    void hasASilhouetteForEveryState() {
        QStringList icons, words;
        for (int i = 0; i < feed::kJobStateCount; ++i) {
            const StateLook look = theme().stateLook(static_cast<feed::JobState>(i));
            QVERIFY(!iconPixmap(look.icon, 14, look.color).isNull());
            icons << look.icon;
            words << look.label;
        }
        QCOMPARE(QSet<QString>(icons.begin(), icons.end()).size(), 9);
        QCOMPARE(QSet<QString>(words.begin(), words.end()).size(), 9);
    }

    void drawsEveryIconInTheAskedColour() {
        QCOMPARE(iconNames().size(), 89);
        for (const QString& name : iconNames()) {
            const QImage image = iconPixmap(name, 16, QColor(200, 40, 60), 2.0).toImage();
            QCOMPARE(image.width(), 32);
            int inked = 0;
            for (int y = 0; y < 32; ++y)
                for (int x = 0; x < 32; ++x) {
                    const QColor pixel = image.pixelColor(x, y);
                    if (pixel.alpha() < 250) continue;
                    ++inked;
                    QVERIFY2(std::abs(pixel.red() - 200) < 6 && std::abs(pixel.green() - 40) < 6, qPrintable(name));
                }
            QVERIFY2(inked > 3, qPrintable(name));
        }
    }

    void bundlesTabularFigures() {
        const QFontMetrics metrics(theme().font(Type::Body));
        QCOMPARE(QFontInfo(theme().font(Type::Body)).family(), QStringLiteral("Espalier Inter"));
        const int one = metrics.horizontalAdvance(QStringLiteral("1111111111"));
        QCOMPARE(metrics.horizontalAdvance(QStringLiteral("0000000000")), one);
        QCOMPARE(metrics.horizontalAdvance(QStringLiteral("4848484848")), one);
        QCOMPARE(QFontInfo(theme().font(Type::Mono)).family(), QStringLiteral("Espalier Mono"));
        QVERIFY(QFontMetrics(theme().font(Type::BodyStrong)).horizontalAdvance(QStringLiteral("Gradient norm of one run")) >
                metrics.horizontalAdvance(QStringLiteral("Gradient norm of one run")));
    }

    void mapsAreTheSameInEveryTheme() {
        QCOMPARE(QColor(viridis()[0]), QColor(0x44, 0x01, 0x54));
        QCOMPARE(QColor(viridis()[255]), QColor(0xFD, 0xE7, 0x25));
        QCOMPARE(QColor(mapColor(signedMap(), 0.0)), QColor(0x05, 0x3A, 0x66));
        const QColor middle(mapColor(signedMap(), 0.5));
        QVERIFY(std::abs(middle.red() - 0xF3) < 4 && std::abs(middle.blue() - 0xEF) < 6);
        QCOMPARE(qAlpha(mapColor(viridis(), std::nan(""))), 0);
        for (std::size_t i = 1; i < 256; ++i)
            QVERIFY(luminance(QColor(viridis()[i])) >= luminance(QColor(viridis()[i - 1])) - 0.004);
        const float values[] = {0.0F, 1.0F, 0.5F, std::numeric_limits<float>::quiet_NaN()};
        const QImage image = mapImage(values, 2, 2, 0, 1, viridis());
        QCOMPARE(image.pixel(1, 0), viridis()[255]);
        QCOMPARE(qAlpha(image.pixel(1, 1)), 0);
        QVERIFY(luminance(bitsColor(8)) < luminance(bitsColor(2)));
    }

    void writesNumbers_data() {
        QTest::addColumn<QString>("got");
        QTest::addColumn<QString>("wanted");
        const auto row = [](const char* name, const QString& got, const char* wanted) {
            QTest::newRow(name) << got << QString::fromUtf8(wanted);
        };
        row("count", format::count(72930), "72,930");
        row("negative count", format::count(-1234), "−1,234");
        row("fraction", format::fraction(0.9571), ".9571");
        row("fraction of one", format::fraction(1.0), "1.0000");
        row("fraction not there", format::fraction(std::nan("")), "–");
        row("fixed", format::fixed(-0.0941, 2), "−0.09");
        row("fixed zero has no sign", format::fixed(-0.0001, 2), "0.00");
        row("signed", format::signedFixed(1.7, 2), "+1.70");
        row("signed zero", format::signedFixed(0.0, 2), "0.00");
        row("si", format::si(3760139), "3.76 M");
        row("si thousand", format::si(947000), "947 k");
        row("small", format::significant(0.00055), "5.5e-4");
        row("axis thousands", format::axis(20000), "20k");
        row("axis small", format::axis(6e-4), "6e-4");
        row("axis half", format::axis(0.5), "0.5");
        row("bytes", format::bytes(38200000000), "38.2 GB");
        row("few bytes", format::bytes(922), "922 B");
        row("million bytes", format::bytes(1000000), "1.00 MB");
        row("clock", format::clock(5360), "1:29:20");
        row("short clock", format::shortClock(100), "1:40");
        row("minutes", format::timeLeft(2100), "35 min left");
        row("hours", format::duration(5280), "1 h 28 min");
        row("unknown time", format::timeLeft(-1), "");
        row("metric top1", format::metric(QStringLiteral("valid/top1"), 0.9648), ".9648");
        row("metric loss", format::metric(QStringLiteral("valid/loss"), 0.2361), "0.2361");
        row("hash", format::shortHash(QStringLiteral("9f3c0011223344a71e")), "9f3c…a71e");
    }
    void writesNumbers() {
        QFETCH(QString, got);
        QFETCH(QString, wanted);
        QCOMPARE(got, wanted);
    }

    void copiesEveryBit() {
        for (const double value : {0.1, 1.0 / 3.0, -5.5e-4, 1e300, 4.9e-324}) {
            QCOMPARE(format::copyText(value).toDouble(), value);
            QVERIFY(!format::copyText(value).contains(QChar(0x2212)));
        }
    }
};

QTEST_MAIN(TestTheme)
#include "tst_theme.moc"
