#include <QDir>
#include <QFile>
#include <QTemporaryDir>
#include <QTest>

#include <elf.h>

#include <cstring>

#include "engine/api/module_stamp.h"
#include "engine/api/recipe_module.h"
#include "engine/api/recipe_modules.h"

using namespace espalier;

namespace {

constexpr std::size_t kNoteAt = sizeof(Elf64_Ehdr) + sizeof(Elf64_Phdr);

/// The smallest file that a loader would look into: a header, one segment, one note.
struct TinyModule {
    Elf64_Ehdr head{};
    Elf64_Phdr segment{};
    api::ModuleNote note = api::moduleNote("api 1, LibTorch 2.15.0");

    TinyModule() {
        std::memcpy(head.e_ident, ELFMAG, SELFMAG);
        head.e_ident[EI_CLASS] = ELFCLASS64;
        head.e_ident[EI_DATA] = ELFDATA2LSB;
        head.e_type = ET_DYN;
#if defined(__aarch64__)
        head.e_machine = EM_AARCH64;
#else
        head.e_machine = EM_X86_64;
#endif
        head.e_phoff = sizeof head;
        head.e_phentsize = sizeof segment;
        head.e_phnum = 1;
        segment.p_type = PT_NOTE;
        segment.p_offset = kNoteAt;
        segment.p_filesz = sizeof note;
    }
    QByteArray bytes() const {
        QByteArray all(reinterpret_cast<const char*>(&head), sizeof head);
        all.append(reinterpret_cast<const char*>(&segment), sizeof segment);
        return all.append(reinterpret_cast<const char*>(&note), sizeof note);
    }
};

class Nothing : public api::Recipe {
public:
    Result<void> run(api::RunContext&) override { return {}; }
};

Result<void> addNamed(api::RecipeRegistry& registry, const char* id) {
    api::RecipeCard card;
    card.id = id;
    card.name = id;
    return registry.add(card, [] { return std::make_unique<Nothing>(); });
}

}  // namespace

/// The stamp in a module file, read as hostile bytes, and how the registry takes recipes over.
class TestRecipeModules : public QObject {
    Q_OBJECT

    std::filesystem::path written(const QByteArray& bytes) {
        QFile file(m_folder.filePath(QStringLiteral("module.so")));
        if (!file.open(QIODevice::WriteOnly) || file.write(bytes) != bytes.size()) qFatal("no scratch file");
        return file.fileName().toStdString();
    }

private Q_SLOTS:
    void readsTheStamp() {
        const auto stamp = api::readModuleStamp(written(TinyModule().bytes()));
        QVERIFY2(stamp.has_value(), stamp ? "" : stamp.error().sentence().c_str());
        QCOMPARE(*stamp, std::string("api 1, LibTorch 2.15.0"));
    }

    void findsTheStampBehindOtherNotes() {
        TinyModule module;
        // A build id: name "GNU", 5 bytes of text padded to 8.
        const unsigned head[] = {4, 5, 3};
        QByteArray other(reinterpret_cast<const char*>(head), sizeof head);
        other.append("GNU\0", 4).append("12345\0\0\0", 8);
        module.segment.p_filesz += static_cast<std::uint64_t>(other.size());
        auto bytes = module.bytes();
        bytes.insert(static_cast<int>(kNoteAt), other);
        const auto stamp = api::readModuleStamp(written(bytes));
        QVERIFY(stamp && *stamp == "api 1, LibTorch 2.15.0");
    }

