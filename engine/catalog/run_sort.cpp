#include "engine/catalog/run_sort.h"

#include <algorithm>
#include <bit>
#include <numeric>

namespace espalier::catalog {
namespace {

enum class Rank : std::uint8_t { Number, Text, Missing };

struct SortKey {
    double number = 0;
    std::uint64_t head = 0;  ///< first eight bytes of the folded text, big-endian
    std::uint32_t begin = 0, length = 0;
    Rank rank = Rank::Missing;
};

struct SortColumn {
    std::vector<SortKey> keys;
    std::string texts;  ///< all texts, folded to lower case, one behind the other
    bool isDescending = false;

    std::string_view rest(const SortKey& key) const { return std::string_view(texts).substr(key.begin, key.length); }
    /// −1, 0 or 1: which place comes first.
    int compare(std::uint32_t left, std::uint32_t right) const {
        const auto &a = keys[left], &b = keys[right];
        if (a.rank != b.rank) return a.rank < b.rank ? -1 : 1;
        int order = 0;
        if (a.rank == Rank::Number) {
            order = a.number < b.number ? -1 : a.number > b.number;
        } else if (a.rank == Rank::Text) {
            order = a.head < b.head ? -1 : a.head > b.head;
            if (order == 0 && (a.length > 8 || b.length > 8)) order = rest(a).compare(rest(b));
        }
        return isDescending ? -order : order;
    }
};

struct Packed {
    std::uint64_t head = 0;
    std::uint32_t place = 0;
    Rank rank = Rank::Missing;
};

/// The beginning of a key as an unsigned number that sorts in the wanted direction; equal ones need the whole key.
Packed packedKey(const SortColumn& column, std::uint32_t place) {
    const auto& key = column.keys[place];
    Packed packed{key.head, place, key.rank};
    if (key.rank == Rank::Number) {
        constexpr std::uint64_t kSign = std::uint64_t(1) << 63;
        const auto bits = std::bit_cast<std::uint64_t>(key.number + 0.0);  // −0 becomes 0
        packed.head = bits & kSign ? ~bits : bits | kSign;
    }
    if (column.isDescending && key.rank != Rank::Missing) packed.head = ~packed.head;
    return packed;
}

SortKey textKey(std::string_view text, std::string& texts) {
    SortKey key;
    key.rank = Rank::Text;
    key.begin = static_cast<std::uint32_t>(texts.size());
    key.length = static_cast<std::uint32_t>(text.size());
    for (const char c : text) texts += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    for (std::size_t i = 0; i < 8; ++i)
        key.head = key.head << 8 | (i < text.size() ? static_cast<unsigned char>(texts[key.begin + i]) : 0U);
    return key;
}

Result<SortColumn> readColumn(Database& database, const SortTerm& term, const Places& places, std::size_t count) {
    // Texts of a sort key count 4 GiB at most together; notes are no sort key of that size in practice.
    constexpr std::size_t kMaxTextBytes = 256;
    SortColumn column;
    column.isDescending = term.isDescending;
    column.keys.resize(count);
    ESPALIER_TRY(auto rows, database.prepare(term.sql));
    for (const auto& value : term.values) rows.bindValue(value);
    for (;;) {
        ESPALIER_TRY(const bool hasRow, rows.step());
        if (!hasRow) return column;
        const auto place = places.of(rows.integer(0));
        if (place < 0 || rows.isNull(1)) continue;
        auto& key = column.keys[static_cast<std::size_t>(place)];
        if (rows.isText(1)) {
            key = textKey(rows.view(1).substr(0, kMaxTextBytes), column.texts);
        } else {
            key.rank = Rank::Number;
            key.number = rows.real(1);
        }
    }
}

}  // namespace

Places::Places(const std::vector<std::int64_t>& numbers) {
    const auto highest = numbers.empty() ? 0 : *std::max_element(numbers.begin(), numbers.end());
    const auto lowest = numbers.empty() ? 0 : *std::min_element(numbers.begin(), numbers.end());
    constexpr std::int64_t kAlwaysDense = 4'000'000;
    if (lowest >= 0 && highest < kAlwaysDense + 8 * static_cast<std::int64_t>(numbers.size())) {
        m_dense.assign(static_cast<std::size_t>(highest) + 1, -1);
        for (std::size_t i = 0; i < numbers.size(); ++i)
            m_dense[static_cast<std::size_t>(numbers[i])] = static_cast<std::int32_t>(i);
        return;
    }
    m_sparse.reserve(numbers.size());
    for (std::size_t i = 0; i < numbers.size(); ++i) m_sparse.emplace(numbers[i], static_cast<std::int32_t>(i));
}

std::int64_t Places::of(std::int64_t number) const {
    if (!m_dense.empty())
        return number >= 0 && number < static_cast<std::int64_t>(m_dense.size()) ? m_dense[static_cast<std::size_t>(number)] : -1;
    const auto found = m_sparse.find(number);
    return found == m_sparse.end() ? -1 : found->second;
}

Result<std::vector<std::uint32_t>> sortedPlaces(Database& database, const std::vector<std::int64_t>& numbers,
                                                const std::vector<SortTerm>& terms) {
    std::vector<std::uint32_t> order(numbers.size());
    std::iota(order.begin(), order.end(), 0U);
    if (terms.empty()) return order;
    const Places places(numbers);
    std::vector<SortColumn> columns;
    for (const auto& term : terms) {
        ESPALIER_TRY(auto column, readColumn(database, term, places, numbers.size()));
        columns.push_back(std::move(column));
    }
    // The first key decides nearly all comparisons: it is packed beside the place, so they stay in the cache.
    std::vector<Packed> packed(order.size());
    for (std::uint32_t place = 0; place < packed.size(); ++place) packed[place] = packedKey(columns.front(), place);
    std::sort(packed.begin(), packed.end(), [&](const Packed& left, const Packed& right) {
        if (left.rank != right.rank) return left.rank < right.rank;
        if (left.head != right.head) return left.head < right.head;
        for (const auto& column : columns)
            if (const int which = column.compare(left.place, right.place); which != 0) return which < 0;
        return left.place < right.place;
    });
    for (std::size_t i = 0; i < packed.size(); ++i) order[i] = packed[i].place;
    return order;
}

}  // namespace espalier::catalog
