#include <QtTest>

#include <opencv2/imgcodecs.hpp>

#include "engine/intake/image_decoding.h"
#include "tests/engine/intake/build_helpers.h"
#include "tests/engine/intake/picture_files.h"

using namespace espalier;
using namespace espalier::intake;
using namespace picturefiles;

namespace {

std::size_t scanStart(const std::string& jpeg) {
    const std::size_t marker = jpeg.find("\xFF\xDA");
    return marker + 2 + std::size_t(static_cast<unsigned char>(jpeg[marker + 2])) * 256 + static_cast<unsigned char>(jpeg[marker + 3]);
}

/// The scan's last third replaced by bits that no table has a code for.
std::string damaged(const std::string& jpeg) {
    std::string bytes = jpeg;
    const std::size_t start = scanStart(jpeg), end = jpeg.size() - 2;
    for (std::size_t i = start + (end - start) * 2 / 3; i < end; ++i) bytes[i] = static_cast<char>(i % 2 ? 0xFE : 0x7F);
    return bytes;
}

}  // namespace

/// JPEGs whole and damaged: the same pixels as libjpeg's other users see, and never a damaged one in silence.
class TestJpegDecoding : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void givesThePixelsOfTheLibrary_data() {
        QTest::addColumn<QList<int>>("options");
        QTest::newRow("baseline") << QList<int>{cv::IMWRITE_JPEG_QUALITY, 90};
        QTest::newRow("progressive") << QList<int>{cv::IMWRITE_JPEG_PROGRESSIVE, 1};
        QTest::newRow("restart markers") << QList<int>{cv::IMWRITE_JPEG_RST_INTERVAL, 1};
    }
    void givesThePixelsOfTheLibrary() {
        QFETCH(QList<int>, options);
        const std::string jpeg = encoded(blobs(3, 45), ".jpg", std::vector<int>(options.begin(), options.end()));
        const cv::Mat wanted = cv::imdecode(cv::Mat(1, int(jpeg.size()), CV_8U, const_cast<char*>(jpeg.data())), cv::IMREAD_COLOR);
        ImageRemarks remarks;
        const auto image = decodeImage(jpeg, &remarks);
        QVERIFY(image && remarks.empty());
        QCOMPARE(image->channels, 3);
        for (int y = 0; y < 45; ++y)
            for (int x = 0; x < 45; ++x)
                for (int c = 0; c < 3; ++c) QCOMPARE(int(image->pixels[std::size_t((y * 45 + x) * 3 + c)]), int(wanted.at<cv::Vec3b>(y, x)[2 - c]));
    }
    void greyStaysGrey() {
        cv::Mat grey;
        cv::cvtColor(blobs(3), grey, cv::COLOR_BGR2GRAY);
        const auto image = decodeImage(encoded(grey, ".jpg"));
        QVERIFY(image && image->channels == 1);
    }
    void damageIsARemark() {
        const std::string whole = encoded(blobs(5, 64), ".jpg", {cv::IMWRITE_JPEG_QUALITY, 95});
        ImageRemarks remarks;
        const auto image = decodeImage(damaged(whole), &remarks);
        QVERIFY2(image.has_value(), image ? "" : image.error().detail.c_str());
        QCOMPARE(remarks.size(), std::size_t(1));
        QCOMPARE(QString::fromStdString(remarks[0].kind), QStringLiteral("damaged_image"));
        QVERIFY2(remarks[0].detail.find("corrupt JPEG data") != std::string::npos, remarks[0].detail.c_str());
    }
    void flippedBitsNeverPassWhenTheDecoderNotices() {
        const std::string whole = encoded(blobs(6, 64), ".jpg", {cv::IMWRITE_JPEG_QUALITY, 95});
        int told = 0, refused = 0;
        for (std::size_t i = scanStart(whole); i < whole.size() - 2; i += 7)
            for (const int bit : {0, 3, 6}) {
                std::string bytes = whole;
                bytes[i] = static_cast<char>(bytes[i] ^ (1 << bit));
                ImageRemarks remarks;
                const auto image = decodeImage(bytes, &remarks);
                QVERIFY(image ? image->pixels.size() == std::size_t(3 * 64 * 64) : !image.error().detail.empty());
                told += image && !remarks.empty();
                refused += !image;
            }
        // A flip mostly shifts all codes behind it, so that the scan ends too early or too late.
        QVERIFY2(told + refused > 50, qPrintable(QStringLiteral("%1 told, %2 refused").arg(told).arg(refused)));
    }
    void damageIsAWarningOfTheImport() {
        Builder builder;
        for (int i = 0; i < 6; ++i) write(builder.root() / (i % 2 ? "cat" : "dog") / (std::to_string(i) + ".jpg"), encoded(blobs(i), ".jpg"));
        write(builder.root() / "cat" / "hurt.jpg", damaged(encoded(blobs(9, 64), ".jpg")));
        const auto summary = builder.build({});
        QVERIFY2(summary.has_value(), summary ? "" : summary.error().sentence().c_str());
        QCOMPARE(summary->samples, 7);
        const Warning* warning = warningOf(*summary, "damaged_image");
        QVERIFY(warning && warning->file == "cat/hurt.jpg" && warning->outcome == Outcome::Kept);
        int count = 0;
        for (const auto& each : summary->warnings) count += each.kind == "damaged_image";
        QCOMPARE(count, 1);
    }
    void tellsWhatItCannotDecode() {
        std::string bytes = encoded(blobs(2), ".jpg");
        const std::size_t frame = bytes.find("\xFF\xC0");
        bytes[frame + 4] = 12;  // bits a sample
        const auto refused = decodeImage(bytes);
        QVERIFY(!refused);
        QVERIFY2(refused.error().detail.find("precision 12") != std::string::npos, refused.error().detail.c_str());
    }
};

QTEST_GUILESS_MAIN(TestJpegDecoding)
#include "tst_jpeg_decoding.moc"