    void refusesDamage_data() {
        QTest::addColumn<QByteArray>("bytes");
        QTest::addColumn<QByteArray>("says");
        const auto damaged = [](auto&& change) {
            TinyModule module;
            change(module);
            return module.bytes();
        };
        QTest::newRow("empty") << QByteArray() << QByteArray("not a shared library");
        QTest::newRow("text") << QByteArray("import torch\n").repeated(20) << QByteArray("not a shared library");
        QTest::newRow("header cut off") << TinyModule().bytes().left(40) << QByteArray("not a shared library");
        QTest::newRow("note cut off") << TinyModule().bytes().chopped(1) << QByteArray("notes lie outside");
        QTest::newRow("program, not library") << damaged([](auto& m) { m.head.e_type = ET_EXEC; }) << QByteArray("this kind of machine");
        QTest::newRow("other machine") << damaged([](auto& m) { m.head.e_machine = EM_S390; }) << QByteArray("this kind of machine");
        QTest::newRow("32 bits") << damaged([](auto& m) { m.head.e_ident[EI_CLASS] = ELFCLASS32; }) << QByteArray("this kind of machine");
        QTest::newRow("segments outside") << damaged([](auto& m) { m.head.e_phoff = ~0ull - 8; }) << QByteArray("before its program header");
        QTest::newRow("65,535 segments") << damaged([](auto& m) { m.head.e_phnum = 0xffff; }) << QByteArray("makes no sense");
        QTest::newRow("notes outside") << damaged([](auto& m) { m.segment.p_offset = ~0ull - 4; }) << QByteArray("notes lie outside");
        QTest::newRow("huge notes") << damaged([](auto& m) { m.segment.p_filesz = 1ull << 40; }) << QByteArray("notes lie outside");
        QTest::newRow("note name too long") << damaged([](auto& m) { m.note.nameBytes = 0xfffffffd; }) << QByteArray("no Espalier stamp");
        QTest::newRow("note text too long") << damaged([](auto& m) { m.note.textBytes = 0xfffffffd; }) << QByteArray("no Espalier stamp");
        QTest::newRow("other name") << damaged([](auto& m) { m.note.name[0] = 'X'; }) << QByteArray("no Espalier stamp");
        QTest::newRow("other type") << damaged([](auto& m) { m.note.type = 2; }) << QByteArray("no Espalier stamp");
        QTest::newRow("no notes") << damaged([](auto& m) { m.segment.p_type = PT_LOAD; }) << QByteArray("no Espalier stamp");
    }
    void refusesDamage() {
        QFETCH(QByteArray, bytes);
        QFETCH(QByteArray, says);
        const auto stamp = api::readModuleStamp(written(bytes));
        QVERIFY(!stamp);
        QVERIFY2(QByteArray::fromStdString(stamp.error().sentence()).contains(says), stamp.error().sentence().c_str());
    }

    void leavesOutOtherStampsAndOtherFiles() {
        written(TinyModule().bytes());
        QFile readme(m_folder.filePath(QStringLiteral("README.md")));
        QVERIFY(readme.open(QIODevice::WriteOnly));
        api::RecipeRegistry registry;
        const auto reports = api::loadRecipeModules(registry, {m_folder.path().toStdString(), m_folder.path().toStdString()},
                                                    "api 2, LibTorch 2.15.0");
        QCOMPARE(reports.size(), std::size_t(1));
        QVERIFY(reports[0].error && reports[0].error->what.find("api 1, LibTorch 2.15.0") != std::string::npos);
        QVERIFY(registry.cards().empty());
    }

    void placesComeFromTheEnvironmentFirst() {
        qputenv("XDG_DATA_HOME", m_folder.path().toUtf8());
        qputenv("ESPALIER_PLUGINS", "/one::/two.so");
        QVERIFY(QDir(m_folder.path()).mkpath(QStringLiteral("espalier/plugins")));
        const std::vector<std::filesystem::path> expected{"/one", "/two.so", m_folder.path().toStdString() + "/espalier/plugins"};
        QVERIFY(api::modulePlaces() == expected);
    }

    void registryTakesAllOrNone() {
        api::RecipeRegistry registry, good, clashing;
        QVERIFY(addNamed(registry, "70-compact"));
        QVERIFY(addNamed(good, "acme-one") && addNamed(good, "acme-two"));
        QVERIFY(addNamed(clashing, "free") && addNamed(clashing, "70-other"));
        QVERIFY(registry.addAll(good, "acme.so").has_value());
        QCOMPARE(registry.cards().size(), std::size_t(3));
        QCOMPARE(registry.originOf("acme-two"), std::string("acme.so"));
        QCOMPARE(registry.originOf("70-compact"), std::string());
        QVERIFY(registry.create("acme-one").has_value());
        QVERIFY(!registry.addAll(clashing, "clash.so"));
        QVERIFY(!registry.find("free"));
        QVERIFY(!registry.addAll(good, "again.so"));
        QCOMPARE(registry.originOf("acme-one"), std::string("acme.so"));
    }

private:
    QTemporaryDir m_folder;
};

QTEST_GUILESS_MAIN(TestRecipeModules)
#include "tst_recipe_modules.moc"
