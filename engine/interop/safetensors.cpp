#include "engine/interop/safetensors.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <set>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <openssl/evp.h>

#include "engine/base/files.h"
#include "engine/interop/safetensors_types.h"

namespace espalier::interop {
namespace fs = std::filesystem;
namespace {

constexpr std::uint64_t kMaxHeaderBytes = 100'000'000;

/// Read-only file that is read by position: unlike a mapping it cannot fault when the file shrinks meanwhile.
class InputFile {
public:
    explicit InputFile(const fs::path& path) : m_path(path), m_fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}
    InputFile(const InputFile&) = delete;
    InputFile& operator=(const InputFile&) = delete;
    ~InputFile() {
        if (m_fd >= 0) ::close(m_fd);
    }
    Result<std::uint64_t> size() const {
        if (m_fd < 0) return fail(ioError("cannot be opened", m_path, errno));
        struct stat info {};
        if (::fstat(m_fd, &info) != 0) return fail(ioError("cannot be read", m_path, errno));
        if (!S_ISREG(info.st_mode)) return fail(ErrorCode::BadInput, "is not a file", m_path.string());
        return static_cast<std::uint64_t>(info.st_size);
    }
    Result<void> read(std::uint64_t offset, void* target, std::uint64_t bytes) const {
        char* out = static_cast<char*>(target);
        while (bytes > 0) {
            const auto count = ::pread(m_fd, out, std::min<std::uint64_t>(bytes, 1u << 30), static_cast<off_t>(offset));
            if (count < 0 && errno == EINTR) continue;
            if (count < 0) return fail(ioError("cannot be read", m_path, errno));
            if (count == 0) return fail(ErrorCode::Corrupt, "became shorter while it was read", m_path.string());
            out += count;
            offset += static_cast<std::uint64_t>(count);
            bytes -= static_cast<std::uint64_t>(count);
        }
        return {};
    }

private:
    fs::path m_path;
    int m_fd;
};

struct OpenedHeader {
    SafetensorsHeader header;
    std::uint64_t payloadStart = 0;
};

Result<OpenedHeader> openHeader(const InputFile& file, const fs::path& path) {
    ESPALIER_TRY(const std::uint64_t size, file.size());
    const std::string remedy = "The file is damaged or no safetensors file: fetch or export it again";
    if (size < 10)
        return fail(ErrorCode::Corrupt, "has " + std::to_string(size) + " bytes, too few for a safetensors file",
                    path.string(), remedy);
    std::array<unsigned char, 8> raw{};
    ESPALIER_CHECK_OK(file.read(0, raw.data(), raw.size()));
    std::uint64_t length = 0;
    for (int i = 7; i >= 0; --i) length = length << 8 | raw[static_cast<std::size_t>(i)];
    if (length > kMaxHeaderBytes || length > size - 8)
        return fail(ErrorCode::Corrupt,
                    "claims a header of " + std::to_string(length) + " bytes in a file of " + std::to_string(size),
                    path.string(), remedy);
    std::string text(length, '\0');
    ESPALIER_CHECK_OK(file.read(8, text.data(), length));
    OpenedHeader opened;
    opened.payloadStart = 8 + length;
    ESPALIER_TRY(opened.header, parseSafetensorsHeader(text, size - opened.payloadStart, path.string()));
    return opened;
}

std::string headerText(const nn::NamedTensors& named, const std::vector<std::size_t>& payloadOrder) {
    std::vector<std::uint64_t> begins(named.tensors.size());
    std::uint64_t position = 0;
    for (const std::size_t i : payloadOrder) {
        begins[i] = position;
        position += static_cast<std::uint64_t>(named.tensors[i].second.nbytes());
    }
    nlohmann::ordered_json json = nlohmann::ordered_json::object();
    if (!named.metadata.empty()) json["__metadata__"] = named.metadata;
    for (std::size_t i = 0; i < named.tensors.size(); ++i) {
        const auto& [name, tensor] = named.tensors[i];
        json[name] = {{"dtype", storedType(tensor.scalar_type())->name},
                      {"shape", std::vector<std::int64_t>(tensor.sizes().begin(), tensor.sizes().end())},
                      {"data_offsets", {begins[i], begins[i] + tensor.nbytes()}}};
    }
    std::string text = json.dump();
    text.append((8 - text.size() % 8) % 8, ' ');
    return text;
}

Result<void> checkWritable(const fs::path& path, const nn::NamedTensors& named) {
    std::set<std::string> names;
    for (const auto& [name, tensor] : named.tensors) {
        if (name.empty() || name == "__metadata__" || !names.insert(name).second)
            return fail(ErrorCode::Internal, "a tensor is named '" + name + "', which is empty, reserved or taken",
                        path.string());
        if (!tensor.defined() || !storedType(tensor.scalar_type()))
            return fail(ErrorCode::Unsupported, "the tensor '" + name + "' has a type that safetensors cannot hold",
                        path.string());
    }
    return {};
}

}  // namespace

