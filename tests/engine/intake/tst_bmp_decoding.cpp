// labels: fast gate
#include <QtTest>

#include "engine/intake/image_decoding.h"
#include "tests/engine/intake/array_files.h"

using namespace espalier;
using namespace espalier::intake;
using arrayfiles::put;

namespace {

struct Masks {
    std::uint32_t red = 0, green = 0, blue = 0, alpha = 0;
};

/// Two bytes a pixel, `height` negative = top down. Without masks the header says nothing about the bits.
std::string bitmap(int width, int height, const std::vector<int>& pixels, const Masks& masks = {}) {
    const bool hasMasks = masks.red != 0, hasAlpha = masks.alpha != 0;
    const int header = hasAlpha ? 56 : 40, start = 14 + header + (hasMasks && !hasAlpha ? 12 : 0);
    std::string rows;
    const int count = std::abs(height);
    for (int i = 0; i < count; ++i) {
        const int y = height < 0 ? i : count - 1 - i;
        for (int x = 0; x < width; ++x) put(rows, static_cast<std::uint64_t>(pixels[static_cast<std::size_t>(y * width + x)]), 2);
        if (width % 2) put(rows, 0, 2);
    }
    std::string out = "BM";
    put(out, static_cast<std::uint64_t>(start) + rows.size(), 4), put(out, 0, 4), put(out, static_cast<std::uint64_t>(start), 4);
    put(out, static_cast<std::uint64_t>(header), 4), put(out, static_cast<std::uint64_t>(width), 4), put(out, static_cast<std::uint32_t>(height), 4);
    put(out, 1, 2), put(out, 16, 2), put(out, hasMasks ? 3 : 0, 4), put(out, rows.size(), 4);
    for (int i = 0; i < 4; ++i) put(out, 0, 4);
    if (hasMasks) put(out, masks.red, 4), put(out, masks.green, 4), put(out, masks.blue, 4);
    if (hasAlpha) put(out, masks.alpha, 4);
    return out + rows;
}

using Pixels = std::vector<std::uint8_t>;

}  // namespace

class TestBmpDecoding : public QObject {
    Q_OBJECT
    static Pixels decoded(const std::string& bytes) {
        const auto image = decodeImage(bytes);
        return image && image->channels == 3 ? image->pixels : Pixels{};
    }

private Q_SLOTS:
    void fiveBitsReachWhite() {
        const std::string bytes = bitmap(3, 2, {0x7FFF, 0x7C00, 0x03E0, 0x001F, 0, 16 << 10 | 8 << 5 | 1});
        QCOMPARE(decoded(bytes), (Pixels{255, 255, 255, 255, 0, 0, 0, 255, 0, 0, 0, 255, 0, 0, 0, 132, 66, 8}));
    }
    void sixBitsOfGreenReachWhite() {
        const std::string bytes = bitmap(2, -2, {0xFFFF, 0xF800, 0x07E0, 16 << 11 | 32 << 5 | 30}, {0xF800, 0x07E0, 0x001F});
        QCOMPARE(decoded(bytes), (Pixels{255, 255, 255, 255, 0, 0, 0, 255, 0, 132, 130, 247}));
    }
    void fourBitsAndAlpha() {
        const Masks masks{0x0F00, 0x00F0, 0x000F, 0xF000};
        QCOMPARE(decoded(bitmap(2, 1, {0xF0F8, 0x0123}, masks)), (Pixels{0, 255, 136, 255, 255, 255}));
        QCOMPARE(decoded(bitmap(2, 1, {0x00F8, 0x0123}, masks)), (Pixels{0, 255, 136, 17, 34, 51}));  // nobody wrote the alpha
    }
    void refusesMasksThatCannotBe() {
        const auto apart = decodeImage(bitmap(2, 1, {1, 2}, {0x5000, 0x07E0, 0x001F}));
        QVERIFY(!apart);
        QVERIFY2(apart.error().detail.find("bits of a colour") != std::string::npos, apart.error().detail.c_str());
        std::string cut = bitmap(2, 2, {1, 2, 3, 4});
        cut.resize(cut.size() - 3);
        const auto truncated = decodeImage(cut);
        QVERIFY(!truncated);
        QVERIFY2(truncated.error().detail.find("truncated") != std::string::npos, truncated.error().detail.c_str());
    }
    void survivesFlippedBytes() {
        const std::string whole = bitmap(3, 2, {1, 2, 3, 4, 5, 6}, {0xF800, 0x07E0, 0x001F});
        for (std::size_t at = 0; at < whole.size(); ++at)
            for (const int flip : {0x01, 0x80, 0xFF}) {
                std::string bytes = whole;
                bytes[at] = static_cast<char>(bytes[at] ^ flip);
                const auto image = decodeImage(bytes);
                QVERIFY(!image || image->pixels.size() == static_cast<std::size_t>(image->width) * static_cast<std::size_t>(image->height) * static_cast<std::size_t>(image->channels));
            }
    }
};

QTEST_GUILESS_MAIN(TestBmpDecoding)
#include "tst_bmp_decoding.moc"
