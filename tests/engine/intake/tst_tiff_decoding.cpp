#include <QtTest>

#include <cmath>
#include <cstring>
#include <functional>

#include "engine/intake/image_decoding.h"
#include "tests/engine/intake/picture_files.h"

using namespace espalier;
using namespace espalier::intake;
using namespace picturefiles;

namespace {

enum Format { Whole = 1, Signed = 2, Real = 3 };

/// An uncompressed TIFF of this make.
struct Make {
    int width = 20, height = 18, bits = 8, samples = 1, format = Whole, photometric = 1;
    int tile = 0;          ///< side of the tiles; 0 = strips of seven rows
    bool isApart = false;  ///< a plane a channel
    int extra = -1;        ///< ExtraSamples: 0 unspecified, 1 premultiplied, 2 straight; -1 = says nothing
    int orientation = 1;
};

using ValueAt = std::function<double(int x, int y, int c)>;

std::uint64_t bitsOf(double value, const Make& make) {
    if (make.format != Real) return static_cast<std::uint64_t>(static_cast<std::int64_t>(value));
    const float narrow = static_cast<float>(value);
    std::uint32_t single = 0;
    std::uint64_t wide = 0;
    std::memcpy(&single, &narrow, 4), std::memcpy(&wide, &value, 8);
    return make.bits == 64 ? wide : single;
}

/// A rectangle of samples, rows padded to whole bytes, widths below a byte from the highest bit down.
std::string block(const Make& make, const ValueAt& valueAt, int left, int top, int columns, int rows, int plane) {
    std::string out;
    for (int y = top; y < top + rows; ++y) {
        int held = 0, count = 0;
        for (int x = left; x < left + columns; ++x)
            for (int c = make.isApart ? plane : 0; c < (make.isApart ? plane + 1 : make.samples); ++c) {
                const bool isInside = x < make.width && y < make.height;
                const std::uint64_t value = bitsOf(isInside ? valueAt(x, y, c) : 0, make);
                if (make.bits % 8 == 0) {
                    put(out, value, make.bits / 8);
                    continue;
                }
                for (int bit = make.bits - 1; bit >= 0; --bit) {
                    held = held << 1 | static_cast<int>(value >> bit & 1);
                    if (++count % 8 == 0) out += static_cast<char>(held), held = 0;
                }
            }
        if (count % 8) out += static_cast<char>(held << (8 - count % 8));
    }
    return out;
}

std::string tiff(const Make& make, const ValueAt& valueAt) {
    std::vector<std::string> blocks;
    constexpr int kRows = 7;
    for (int plane = 0; plane < (make.isApart ? make.samples : 1); ++plane)
        for (int top = 0; top < make.height; top += make.tile ? make.tile : kRows)
            for (int left = 0; left < make.width; left += make.tile ? make.tile : make.width)
                blocks.push_back(make.tile ? block(make, valueAt, left, top, make.tile, make.tile, plane)
                                           : block(make, valueAt, 0, top, make.width, std::min(kRows, make.height - top), plane));
    std::string out = std::string("II*\0\0\0\0\0", 8);
    std::vector<std::uint32_t> offsets, counts;
    for (const auto& each : blocks) offsets.push_back(std::uint32_t(out.size())), counts.push_back(std::uint32_t(each.size())), out += each;
    std::string entries;
    int count = 0;
    const auto entry = [&](int tag, int type, const std::vector<std::uint32_t>& values) {
        put(entries, std::uint64_t(tag), 2), put(entries, std::uint64_t(type), 2), put(entries, values.size(), 4);
        const int bytes = type == 3 ? 2 : 4;
        std::string body;
        for (const auto value : values) put(body, value, bytes);
        if (body.size() > 4) put(entries, out.size(), 4), out += body;
        else entries += body + std::string(4 - body.size(), '\0');
        ++count;
    };
    const auto same = [&](int value) { return std::vector<std::uint32_t>(std::size_t(make.samples), std::uint32_t(value)); };
    entry(256, 3, {std::uint32_t(make.width)}), entry(257, 3, {std::uint32_t(make.height)}), entry(258, 3, same(make.bits));
    entry(259, 3, {1}), entry(262, 3, {std::uint32_t(make.photometric)});
    if (!make.tile) entry(273, 4, offsets);
    entry(274, 3, {std::uint32_t(make.orientation)}), entry(277, 3, {std::uint32_t(make.samples)});
    if (!make.tile) entry(278, 3, {kRows}), entry(279, 4, counts);
    entry(284, 3, {make.isApart ? 2u : 1u});
    if (make.tile) entry(322, 3, {std::uint32_t(make.tile)}), entry(323, 3, {std::uint32_t(make.tile)}), entry(324, 4, offsets), entry(325, 4, counts);
    if (make.extra >= 0) entry(338, 3, {std::uint32_t(make.extra)});
    entry(339, 3, same(make.format));
    std::string start;
    put(start, out.size(), 4);
    out.replace(4, 4, start);
    put(out, std::uint64_t(count), 2);
    return out + entries + std::string(4, '\0');
}

int at(const feed::Image8& image, int x, int y, int c = 0) { return image.pixels[static_cast<std::size_t>((y * image.width + x) * image.channels + c)]; }

/// A ramp that differs in every pixel and channel, 0…252.
double ramp(int x, int y, int c) { return (7 * x + 11 * y + 60 * c) % 253; }

}  // namespace

