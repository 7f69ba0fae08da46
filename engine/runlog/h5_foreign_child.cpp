#include "engine/runlog/h5_foreign_child.h"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <set>
#include <string>
#include <vector>

#include <hdf5.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/runlog/h5_foreign.h"

namespace espalier::runlog {

namespace {

constexpr hsize_t kMaxChunkBytes = hsize_t(256) << 20;
constexpr std::size_t kMaxMembers = 10000, kMaxDepth = 32;
constexpr int kMaxEnumNames = 10000;
constexpr H5Z_filter_t kLzf = 32000;
constexpr double kMaxRatio = 1100.0;  ///< deflate cannot do better than 1032

/// Closes an HDF5 handle of any kind.
struct Handle {
    hid_t id = -1;
    Handle(hid_t value) : id(value) {}  // NOLINT: handles come as plain numbers
    Handle(const Handle&) = delete;
    Handle& operator=(const Handle&) = delete;
    ~Handle() {
        if (id >= 0) H5Idec_ref(id);
    }
    operator hid_t() const { return id; }
    bool isOpen() const { return id >= 0; }
};

struct Member {
    ForeignMember info;
    std::string openPath;
};

bool writeAll(int fd, const void* data, std::size_t size) {
    const char* at = static_cast<const char*>(data);
    while (size > 0) {
        const ssize_t count = ::write(fd, at, size);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return false;
        at += count;
        size -= static_cast<std::size_t>(count);
    }
    return true;
}

bool readAll(int fd, void* data, std::size_t size) {
    char* at = static_cast<char*>(data);
    while (size > 0) {
        const ssize_t count = ::read(fd, at, size);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return false;
        at += count;
        size -= static_cast<std::size_t>(count);
    }
    return true;
}

void answer(int fd, int status, const std::string& payload) {
    ForeignAnswer head;
    head.status = status;
    head.bytes = payload.size();
    if (!writeAll(fd, &head, sizeof head) || !writeAll(fd, payload.data(), payload.size())) _exit(1);
}

template <class T>
void put(std::string& out, T value) {
    out.append(reinterpret_cast<const char*>(&value), sizeof value);
}
void putText(std::string& out, const std::string& text) {
    put(out, std::uint64_t(text.size()));
    out += text;
}

/// Innermost message of the HDF5 error stack: what went wrong first.
std::string innermostError() {
    std::string text;
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD,
             [](unsigned, const H5E_error2_t* error, void* out) -> herr_t {
                 if (error->desc) *static_cast<std::string*>(out) = error->desc;
                 return 1;
             },
             &text);
    return text;
}

/// LZF as h5py packs it: a control byte below 32 copies that many + 1 bytes, others repeat earlier output.
std::size_t unpackLzf(const unsigned char* in, std::size_t inSize, unsigned char* out, std::size_t outSize) {
    std::size_t at = 0, to = 0;
    while (at < inSize) {
        const unsigned control = in[at++];
        if (control < 32) {
            const std::size_t run = control + 1;
            if (at + run > inSize || to + run > outSize) return 0;
            std::memcpy(out + to, in + at, run);
            at += run;
            to += run;
            continue;
        }
        std::size_t length = control >> 5;
        if (length == 7) {
            if (at >= inSize) return 0;
            length += in[at++];
        }
        length += 2;
        if (at >= inSize) return 0;
        const std::size_t distance = ((control & 31u) << 8 | in[at++]) + 1;
        if (distance > to || to + length > outSize) return 0;
        for (std::size_t i = 0; i < length; ++i, ++to) out[to] = out[to - distance];
    }
    return to;
}

std::size_t lzfFilter(unsigned flags, std::size_t count, const unsigned values[], std::size_t size, std::size_t* bufferSize, void** buffer) {
    if (!(flags & H5Z_FLAG_REVERSE) || count < 3 || values[2] == 0 || values[2] > kMaxChunkBytes) return 0;
    auto* out = static_cast<unsigned char*>(std::malloc(values[2]));
    if (!out) return 0;
    const std::size_t unpacked = unpackLzf(static_cast<unsigned char*>(*buffer), size, out, values[2]);
    if (unpacked == 0) {
        std::free(out);
        return 0;
    }
    std::free(*buffer);
    *buffer = out;
    *bufferSize = values[2];
    return unpacked;
}

std::string filterName(H5Z_filter_t filter) {
    switch (filter) {
        case 4: return "SZIP";
        case 307: return "bzip2";
        case 32001: return "Blosc";
        case 32004: return "LZ4";
        case 32008: return "bitshuffle";
        case 32013: return "ZFP";
        case 32015: return "Zstandard";
        case 32026: return "Blosc2";
        default: return "number " + std::to_string(filter);
    }
}

std::string storageTrouble(hid_t dataset, hid_t type, const std::vector<std::int64_t>& shape, std::int64_t& chunkRows) {
    const Handle plist(H5Dget_create_plist(dataset));
    const H5D_layout_t layout = H5Pget_layout(plist);
    if (layout == H5D_VIRTUAL) return "is a virtual dataset whose values live in other files";
    if (H5Pget_external_count(plist) > 0) return "is stored in another file (external storage), which is not followed";
    const double item = static_cast<double>(H5Tget_size(type));
    double bytes = item;
    for (const std::int64_t size : shape) bytes *= static_cast<double>(size);
    const auto stored = static_cast<double>(H5Dget_storage_size(dataset));
    if (bytes > 0 && stored == 0 && layout != H5D_COMPACT) return "has a shape but no stored values";
    const int filters = H5Pget_nfilters(plist);
    if (bytes > 1e9 && bytes > stored * (filters > 0 ? kMaxRatio : 1.0) + 1e6)
        return "claims " + std::to_string(static_cast<long long>(bytes)) + " bytes, but only " + std::to_string(static_cast<long long>(stored)) + " are stored";
    for (int i = 0; i < filters; ++i) {
        unsigned flags = 0, config = 0;
        std::size_t count = 0;
        char name[64] = {};
        const H5Z_filter_t filter = H5Pget_filter2(plist, static_cast<unsigned>(i), &flags, &count, nullptr, sizeof name, name, &config);
        if (filter >= 0 && H5Zfilter_avail(filter) <= 0)
            return "is packed with the filter " + filterName(filter) + " (" + std::to_string(filter) + "), which is not built in; repack it with gzip (h5repack -f GZIP=4)";
    }
    if (layout == H5D_CHUNKED && !shape.empty()) {
        std::vector<hsize_t> chunk(shape.size());
        if (H5Pget_chunk(plist, static_cast<int>(chunk.size()), chunk.data()) < 0) return "has chunks that cannot be read";
        double chunkBytes = item;
        for (const hsize_t size : chunk) chunkBytes *= static_cast<double>(size);
        if (chunkBytes > static_cast<double>(kMaxChunkBytes)) return "is stored in chunks of more than 256 MB; store it in smaller ones";
        chunkRows = static_cast<std::int64_t>(std::max<hsize_t>(chunk[0], 1));
    }
    return {};
}

/// The names of an enum's numbers; none when there are absurdly many or one cannot be read.
std::vector<std::pair<double, std::string>> enumNames(hid_t type) {
    const int count = H5Tget_nmembers(type);
    const Handle base(H5Tget_super(type));
    if (count <= 0 || count > kMaxEnumNames || !base.isOpen() || H5Tget_size(base) > sizeof(double)) return {};
    std::vector<std::pair<double, std::string>> names;
    for (int i = 0; i < count; ++i) {
        double value = 0;  // receives the number as stored, then as converted in place
        char* name = H5Tget_member_name(type, static_cast<unsigned>(i));
        const bool isRead = name && H5Tget_member_value(type, static_cast<unsigned>(i), &value) >= 0 &&
                            H5Tconvert(base, H5T_NATIVE_DOUBLE, 1, &value, nullptr, H5P_DEFAULT) >= 0;
        if (name) names.emplace_back(value, name);
        H5free_memory(name);
        if (!isRead) return {};
    }
    return names;
}

void describeDataset(hid_t dataset, Member& member) {
    ForeignMember& info = member.info;
    const Handle type(H5Dget_type(dataset)), space(H5Dget_space(dataset));
    const int rank = H5Sget_simple_extent_ndims(space);
    if (!type.isOpen() || rank < 0) {
        info.trouble = "cannot be described: " + innermostError();
        return;
    }
    std::vector<hsize_t> sizes(static_cast<std::size_t>(rank));
    if (rank > 0) H5Sget_simple_extent_dims(space, sizes.data(), nullptr);
    for (const hsize_t size : sizes) {
        if (size > hsize_t(1) << 48) info.trouble = "claims more values than any file can hold";
        info.shape.push_back(static_cast<std::int64_t>(size));
    }
    const H5T_class_t kind = H5Tget_class(type);
    if (kind == H5T_INTEGER || kind == H5T_FLOAT || kind == H5T_ENUM) info.kind = ForeignMember::Kind::Number;
    if (kind == H5T_ENUM) info.names = enumNames(type);
    if (kind == H5T_STRING) info.kind = ForeignMember::Kind::Text;
    info.isByte = kind == H5T_INTEGER && H5Tget_size(type) == 1 && H5Tget_sign(type) == H5T_SGN_NONE;
    if (info.trouble.empty()) info.trouble = storageTrouble(dataset, type, info.shape, info.chunkRows);
}

/// Walks groups once each; soft links are kept for later, links to other files become members with trouble.
class Walker {
public:
    Walker(hid_t file, std::vector<Member>& members) : m_file(file), m_members(members), m_linkAccess(H5Pcreate(H5P_LINK_ACCESS)) {
        H5Pset_nlinks(m_linkAccess, 16);
        H5Pset_elink_cb(m_linkAccess, [](const char*, const char*, const char*, const char*, unsigned*, hid_t, void*) -> herr_t { return -1; }, nullptr);
    }
    void walk() {
        walkGroup("/", 0);
        for (const std::string& path : m_softLinks) {
            if (m_members.size() >= kMaxMembers) break;
            visit(path, kMaxDepth);
        }
    }

private:
    struct Link {
        std::string name;
        H5L_type_t type;
    };
    void walkGroup(const std::string& path, std::size_t depth) {
        std::vector<Link> links;
        const Handle group(H5Gopen2(m_file, path.c_str(), H5P_DEFAULT));
        if (!group.isOpen()) return;
        hsize_t index = 0;
        H5Literate(group, H5_INDEX_NAME, H5_ITER_NATIVE, &index,
                   [](hid_t, const char* name, const H5L_info_t* info, void* out) -> herr_t {
                       auto& list = *static_cast<std::vector<Link>*>(out);
                       list.push_back({name, info->type});
                       return list.size() < kMaxMembers ? 0 : 1;
                   },
                   &links);
        for (const Link& link : links) {
            if (m_members.size() >= kMaxMembers) return;
            const std::string inner = (path == "/" ? "/" : path + "/") + link.name;
            if (link.type == H5L_TYPE_HARD) visit(inner, depth + 1);
            else if (link.type == H5L_TYPE_SOFT) m_softLinks.push_back(inner);
            else refuse(inner, "is an external link to another file, which is not followed");
        }
    }
    void visit(const std::string& path, std::size_t depth) {
        H5O_info_t info;
        const Handle object(H5Oopen(m_file, path.c_str(), m_linkAccess));
        if (!object.isOpen()) {
            if (depth < kMaxDepth) refuse(path, "cannot be opened: " + innermostError());
            return;
        }
        if (H5Oget_info2(object, &info, H5O_INFO_BASIC) < 0) return;
        if (info.type == H5O_TYPE_GROUP) {
            if (depth < kMaxDepth && m_groups.insert(info.addr).second) walkGroup(path, depth);
        } else if (info.type == H5O_TYPE_DATASET) {
            Member member;
            member.info.path = path.substr(1);
            member.openPath = path;
            describeDataset(object, member);
            m_members.push_back(std::move(member));
        }
    }
    void refuse(const std::string& path, const std::string& why) {
        Member member;
        member.info.path = path.substr(1);
        member.info.trouble = why;
        m_members.push_back(std::move(member));
    }
    hid_t m_file;
    std::vector<Member>& m_members;
    Handle m_linkAccess;
    std::set<haddr_t> m_groups;
    std::vector<std::string> m_softLinks;
};

std::string membersPayload(const std::vector<Member>& members) {
    std::string out;
    put(out, std::uint64_t(members.size()));
    for (const Member& member : members) {
        putText(out, member.info.path);
        putText(out, member.info.trouble);
        put(out, member.info.kind);
        put(out, std::uint8_t(member.info.isByte));
        put(out, member.info.chunkRows);
        put(out, std::uint64_t(member.info.names.size()));
        for (const auto& [value, name] : member.info.names) {
            put(out, value);
            putText(out, name);
        }
        put(out, std::uint64_t(member.info.shape.size()));
        for (const std::int64_t size : member.info.shape) put(out, size);
    }
    return out;
}

bool readTexts(hid_t dataset, hid_t fileType, hid_t memory, hid_t space, std::size_t items, std::string& out) {
    const Handle type(H5Tcopy(H5T_C_S1));
    H5Tset_cset(type, H5Tget_cset(fileType));
    if (H5Tis_variable_str(fileType) > 0) {
        H5Tset_size(type, H5T_VARIABLE);
        std::vector<char*> texts(items, nullptr);
        if (H5Dread(dataset, type, memory, space, H5P_DEFAULT, texts.data()) < 0) return false;
        for (const char* text : texts) putText(out, text ? text : "");
        H5Dvlen_reclaim(type, memory, H5P_DEFAULT, texts.data());
        return true;
    }
    const std::size_t size = H5Tget_size(fileType);
    H5Tset_size(type, size);
    H5Tset_strpad(type, H5Tget_strpad(fileType));
    std::string raw(items * size, '\0');
    if (H5Dread(dataset, type, memory, space, H5P_DEFAULT, raw.data()) < 0) return false;
    const bool isSpacePadded = H5Tget_strpad(fileType) == H5T_STR_SPACEPAD;
    for (std::size_t i = 0; i < items; ++i) {
        std::string text(raw.data() + i * size, strnlen(raw.data() + i * size, size));
        while (isSpacePadded && !text.empty() && text.back() == ' ') text.pop_back();
        putText(out, text);
    }
    return true;
}

void serve(hid_t file, const std::vector<Member>& members, const ForeignRequest& request, int out) {
    if (request.member >= members.size()) return answer(out, kForeignRefused, "there is no such member");
    const Member& member = members[request.member];
    if (!member.info.trouble.empty()) return answer(out, kForeignRefused, member.info.trouble);
    const Handle dataset(H5Dopen2(file, member.openPath.c_str(), H5P_DEFAULT));
    const Handle type(dataset.isOpen() ? H5Dget_type(dataset) : -1), space(dataset.isOpen() ? H5Dget_space(dataset) : -1);
    if (!type.isOpen() || !space.isOpen()) return answer(out, kForeignDamaged, innermostError());
    std::vector<hsize_t> start(member.info.shape.size(), 0), count;
    std::size_t items = 1;
    for (const std::int64_t size : member.info.shape) count.push_back(static_cast<hsize_t>(size));
    if (!count.empty()) {
        start[0] = static_cast<hsize_t>(request.first);
        count[0] = static_cast<hsize_t>(request.count);
    }
    for (const hsize_t size : count) items *= size;
    const Handle memory(H5Screate_simple(static_cast<int>(count.size()), count.data(), nullptr));
    if (!count.empty() && H5Sselect_hyperslab(space, H5S_SELECT_SET, start.data(), nullptr, count.data(), nullptr) < 0)
        return answer(out, kForeignRefused, "the rows asked for lie outside it");
    std::string payload;
    bool isRead = false;
    if (request.verb == ForeignVerb::Texts) {
        isRead = readTexts(dataset, type, memory, space, items, payload);
    } else {
        const bool isBytes = request.verb == ForeignVerb::Bytes;
        payload.resize(items * (isBytes ? 1 : sizeof(double)));
        isRead = H5Dread(dataset, isBytes ? H5T_NATIVE_UINT8 : H5T_NATIVE_DOUBLE, memory, space, H5P_DEFAULT, payload.data()) >= 0;
    }
    if (!isRead) return answer(out, kForeignDamaged, innermostError());
    answer(out, kForeignOk, payload);
}

[[noreturn]] void runChild(const char* path, int socket) {
    H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
    H5PLset_loading_state(0);  // no code of a plug-in folder runs
    static const H5Z_class2_t kLzfClass{H5Z_CLASS_T_VERS, kLzf, 0, 1, "lzf", nullptr, nullptr, lzfFilter};
    H5Zregister(&kLzfClass);
    const htri_t isHdf5 = H5Fis_hdf5(path);
    if (isHdf5 <= 0) {
        answer(socket, kForeignNotHdf5, "");
        _exit(0);
    }
    const Handle access(H5Pcreate(H5P_FILE_ACCESS));
    H5Pset_fclose_degree(access, H5F_CLOSE_STRONG);
    const hid_t file = H5Fopen(path, H5F_ACC_RDONLY, access);
    if (file < 0) {
        answer(socket, kForeignDamaged, innermostError());
        _exit(0);
    }
    std::vector<Member> members;
    Walker(file, members).walk();
    answer(socket, kForeignOk, membersPayload(members));
    ForeignRequest request;
    while (readAll(socket, &request, sizeof request)) serve(file, members, request, socket);
    _exit(0);
}

}  // namespace

void runForeignChild(const char* path, int socket) {
    try {
        runChild(path, socket);
    } catch (...) {
        answer(socket, kForeignDamaged, "more memory was asked for than a sound file needs");
        _exit(1);
    }
}

}  // namespace espalier::runlog
