#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "engine/base/result.h"
#include "engine/catalog/run_rows.h"

namespace espalier::catalog {

/// From row number to place in a list of rows; a plain array where the numbers are dense, as they are in a catalog that
/// was never attacked.
class Places {
public:
    explicit Places(const std::vector<std::int64_t>& numbers);
    /// −1 when the row is not in the list.
    std::int64_t of(std::int64_t number) const;

private:
    std::vector<std::int32_t> m_dense;
    std::unordered_map<std::int64_t, std::int32_t> m_sparse;
};

/// The places of `numbers` in the order that the terms ask for; runs that compare equal keep their order.
Result<std::vector<std::uint32_t>> sortedPlaces(Database& database, const std::vector<std::int64_t>& numbers,
                                                const std::vector<SortTerm>& terms);

}  // namespace espalier::catalog
