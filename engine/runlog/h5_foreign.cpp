#include "engine/runlog/h5_foreign.h"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <system_error>

#include <hdf5.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/base/files.h"
#include "engine/runlog/h5_foreign_child.h"
#include "engine/runlog/sandbox.h"

namespace espalier::runlog {
namespace fs = std::filesystem;

namespace {

constexpr rlim_t kChildMemoryBytes = rlim_t(3) << 29;  ///< beyond what the parent has mapped
constexpr rlim_t kChildCpuSecs = 600;
constexpr int kAnswerTimeoutMillis = 60000;
constexpr std::uint64_t kMaxAnswerBytes = std::uint64_t(1) << 31;
const char* const kDownloadAgain = "Download or copy the file again";

struct ForkPlan {
    const char* path = nullptr;
    int ends[2] = {-1, -1};  ///< parent, child
    rlim_t memoryBytes = 0;
    pid_t child = -1;
    int forkError = 0;
};

rlim_t mappedBytes() {
    std::ifstream stream("/proc/self/statm");
    unsigned long long pages = 0;
    stream >> pages;
    return static_cast<rlim_t>(pages) * static_cast<rlim_t>(::sysconf(_SC_PAGESIZE));
}

void limit(int what, rlim_t value) {
    const rlimit both{value, value};
    ::setrlimit(what, &both);
}

void becomeChild(const ForkPlan& plan) {
    for (const int number : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTERM, SIGINT, SIGPIPE}) std::signal(number, SIG_DFL);
    limit(RLIMIT_AS, plan.memoryBytes);
    limit(RLIMIT_CPU, kChildCpuSecs);
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_FSIZE, 0);
    ::close(plan.ends[0]);
    (void)allowReadingOnly();
    runForeignChild(plan.path, plan.ends[1]);
}

/// Called by HDF5 with its process-wide lock held, so no other thread is inside the library at the moment of the fork:
/// the child inherits a consistent library whose lock belongs to its only thread.
herr_t forkInsideLock(hid_t, const char*, void* data) {
    auto& plan = *static_cast<ForkPlan*>(data);
    plan.child = ::fork();
    plan.forkError = errno;
    if (plan.child == 0) becomeChild(plan);
    return 1;
}

/// False when the child is gone or silent for too long.
bool readFor(int fd, void* data, std::size_t size) {
    char* at = static_cast<char*>(data);
    while (size > 0) {
        pollfd waiting{fd, POLLIN, 0};
        const int ready = ::poll(&waiting, 1, kAnswerTimeoutMillis);
        if (ready < 0 && errno == EINTR) continue;
        if (ready <= 0) return false;
        const ssize_t count = ::read(fd, at, size);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return false;
        at += count;
        size -= static_cast<std::size_t>(count);
    }
    return true;
}

/// Takes values off a payload; the child is trusted for form only as far as the bytes reach.
class Payload {
public:
    explicit Payload(const std::string& bytes) : m_bytes(bytes) {}
    template <class T>
    T take() {
        T value{};
        if (m_at + sizeof value > m_bytes.size()) {
            m_isGood = false;
            return value;
        }
        std::memcpy(&value, m_bytes.data() + m_at, sizeof value);
        m_at += sizeof value;
        return value;
    }
    std::string takeText() {
        const auto size = take<std::uint64_t>();
        if (!m_isGood || size > m_bytes.size() - m_at) {
            m_isGood = false;
            return {};
        }
        m_at += size;
        return m_bytes.substr(m_at - size, size);
    }
    bool isGood() const { return m_isGood; }

private:
    const std::string& m_bytes;
    std::size_t m_at = 0;
    bool m_isGood = true;
};

constexpr const char* kTooNew = "is stored in a file format of HDF5 that is newer than what is read here";

/// The library's words about version numbers that it does not know.
bool isBeyondLibrary(const std::string& trouble) {
    return trouble.find("bad version number") != std::string::npos || trouble.find("bad superblock version") != std::string::npos;
}

Result<void> checkBeginning(const fs::path& path) {
    std::error_code error;
    if (fs::is_directory(path, error)) return fail(ErrorCode::BadInput, "is a folder, not an HDF5 file", path.string(), "Name a file");
    std::ifstream stream(path, std::ios::binary);
    if (!stream) return fail(ioError("cannot be opened", path, errno));
    char head[64] = {};
    stream.read(head, sizeof head - 1);
    if (stream.gcount() == 0) return fail(ErrorCode::BadInput, "the file is empty (0 bytes)", path.string(), "Download or save it again");
    if (std::strncmp(head, "version https://git-lfs", 23) == 0)
        return fail(ErrorCode::BadInput, "is not an HDF5 file but a Git LFS pointer to one", path.string(), "Fetch the real file with git lfs pull");
    return {};
}

}  // namespace

Result<std::unique_ptr<ForeignH5>> ForeignH5::open(const fs::path& path) {
    ESPALIER_CHECK_OK(checkBeginning(path));
    std::unique_ptr<ForeignH5> file(new ForeignH5(path));
    ESPALIER_CHECK_OK(file->start());
    return file;
}

