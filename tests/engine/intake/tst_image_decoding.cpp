#include <QtTest>

#include <cmath>

#include <zlib.h>

#include "engine/intake/image_decoding.h"
#include "tests/engine/intake/picture_files.h"

using namespace espalier;
using namespace espalier::intake;
using namespace picturefiles;

namespace {

using Pixel = std::vector<int>;

Pixel at(const feed::Image8& image, int x, int y) {
    Pixel pixel;
    for (int c = 0; c < image.channels; ++c)
        pixel.push_back(image.pixels[static_cast<std::size_t>((y * image.width + x) * image.channels + c)]);
    return pixel;
}

bool isNear(const Pixel& a, const Pixel& b, int distance) {
    if (a.size() != b.size()) return false;
    for (std::size_t i = 0; i < a.size(); ++i)
        if (std::abs(a[i] - b[i]) > distance) return false;
    return true;
}

std::string pngChunk(const std::string& name, const std::string& body) {
    std::string out;
    put(out, body.size(), 4, true);
    out += name + body;
    const std::string checked = name + body;
    put(out, crc32(0, reinterpret_cast<const Bytef*>(checked.data()), static_cast<uInt>(checked.size())), 4, true);
    return out;
}

/// PNG by hand, so that every colour type can be made. `rows` holds the filter byte of each row.
std::string png(std::uint32_t width, std::uint32_t height, int depth, int colorType, const std::string& rows, const std::string& extra = {}) {
    std::string header;
    put(header, width, 4, true), put(header, height, 4, true);
    put(header, static_cast<std::uint64_t>(depth), 1), put(header, static_cast<std::uint64_t>(colorType), 1), put(header, 0, 3);
    uLongf size = compressBound(rows.size());
    std::string packed(size, '\0');
    compress(reinterpret_cast<Bytef*>(packed.data()), &size, reinterpret_cast<const Bytef*>(rows.data()), rows.size());
    packed.resize(size);
    return "\x89PNG\r\n\x1A\n" + pngChunk("IHDR", header) + extra + pngChunk("IDAT", packed) + pngChunk("IEND", "");
}

std::string literal(const char* bytes, std::size_t size) { return std::string(bytes, size); }

}  // namespace

