#include "engine/api/module_stamp.h"

#include <elf.h>

#include <cstring>
#include <fstream>
#include <vector>

#include "engine/api/recipe_module.h"

namespace espalier::api {
namespace {

constexpr std::uint64_t kMaxNoteBytes = 1 << 20;
constexpr std::size_t kMaxSegments = 4096;
constexpr const char* kRemedy = "Build it against this version with find_package(Espalier)";

#if defined(__x86_64__)
constexpr int kMachine = EM_X86_64;
#elif defined(__aarch64__)
constexpr int kMachine = EM_AARCH64;
#else
constexpr int kMachine = EM_NONE;
#endif

tl::unexpected<Error> refuse(std::string what, const std::filesystem::path& file) {
    return fail(ErrorCode::BadInput, std::move(what), file.string(), kRemedy);
}

template <class T>
bool readAt(std::ifstream& stream, std::uint64_t offset, T* target, std::size_t count, std::uint64_t fileBytes) {
    const std::uint64_t bytes = sizeof(T) * count;
    if (offset > fileBytes || bytes > fileBytes - offset) return false;
    stream.seekg(static_cast<std::streamoff>(offset));
    return bool(stream.read(reinterpret_cast<char*>(target), static_cast<std::streamsize>(bytes)));
}

std::size_t padded(std::size_t bytes) { return (bytes + 3) / 4 * 4; }

/// Walks the notes of one segment; empty when ours is not among them or a length does not fit.
std::string stampIn(const std::vector<char>& notes) {
    std::size_t at = 0;
    while (notes.size() - at >= sizeof(Elf64_Nhdr)) {
        Elf64_Nhdr head;
        std::memcpy(&head, notes.data() + at, sizeof head);
        at += sizeof head;
        const std::size_t left = notes.size() - at;
        if (head.n_namesz > left || padded(head.n_namesz) > left || head.n_descsz > left - padded(head.n_namesz)) return {};
        const char* name = notes.data() + at;
        const char* text = name + padded(head.n_namesz);
        if (head.n_type == kModuleNoteType && head.n_namesz == kModuleNoteName.size() + 1 &&
            std::memcmp(name, kModuleNoteName.data(), kModuleNoteName.size()) == 0)
            return std::string(text, ::strnlen(text, head.n_descsz));
        const std::size_t step = padded(head.n_namesz) + padded(head.n_descsz);
        if (step > left) return {};
        at += step;
    }
    return {};
}

}  // namespace

Result<std::string> readModuleStamp(const std::filesystem::path& file) {
    std::error_code error;
    if (!std::filesystem::is_regular_file(file, error))
        return fail(ErrorCode::NotFound, "there is no such recipe module", file.string(),
                    "Check ESPALIER_PLUGINS and the plugins folder");
    const std::uint64_t fileBytes = std::filesystem::file_size(file, error);
    std::ifstream stream(file, std::ios::binary);
    if (error || !stream)
        return fail(ErrorCode::Io, "the recipe module cannot be read", file.string(), "Check its permissions");
    Elf64_Ehdr head;
    if (!readAt(stream, 0, &head, 1, fileBytes) || std::memcmp(head.e_ident, ELFMAG, SELFMAG) != 0)
        return refuse("is not a shared library, so it holds no recipe", file);
    if (head.e_ident[EI_CLASS] != ELFCLASS64 || head.e_ident[EI_DATA] != ELFDATA2LSB || head.e_machine != kMachine ||
        head.e_type != ET_DYN)
        return refuse("is not a shared library for this kind of machine", file);
    if (head.e_phentsize != sizeof(Elf64_Phdr) || head.e_phnum > kMaxSegments)
        return refuse("is damaged: its program header makes no sense", file);
    std::vector<Elf64_Phdr> segments(head.e_phnum);
    if (!readAt(stream, head.e_phoff, segments.data(), segments.size(), fileBytes))
        return refuse("is damaged: it ends before its program header", file);
    for (const auto& segment : segments) {
        if (segment.p_type != PT_NOTE || segment.p_filesz == 0) continue;
        std::vector<char> notes(segment.p_filesz <= kMaxNoteBytes ? segment.p_filesz : 0);
        if (notes.empty() || !readAt(stream, segment.p_offset, notes.data(), notes.size(), fileBytes))
            return refuse("is damaged: its notes lie outside the file", file);
        if (auto stamp = stampIn(notes); !stamp.empty()) return stamp;
    }
    return refuse("carries no Espalier stamp, so it is no recipe module", file);
}

}  // namespace espalier::api
