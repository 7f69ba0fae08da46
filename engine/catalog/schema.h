#pragma once

#include "engine/base/result.h"
#include "engine/catalog/database.h"

namespace espalier::catalog {

/// Version that this program writes (PRAGMA user_version).
int schemaVersion() noexcept;

/// Creates or migrates the tables. A catalog of a newer program is Unsupported and left alone.
Result<void> prepareSchema(Database& database);

}  // namespace espalier::catalog
