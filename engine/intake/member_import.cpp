#include "engine/intake/member_import.h"

#include <algorithm>

#include "engine/intake/byte_source.h"

namespace espalier::intake {

namespace {

/// The largest class number of the labels; empty when one of them is none.
std::optional<std::size_t> largestNumber(const std::vector<std::string>& labels) {
    std::size_t largest = 0;
    for (const std::string& label : labels) {
        if (label.empty() || label.size() > 9 || label.find_first_not_of("0123456789") != std::string::npos) return std::nullopt;
        largest = std::max<std::size_t>(largest, std::stoul(label));
    }
    return largest;
}

/// The labels of every pair of the plan.
class PairLabels {
public:
    PairLabels(MemberFile& file, const MemberPlan& plan, std::string path) : m_file(file), m_plan(plan), m_path(std::move(path)) {}

    std::string whereOf(std::size_t member) const { return m_path + ", member " + m_file.members()[member].name; }
    const std::vector<std::string>* of(std::size_t pair) const { return m_plan.pairs[pair].labels ? &m_labels[pair] : nullptr; }
    std::int64_t total() const { return m_total; }

    Result<void> read(RowSink& sink) {
        const auto& members = m_file.members();
        std::vector<std::string> classNames, all;
        if (m_plan.classNames && members[*m_plan.classNames].trouble.empty()) {
            ESPALIER_TRY(classNames, m_file.readLabels(*m_plan.classNames, whereOf(*m_plan.classNames)));
        }
        m_labels.resize(m_plan.pairs.size());
        for (std::size_t i = 0; i < m_plan.pairs.size(); ++i) {
            const MemberPair& pair = m_plan.pairs[i];
            ESPALIER_CHECK_OK(m_file.checkImages(pair.images, whereOf(pair.images)));
            m_total += members[pair.images].shape[0];
            if (!pair.labels) continue;
            ESPALIER_TRY(m_labels[i], m_file.readLabels(*pair.labels, whereOf(*pair.labels)));
            ESPALIER_CHECK_OK(checkLength(pair, static_cast<std::int64_t>(m_labels[i].size())));
            all.insert(all.end(), m_labels[i].begin(), m_labels[i].end());
        }
        applyClassNames(std::move(classNames), all, sink);
        return {};
    }

private:
    /// Class numbers become the names that another member lists for them; all or none.
    void applyClassNames(std::vector<std::string> names, const std::vector<std::string>& all, RowSink& sink) {
        const auto largest = largestNumber(all);
        if (largest && !names.empty() && *largest >= names.size()) {
            sink.warn({shownName(m_path), 0, "class_names_ignored",
                       "member " + m_file.members()[*m_plan.classNames].name + " names " + grouped(static_cast<std::int64_t>(names.size())) +
                           " classes, but the labels go up to " + std::to_string(*largest) + ": the classes keep their numbers", Outcome::Ignored});
            names.clear();
        }
        if (names.empty()) return declareSorted(all, sink);
        for (const std::string& name : names) sink.declareClass(name);
        for (auto& labels : m_labels)
            for (std::string& label : labels)
                if (largest) label = names[std::stoul(label)];
    }
    Result<void> checkLength(const MemberPair& pair, std::int64_t labels) const {
        const MemberInfo &images = m_file.members()[pair.images], &names = m_file.members()[*pair.labels];
        if (labels == images.shape[0]) return {};
        return fail(ErrorCode::BadInput,
                    "member " + images.name + " has " + grouped(images.shape[0]) + " samples, but member " + names.name + " has " +
                        grouped(labels) + " labels",
                    m_path, "Store one label a sample");
    }

    MemberFile& m_file;
    const MemberPlan& m_plan;
    std::string m_path;
    std::vector<std::vector<std::string>> m_labels;
    std::int64_t m_total = 0;
};

}  // namespace

Result<void> importMembers(MemberFile& file, const std::filesystem::path& path, const ImportOptions& options, RowSink& sink) {
    const auto& members = file.members();
    ESPALIER_TRY(const MemberPlan plan, guessMembers(members, options, path.string()));
    PairLabels labels(file, plan, path.string());
    ESPALIER_CHECK_OK(labels.read(sink));
    ArrayDelivery delivery(sink, options, labels.total());
    for (std::size_t i = 0; i < plan.pairs.size(); ++i) {
        const MemberPair& pair = plan.pairs[i];
        const std::string& name = members[pair.images].name;
        ArrayDelivery::Part part;
        part.file = file.fileOf(pair.images);
        if (part.file.empty()) part.file = shownName(path) + (plan.pairs.size() > 1 ? ":" + name : "");
        part.where = labels.whereOf(pair.images);
        part.split = pair.split;
        part.labels = labels.of(i);
        if (!part.labels)
            sink.warn({part.file, 0, "unlabelled", "no labels were found for member " + name + "; its samples came in unlabelled", Outcome::Kept});
        ESPALIER_CHECK_OK(file.deliver(pair.images, part, delivery));
    }
    for (const std::string& name : plan.ignored)
        sink.warn({shownName(path), 0, "member_ignored", "member " + name + " was not used", Outcome::Ignored});
    return {};
}

}  // namespace espalier::intake
