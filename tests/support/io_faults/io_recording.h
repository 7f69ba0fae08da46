#pragma once

#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

/// What a process did to the files of one folder, and what of it a power cut would leave.
namespace espalier::tests {

enum class IoOp : std::uint8_t { Write, Sync, Cut, Rename, Link, Remove };

struct IoEntry {
    IoOp op = IoOp::Write;
    std::string path, other;  ///< `other`: the new name of Rename and Link
    std::uint64_t offset = 0;  ///< of Write; the new size of Cut
    std::string data;
};

inline std::string encodeIo(IoOp op, std::string_view path, std::string_view other, std::uint64_t offset, std::string_view data) {
    std::string out(1, static_cast<char>(op));
    const auto text = [&out](std::string_view bytes) {
        const auto size = static_cast<std::uint32_t>(bytes.size());
        out.append(reinterpret_cast<const char*>(&size), sizeof size).append(bytes);
    };
    text(path);
    text(other);
    out.append(reinterpret_cast<const char*>(&offset), sizeof offset);
    text(data);
    return out;
}

inline std::vector<IoEntry> decodeIo(const std::string& bytes) {
    std::vector<IoEntry> entries;
    std::size_t at = 0;
    const auto text = [&] {
        std::uint32_t size = 0;
        std::memcpy(&size, bytes.data() + at, sizeof size);
        at += sizeof size + size;
        return bytes.substr(at - size, size);
    };
    while (at < bytes.size()) {
        IoEntry entry;
        entry.op = static_cast<IoOp>(bytes[at++]);
        entry.path = text();
        entry.other = text();
        std::memcpy(&entry.offset, bytes.data() + at, sizeof entry.offset);
        at += sizeof entry.offset;
        entry.data = text();
        entries.push_back(std::move(entry));
    }
    return entries;
}

/// A disk that keeps what was synced for certain, and of the rest what chance leaves: writes may be missing, torn at
/// 512 bytes or out of order; names change durably when their folder is synced, and in order.
class PowerCut {
public:
    void apply(const IoEntry& entry) {
        switch (entry.op) {
            case IoOp::Write:
            case IoOp::Cut: file(entry.path)->pending.push_back(entry); return;
            case IoOp::Sync:
                if (const auto found = m_names.find(entry.path); found != m_names.end()) {
                    for (const auto& change : found->second->pending) change_(found->second->durable, change);
                    found->second->pending.clear();
                } else {
                    syncFolder(entry.path);
                }
                return;
            case IoOp::Rename:
                m_names[entry.other] = file(entry.path);
                m_names.erase(entry.path);
                break;
            case IoOp::Link: m_names[entry.other] = file(entry.path); break;
            case IoOp::Remove: m_names.erase(entry.path); break;
        }
        m_nameChanges.push_back(m_names);
    }

    /// Paths and contents after a cut here.
    std::map<std::string, std::string> survivors(std::mt19937& random) const {
        // Any later state of the names may have reached the disk, in order.
        auto names = m_durableNames;
        if (const auto pick = random() % (m_nameChanges.size() + 1); pick > 0)
            names = m_nameChanges[pick - 1];
        std::map<std::string, std::string> files;
        for (const auto& [path, node] : names) {
            auto content = node->durable;
            const auto mode = random() % 3;  // nothing, everything, or some of what was not synced
            for (const auto& change : node->pending) {
                if (mode == 0 || (mode == 2 && random() % 2)) continue;
                auto torn = change;
                if (mode == 2 && change.op == IoOp::Write && random() % 4 == 0)
                    torn.data.resize(std::min<std::size_t>(torn.data.size(), 512 * (random() % 8)));
                change_(content, torn);
            }
            files[path] = std::move(content);
        }
        return files;
    }

private:
    struct Node {
        std::string durable;
        std::vector<IoEntry> pending;
    };
    using Names = std::map<std::string, std::shared_ptr<Node>>;

    std::shared_ptr<Node> file(const std::string& path) {
        auto& node = m_names[path];
        if (!node) {
            node = std::make_shared<Node>();
            m_nameChanges.push_back(m_names);
        }
        return node;
    }
    void syncFolder(const std::string& folder) {
        const auto isIn = [&](const std::string& path) {
            return path.size() > folder.size() && path.rfind(folder + "/", 0) == 0 && path.find('/', folder.size() + 1) == std::string::npos;
        };
        std::erase_if(m_durableNames, [&](const auto& entry) { return isIn(entry.first); });
        for (const auto& [path, node] : m_names)
            if (isIn(path)) m_durableNames[path] = node;
        m_nameChanges.clear();
    }
    static void change_(std::string& content, const IoEntry& change) {
        if (change.op == IoOp::Cut) return content.resize(change.offset, '\0');
        if (change.data.empty()) return;
        if (content.size() < change.offset + change.data.size()) content.resize(change.offset + change.data.size(), '\0');
        content.replace(change.offset, change.data.size(), change.data);
    }

    Names m_names, m_durableNames;
    std::vector<Names> m_nameChanges;  ///< after each change since the last sync of a folder
};

}  // namespace espalier::tests