Result<void> ForeignH5::start() {
    const std::string path = fs::absolute(m_path).string();
    ForkPlan plan;
    plan.path = path.c_str();
    plan.memoryBytes = mappedBytes() + kChildMemoryBytes;
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, plan.ends) != 0)
        return fail(ioError("cannot start reading", m_path, errno));
    const hid_t plist = H5Pcreate(H5P_FILE_ACCESS);
    int index = 0;
    H5Piterate(plist, &index, forkInsideLock, &plan);
    H5Pclose(plist);
    ::close(plan.ends[1]);
    m_socket = plan.ends[0];
    m_childId = plan.child;
    if (plan.child < 0) return fail(ioError("cannot start reading", m_path, plan.forkError));

    ForeignAnswer head;
    std::string payload;
    if (!readFor(m_socket, &head, sizeof head) || head.bytes > kMaxAnswerBytes) return fail(childDied());
    payload.resize(head.bytes);
    if (!readFor(m_socket, payload.data(), payload.size())) return fail(childDied());
    if (head.status == kForeignNotHdf5)
        return fail(ErrorCode::BadInput, "is not an HDF5 file: the HDF5 signature is missing", m_path.string(), "Check what the file really holds");
    if (head.status != kForeignOk && isBeyondLibrary(payload))
        return fail(ErrorCode::Unsupported, kTooNew + (", or is damaged (" + payload + ")"), m_path.string(), kOlderHdf5);
    if (head.status != kForeignOk)
        return fail(ErrorCode::Corrupt, "is damaged or cut short and cannot be read: " + payload, m_path.string(), kDownloadAgain);
    Payload list(payload);
    const auto count = list.take<std::uint64_t>();
    for (std::uint64_t i = 0; i < count && list.isGood(); ++i) {
        ForeignMember member;
        member.path = list.takeText();
        member.trouble = list.takeText();
        member.isTooNew = isBeyondLibrary(member.trouble);
        if (member.isTooNew) member.trouble = kTooNew + (" (" + member.trouble + ")");
        member.kind = list.take<ForeignMember::Kind>();
        member.isByte = list.take<std::uint8_t>() != 0;
        member.chunkRows = list.take<std::int64_t>();
        const auto names = list.take<std::uint64_t>();
        for (std::uint64_t n = 0; n < names && list.isGood(); ++n) {
            const auto value = list.take<double>();
            member.names.emplace_back(value, list.takeText());
        }
        const auto rank = list.take<std::uint64_t>();
        for (std::uint64_t d = 0; d < rank && list.isGood(); ++d) member.shape.push_back(list.take<std::int64_t>());
        m_members.push_back(std::move(member));
    }
    if (!list.isGood()) return fail(childDied());
    return {};
}

Error ForeignH5::childDied() {
    m_isDead = true;
    if (m_childId > 0) ::kill(m_childId, SIGKILL);
    return Error{ErrorCode::Corrupt, "is damaged: reading it makes the HDF5 library crash, hang or ask for too much memory", m_path.string(),
                 kDownloadAgain, {}};
}

ForeignH5::~ForeignH5() {
    if (m_socket >= 0) ::close(m_socket);
    if (m_childId > 0) {
        // The child ends when its pipe closes; it owns nothing that a signal could harm.
        ::kill(m_childId, SIGKILL);
        while (::waitpid(m_childId, nullptr, 0) < 0 && errno == EINTR) {
        }
    }
}

Result<std::string> ForeignH5::ask(std::size_t member, int what, std::int64_t first, std::int64_t count) {
    const std::string where = m_path.string() + ", member " + (member < m_members.size() ? m_members[member].path : "?");
    if (m_isDead) return fail(childDied());
    const ForeignRequest request{static_cast<ForeignVerb>(what), static_cast<unsigned>(member), first, count};
    ForeignAnswer head;
    std::string payload;
    // MSG_NOSIGNAL: a dead child is an error here, not SIGPIPE.
    const bool isSent = ::send(m_socket, &request, sizeof request, MSG_NOSIGNAL) == static_cast<ssize_t>(sizeof request);
    if (!isSent || !readFor(m_socket, &head, sizeof head) || head.bytes > kMaxAnswerBytes) return fail(childDied());
    payload.resize(head.bytes);
    if (!readFor(m_socket, payload.data(), payload.size())) return fail(childDied());
    if (head.status == kForeignRefused) return fail(ErrorCode::Unsupported, payload, where);
    if (head.status != kForeignOk) return fail(ErrorCode::Corrupt, "cannot be read: " + payload, where, kDownloadAgain);
    return payload;
}

Result<std::vector<std::uint8_t>> ForeignH5::readBytes(std::size_t member, std::int64_t first, std::int64_t count) {
    ESPALIER_TRY(const std::string payload, ask(member, int(ForeignVerb::Bytes), first, count));
    return std::vector<std::uint8_t>(payload.begin(), payload.end());
}

Result<std::vector<double>> ForeignH5::readNumbers(std::size_t member, std::int64_t first, std::int64_t count) {
    ESPALIER_TRY(const std::string payload, ask(member, int(ForeignVerb::Numbers), first, count));
    std::vector<double> numbers(payload.size() / sizeof(double));
    std::memcpy(numbers.data(), payload.data(), numbers.size() * sizeof(double));
    return numbers;
}

Result<std::vector<std::string>> ForeignH5::readTexts(std::size_t member, std::int64_t first, std::int64_t count) {
    ESPALIER_TRY(const std::string payload, ask(member, int(ForeignVerb::Texts), first, count));
    Payload list(payload);
    std::vector<std::string> texts;
    std::int64_t items = count;
    for (std::size_t d = 1; d < m_members[member].shape.size(); ++d) items *= m_members[member].shape[d];
    for (std::int64_t i = 0; i < items && list.isGood(); ++i) texts.push_back(list.takeText());
    if (!list.isGood()) return fail(childDied());
    return texts;
}

}  // namespace espalier::runlog