class TestImageDecoding : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void decodesEveryKind_data() {
        QTest::addColumn<QString>("suffix");
        for (const char* suffix : {".png", ".bmp", ".tiff", ".webp", ".jpg"}) QTest::newRow(suffix) << QString::fromLatin1(suffix);
    }
    void decodesEveryKind() {
        QFETCH(QString, suffix);
        const auto image = decodeImage(encoded(quarters(60, 40), suffix.toStdString()));
        QVERIFY(image.has_value());
        QCOMPARE((Pixel{image->width, image->height, image->channels}), (Pixel{60, 40, 3}));
        QVERIFY(isNear(at(*image, 5, 5), {220, 20, 20}, 8));
        QVERIFY(isNear(at(*image, 55, 5), {20, 200, 20}, 8));
        QVERIFY(isNear(at(*image, 5, 35), {20, 20, 220}, 8));
        QVERIFY(isNear(at(*image, 55, 35), {200, 200, 40}, 8));
    }

    void standsUprightForEveryOrientation() {
        // What is stored, so that turning it as EXIF says gives red top left and green top right of 60 × 40.
        const cv::Mat upright = quarters(60, 40);
        for (int orientation = 1; orientation <= 8; ++orientation) {
            cv::Mat stored = upright.clone();
            switch (orientation) {
                case 2: cv::flip(upright, stored, 1); break;
                case 3: cv::rotate(upright, stored, cv::ROTATE_180); break;
                case 4: cv::flip(upright, stored, 0); break;
                case 5: cv::transpose(upright, stored); break;
                case 6: cv::rotate(upright, stored, cv::ROTATE_90_COUNTERCLOCKWISE); break;
                case 7: cv::rotate(upright, stored, cv::ROTATE_180), cv::transpose(stored.clone(), stored); break;
                case 8: cv::rotate(upright, stored, cv::ROTATE_90_CLOCKWISE); break;
                default: break;
            }
            const auto image = decodeImage(withOrientation(encoded(stored, ".jpg", {cv::IMWRITE_JPEG_QUALITY, 95}), orientation));
            QVERIFY(image.has_value());
            QCOMPARE((Pixel{image->width, image->height}), (Pixel{60, 40}));
            QVERIFY2(isNear(at(*image, 5, 5), {220, 20, 20}, 10) && isNear(at(*image, 55, 5), {20, 200, 20}, 10) &&
                         isNear(at(*image, 5, 35), {20, 20, 220}, 10),
                     std::to_string(orientation).c_str());
        }
    }

    void scalesSixteenBits() {
        const auto grey = decodeImage(png(2, 1, 16, 0, literal("\0\x80\x80\xFF\xFF", 5)));
        QVERIFY(grey.has_value());
        QCOMPARE(grey->channels, 1);
        QCOMPARE(at(*grey, 0, 0), Pixel{128});
        QCOMPARE(at(*grey, 1, 0), Pixel{255});
        const auto color = decodeImage(png(1, 1, 16, 2, literal("\0\xFF\xFF\x40\x40\0\0", 7)));
        QVERIFY(color.has_value());
        QCOMPARE(at(*color, 0, 0), (Pixel{255, 64, 0}));
    }

    void putsTransparencyOverWhite() {
        const auto color = decodeImage(png(3, 1, 8, 6, literal("\0\x64\0\0\xFF\x64\0\0\0\x64\0\0\x80", 13)));
        QVERIFY(color.has_value());
        QCOMPARE(at(*color, 0, 0), (Pixel{100, 0, 0}));
        QCOMPARE(at(*color, 1, 0), (Pixel{255, 255, 255}));
        QCOMPARE(at(*color, 2, 0), (Pixel{177, 127, 127}));  // (100 * 128 + 255 * 127) / 255
        const auto grey = decodeImage(png(2, 1, 8, 4, literal("\0\x32\xFF\x32\0", 5)));
        QVERIFY(grey.has_value());
        QCOMPARE(grey->channels, 1);
        QCOMPARE(at(*grey, 0, 0), Pixel{50});
        QCOMPARE(at(*grey, 1, 0), Pixel{255});
        const auto clear = decodeImage(png(2, 1, 8, 0, literal("\0\x32\x33", 3), pngChunk("tRNS", literal("\0\x32", 2))));
        QVERIFY(clear.has_value());
        QCOMPARE(at(*clear, 0, 0), Pixel{255});
        QCOMPARE(at(*clear, 1, 0), Pixel{51});
    }

    void readsPaletteAndFewBits() {
        const std::string palette = pngChunk("PLTE", literal("\x01\x02\x03\x0A\x14\x1E", 6));
        const auto image = decodeImage(png(2, 1, 8, 3, literal("\0\1\0", 3), palette));
        QVERIFY(image.has_value());
        QCOMPARE(at(*image, 0, 0), (Pixel{10, 20, 30}));
        QCOMPARE(at(*image, 1, 0), (Pixel{1, 2, 3}));
        const auto clear = decodeImage(png(2, 1, 8, 3, literal("\0\1\0", 3), palette + pngChunk("tRNS", literal("\0", 1))));
        QVERIFY(clear.has_value());
        QCOMPARE(at(*clear, 0, 0), (Pixel{10, 20, 30}));
        QCOMPARE(at(*clear, 1, 0), (Pixel{255, 255, 255}));
        const auto bits = decodeImage(png(8, 1, 1, 0, literal("\0\xA0", 2)));
        QVERIFY(bits.has_value());
        QCOMPARE(bits->pixels, (std::vector<std::uint8_t>{255, 0, 255, 0, 0, 0, 0, 0}));
        const auto two = decodeImage(png(4, 1, 2, 0, literal("\0\x1B", 2)));
        QVERIFY(two.has_value());
        QCOMPARE(two->pixels, (std::vector<std::uint8_t>{0, 85, 170, 255}));
    }

    void keepsGreyGrey() {
        const cv::Mat grey(20, 30, CV_8UC1, cv::Scalar(77));
        for (const char* suffix : {".jpg", ".png", ".tiff"}) {
            const auto image = decodeImage(encoded(grey, suffix));
            QVERIFY(image.has_value());
            QCOMPARE(image->channels, 1);
            QCOMPARE(at(*image, 3, 3), Pixel{77});
        }
    }

    void readsFirstGifFrame() {
        const auto image = decodeImage(gif(-1, true));
        QVERIFY2(image.has_value(), image ? "" : image.error().detail.c_str());
        QCOMPARE((Pixel{image->width, image->height, image->channels}), (Pixel{3, 2, 3}));
        QCOMPARE(at(*image, 0, 0), (Pixel{255, 0, 0}));
        QCOMPARE(at(*image, 1, 0), (Pixel{0, 255, 0}));
        QCOMPARE(at(*image, 2, 0), (Pixel{0, 0, 255}));
        QCOMPARE(at(*image, 0, 1), (Pixel{0, 0, 255}));
        const auto clear = decodeImage(gif(1));
        QVERIFY(clear.has_value());
        QCOMPARE(at(*clear, 1, 0), (Pixel{255, 255, 255}));
    }

    void aGifCutBehindItsFirstFrameIsTold() {
        const std::string whole = gif(-1, true);
        ImageRemarks remarks;
        QVERIFY(decodeImage(whole, &remarks) && remarks.empty());
        for (const std::size_t cut : {1, 3, 6}) {
            remarks.clear();
            QVERIFY(decodeImage(std::string_view(whole).substr(0, whole.size() - cut), &remarks));
            QVERIFY(remarks.size() == 1 && remarks[0].detail.find("first frame is whole") != std::string::npos);
        }
    }

    void namesWhatIsCut_data() {
        QTest::addColumn<QString>("suffix");
        for (const char* suffix : {".png", ".bmp", ".tiff", ".webp", ".jpg", ".gif"}) QTest::newRow(suffix) << QString::fromLatin1(suffix);
    }
    /// No piece of a picture may crash or come in as if whole.
    void namesWhatIsCut() {
        QFETCH(QString, suffix);
        const std::string whole = suffix == QLatin1String(".gif") ? gif() : encoded(quarters(24, 24), suffix.toStdString());
        for (std::size_t size = 0; size + 3 < whole.size(); size += 1 + whole.size() / 97) {
            const auto image = decodeImage(std::string_view(whole).substr(0, size));
            QVERIFY2(!image, (std::to_string(size) + " of " + std::to_string(whole.size())).c_str());
            QVERIFY(!image.error().kind.empty() && !image.error().detail.empty());
        }
        const auto half = decodeImage(std::string_view(whole).substr(0, whole.size() / 2));
        QCOMPARE(half.error().kind, std::string("truncated_image"));
    }

    /// Flipped bits may give another picture or a refusal, never a crash.
    void survivesFlippedBits() {
        for (const std::string& whole : {encoded(quarters(16, 16), ".bmp"), encoded(quarters(16, 16), ".webp"), encoded(quarters(16, 16), ".jpg"), gif()})
            for (std::size_t i = 2; i < std::min<std::size_t>(whole.size(), 160); ++i) {
                std::string bad = whole;
                bad[i] = static_cast<char>(bad[i] ^ (1 << (i % 8)));
                const auto image = decodeImage(bad);
                if (image) QCOMPARE(image->pixels.size(), std::size_t(image->width * image->height * image->channels));
            }
    }

    void refusesHugeClaimsAtOnce() {
        QElapsedTimer timer;
        timer.start();
        const auto image = decodeImage(png(60000, 60000, 8, 2, std::string(1000, '\0')));
        QVERIFY(!image);
        QCOMPARE(image.error().kind, std::string("huge_image"));
        QVERIFY(image.error().detail.find("60000 x 60000") != std::string::npos);
        QVERIFY(!decodeImage(png(0xFFFFFFFF, 0xFFFFFFFF, 8, 2, std::string(10, '\0'))));
        QVERIFY(!decodeImage(png(0, 5, 8, 2, std::string(10, '\0'))));
        QVERIFY(timer.elapsed() < 200);
    }

    void noticesWrongChecksum() {
        std::string bytes = encoded(quarters(20, 20), ".png");
        bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
        const auto image = decodeImage(bytes);
        QVERIFY(!image);
        QVERIFY(image.error().detail.find("checksum") != std::string::npos);
    }

    void saysWhatIsNoPicture_data() {
        QTest::addColumn<QByteArray>("bytes");
        QTest::addColumn<QString>("word");
        QTest::newRow("empty") << QByteArray() << QStringLiteral("0 bytes");
        QTest::newRow("web page") << QByteArray("\n<!DOCTYPE html><html>404</html>") << QStringLiteral("web page");
        QTest::newRow("LFS") << QByteArray("version https://git-lfs.github.com/spec/v1\noid") << QStringLiteral("Git LFS");
        QTest::newRow("zeros") << QByteArray(5000, '\0') << QStringLiteral("zero bytes");
        QTest::newRow("HEIC") << QByteArray("\0\0\0\x18" "ftypheic\0\0\0\0", 16) << QStringLiteral("HEIC");
        QTest::newRow("text") << QByteArray("hello, this is text") << QStringLiteral("\"hell\"");
    }
    void saysWhatIsNoPicture() {
        QFETCH(QByteArray, bytes);
        QFETCH(QString, word);
        const auto image = decodeImage(bytes.toStdString());
        QVERIFY(!image);
        QVERIFY2(image.error().detail.find(word.toStdString()) != std::string::npos, image.error().detail.c_str());
    }
};

QTEST_GUILESS_MAIN(TestImageDecoding)
#include "tst_image_decoding.moc"