/// TIFFs of every make that scientific programs write, each held against the values that were put in.
class TestTiffDecoding : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void readsEveryMake_data() {
        QTest::addColumn<int>("bits");
        QTest::addColumn<int>("format");
        QTest::addColumn<double>("factor");  // stored value of one grey step
        QTest::newRow("8") << 8 << int(Whole) << 1.0;
        QTest::newRow("12") << 12 << int(Whole) << 4095 / 255.0;
        QTest::newRow("16") << 16 << int(Whole) << 257.0;
        QTest::newRow("32") << 32 << int(Whole) << 1.0;
        QTest::newRow("32 signed") << 32 << int(Signed) << 1.0;
        QTest::newRow("float 0…255") << 32 << int(Real) << 1.0;
        QTest::newRow("float 0…1") << 32 << int(Real) << 1 / 255.0;
        QTest::newRow("double") << 64 << int(Real) << 1 / 255.0;
    }
    void readsEveryMake() {
        QFETCH(int, bits);
        QFETCH(int, format);
        QFETCH(double, factor);
        for (const int tile : {0, 16})
            for (const int samples : {1, 3})
                for (const bool isApart : {false, true}) {
                    Make make;
                    make.bits = bits, make.format = format, make.tile = tile, make.samples = samples, make.isApart = isApart;
                    make.photometric = samples == 3 ? 2 : 1;
                    const auto stored = [&](int x, int y, int c) { return format == Real ? ramp(x, y, c) * factor : std::round(ramp(x, y, c) * factor); };
                    const auto image = decodeImage(tiff(make, stored));
                    QVERIFY2(image.has_value(), image ? "" : image.error().detail.c_str());
                    QCOMPARE(image->channels, samples);
                    for (int y = 0; y < make.height; ++y)
                        for (int x = 0; x < make.width; ++x)
                            for (int c = 0; c < samples; ++c) QCOMPARE(at(*image, x, y, c), int(ramp(x, y, c)));
                }
    }
    void readsFewBits() {
        for (const int bits : {1, 2, 4}) {
            Make make;
            make.bits = bits;
            const int largest = (1 << bits) - 1;
            const auto image = decodeImage(tiff(make, [&](int x, int y, int) { return (x + 3 * y) & largest; }));
            QVERIFY(image.has_value());
            QCOMPARE(image->channels, 1);
            for (int y = 0; y < make.height; ++y)
                for (int x = 0; x < make.width; ++x) QCOMPARE(at(*image, x, y), ((x + 3 * y) & largest) * 255 / largest);
        }
    }
    void scalesWideValuesByTheirRangeAndSaysSo() {
        Make make;
        make.bits = 32, make.format = Signed;
        ImageRemarks remarks;
        const auto image = decodeImage(tiff(make, [](int x, int, int) { return x == 0 ? -1000 : 100 * x; }), &remarks);
        QVERIFY(image.has_value());
        QCOMPARE(at(*image, 0, 0), 0);
        QCOMPARE(at(*image, 19, 0), 255);
        QCOMPARE(remarks.size(), std::size_t(1));
        QVERIFY2(remarks[0].detail.find("-1000 to 1900") != std::string::npos, remarks[0].detail.c_str());
        remarks.clear();
        make.format = Whole;
        QVERIFY(decodeImage(tiff(make, ramp), &remarks) && remarks.empty());
    }
    void namesNanValues() {
        Make make;
        make.bits = 32, make.format = Real;
        ImageRemarks remarks;
        const auto image = decodeImage(tiff(make, [](int x, int y, int) { return x == 3 && y < 2 ? NAN : 0.5; }), &remarks);
        QVERIFY(image.has_value());
        QCOMPARE(at(*image, 3, 0), 0);
        QCOMPARE(at(*image, 4, 0), 128);
        QCOMPARE(remarks.size(), std::size_t(1));
        QVERIFY2(remarks[0].kind == "nan_values" && remarks[0].detail.find("2 values") == 0, remarks[0].detail.c_str());
    }
    void keepsTheFirstPageOfAFileCutBehindIt() {
        std::string bytes = tiff({}, [](int x, int y, int) { return 10 * x + y; });
        const auto alone = decodeImage(bytes);
        QVERIFY(alone.has_value());
        std::uint32_t directory = 0;
        std::memcpy(&directory, bytes.data() + 4, 4);
        const std::string second = bytes.substr(directory);  // the same picture once more
        std::string next;
        put(next, bytes.size(), 4);
        bytes.replace(bytes.size() - 4, 4, next);
        const std::size_t firstPage = bytes.size();
        bytes += second;
        ImageRemarks remarks;
        const auto whole = decodeImage(bytes, &remarks);
        QVERIFY(whole && whole->pixels == alone->pixels);
        QVERIFY(remarks.empty());
        for (const std::size_t size : {firstPage, firstPage + 1}) {
            remarks.clear();
            const auto cut = decodeImage(bytes.substr(0, size), &remarks);
            QVERIFY(cut && cut->pixels == alone->pixels);
            QCOMPARE(remarks.size(), std::size_t(1));
            QVERIFY2(remarks[0].kind == "truncated_image" && remarks[0].detail.find("first page is whole") != std::string::npos, remarks[0].detail.c_str());
        }
        QVERIFY(!decodeImage(bytes.substr(0, directory + 20)));  // within the first page's directory
    }
    void turnsWhiteIsZeroRound() {
        Make make;
        make.photometric = 0, make.bits = 16;
        const auto image = decodeImage(tiff(make, [](int x, int, int) { return x ? 0 : 65535; }));
        QVERIFY(image.has_value());
        QCOMPARE(at(*image, 0, 0), 0);
        QCOMPARE(at(*image, 1, 0), 255);
    }
    void putsTransparencyOverWhite() {
        Make make;
        make.samples = 4, make.photometric = 2;
        const auto half = [](int, int, int c) { return c == 3 ? 128 : 100; };
        for (const int extra : {-1, 2}) {  // straight, also where the file says nothing of its fourth channel
            make.extra = extra;
            const auto image = decodeImage(tiff(make, half));
            QVERIFY(image && image->channels == 3);
            QCOMPARE(at(*image, 0, 0), 177);
        }
        make.extra = 1;
        QCOMPARE(at(*decodeImage(tiff(make, half)), 0, 0), 227);
        make.extra = 0;  // unspecified: no transparency
        QCOMPARE(at(*decodeImage(tiff(make, half)), 0, 0), 100);
        make.extra = -1;
        const auto clear = [](int, int, int c) { return c == 3 ? 0 : 100; };
        QCOMPARE(at(*decodeImage(tiff(make, clear)), 0, 0), 100);
        make.extra = 2;
        QCOMPARE(at(*decodeImage(tiff(make, clear)), 0, 0), 255);
        make.samples = 2, make.photometric = 1;
        const auto grey = decodeImage(tiff(make, [](int, int, int c) { return c ? 128 : 100; }));
        QVERIFY(grey && grey->channels == 1);
        QCOMPARE(at(*grey, 0, 0), 177);
    }
    void standsUpright() {
        const auto upright = [](int x, int y) { return x < 10 ? (y < 9 ? 10 : 70) : (y < 9 ? 130 : 190); };
        for (int orientation = 1; orientation <= 8; ++orientation) {
            Make make;
            make.orientation = orientation;
            if (orientation >= 5) std::swap(make.width, make.height);
            const auto image = decodeImage(tiff(make, [&](int sx, int sy, int) {
                const int last = make.width - 1, bottom = make.height - 1;
                const int fx = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8 ? last - sx : sx;
                const int fy = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7 ? bottom - sy : sy;
                return orientation >= 5 ? upright(fy, fx) : upright(fx, fy);
            }));
            QVERIFY(image.has_value());
            QCOMPARE(image->width, 20);
            QCOMPARE(at(*image, 1, 1), 10);
            QCOMPARE(at(*image, 18, 1), 130);
            QCOMPARE(at(*image, 1, 16), 70);
            QCOMPARE(at(*image, 18, 16), 190);
        }
    }
    void refusesWithTheReason() {
        Make make;
        make.samples = 7;
        const auto many = decodeImage(tiff(make, ramp));
        QVERIFY(!many && many.error().detail.find("7 channels") != std::string::npos);
        make.samples = 1, make.format = 6, make.bits = 64;
        const auto complex = decodeImage(tiff(make, ramp));
        QVERIFY(!complex && complex.error().detail.find("complex") != std::string::npos);
    }
    void survivesFlippedBytes() {
        Make make;
        make.samples = 3, make.photometric = 2, make.tile = 16;
        const std::string whole = tiff(make, ramp);
        for (std::size_t i = 4; i < whole.size(); i += i < 8 || i > whole.size() - 260 ? 1 : 53)
            for (const int flip : {0x01, 0x80, 0xFF}) {
                std::string bytes = whole;
                bytes[i] = static_cast<char>(bytes[i] ^ flip);
                const auto image = decodeImage(bytes);
                QVERIFY(image ? image->pixels.size() == std::size_t(image->width) * std::size_t(image->height) * std::size_t(image->channels) : !image.error().detail.empty());
            }
    }
};

QTEST_GUILESS_MAIN(TestTiffDecoding)
#include "tst_tiff_decoding.moc"