Result<SafetensorsHeader> readSafetensorsHeader(const fs::path& path) {
    const InputFile file(path);
    ESPALIER_TRY(auto opened, openHeader(file, path));
    return std::move(opened.header);
}

Result<nn::NamedTensors> readSafetensors(const fs::path& path) {
    const InputFile file(path);
    ESPALIER_TRY(auto opened, openHeader(file, path));
    nn::NamedTensors named;
    named.metadata = std::move(opened.header.metadata);
    try {
        for (auto& entry : opened.header.entries) {
            at::Tensor tensor = at::empty(entry.shape, at::TensorOptions(entry.type));
            ESPALIER_CHECK_OK(
                file.read(opened.payloadStart + entry.begin, tensor.data_ptr(), entry.end - entry.begin));
            if (entry.type == at::kBool) {
                // Any non-zero byte is true; C++ only defines 0 and 1.
                auto* bytes = static_cast<unsigned char*>(tensor.data_ptr());
                std::for_each(bytes, bytes + tensor.numel(), [](unsigned char& byte) { byte = byte != 0; });
            }
            named.add(std::move(entry.name), std::move(tensor));
        }
    } catch (const c10::Error& error) {
        return fail(ErrorCode::OutOfMemory, "there is not enough memory for its tensors", path.string(),
                    "Close other programs or use a smaller model", error.what_without_backtrace());
    }
    return named;
}

Result<std::int64_t> writeSafetensors(const fs::path& path, const nn::NamedTensors& named) {
    ESPALIER_CHECK_OK(checkWritable(path, named));
    std::vector<std::size_t> order(named.tensors.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        return named.tensors[a].second.element_size() > named.tensors[b].second.element_size();
    });
    std::string text;
    try {
        text = headerText(named, order);
    } catch (const nlohmann::json::exception&) {
        return fail(ErrorCode::BadInput, "a tensor name or metadata text is not valid UTF-8", path.string());
    }
    std::array<std::byte, 8> length{};
    for (std::size_t i = 0; i < 8; ++i) length[i] = static_cast<std::byte>(text.size() >> (8 * i) & 0xff);
    std::int64_t payload = 0;
    ESPALIER_CHECK_OK(writeFileAtomically(path, [&](const ByteSink& sink) -> Result<void> {
        ESPALIER_CHECK_OK(sink(length));
        ESPALIER_CHECK_OK(sink(std::as_bytes(std::span(text))));
        for (const std::size_t i : order) {
            const at::Tensor tensor = named.tensors[i].second.detach().to(at::kCPU).contiguous();
            const auto bytes = static_cast<std::size_t>(tensor.nbytes());
            if (bytes > 0) ESPALIER_CHECK_OK(sink({static_cast<const std::byte*>(tensor.data_ptr()), bytes}));
            payload += static_cast<std::int64_t>(bytes);
        }
        return {};
    }));
    return payload;
}

std::int64_t safetensorsPayloadBytes(const nn::NamedTensors& named) {
    std::int64_t bytes = 0;
    for (const auto& [name, tensor] : named.tensors) bytes += static_cast<std::int64_t>(tensor.nbytes());
    return bytes;
}

Result<std::string> sha256OfFile(const fs::path& path) {
    const InputFile file(path);
    ESPALIER_TRY(const std::uint64_t size, file.size());
    const std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
    if (!context || EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr) != 1)
        return fail(ErrorCode::Internal, "SHA-256 is not available", "OpenSSL");
    std::vector<unsigned char> block(1 << 20);
    for (std::uint64_t offset = 0; offset < size; offset += block.size()) {
        const auto count = std::min<std::uint64_t>(block.size(), size - offset);
        ESPALIER_CHECK_OK(file.read(offset, block.data(), count));
        EVP_DigestUpdate(context.get(), block.data(), count);
    }
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned int length = 0;
    EVP_DigestFinal_ex(context.get(), digest.data(), &length);
    static constexpr char kHex[] = "0123456789abcdef";
    std::string hex;
    for (unsigned int i = 0; i < length; ++i) {
        hex += kHex[digest[i] >> 4];
        hex += kHex[digest[i] & 15];
    }
    return hex;
}

}  // namespace espalier::interop
