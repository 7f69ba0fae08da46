#pragma once

#include "engine/feed/dataset.h"
#include "engine/intake/row_table.h"

namespace espalier::intake {

/// Warnings that only the whole data set shows, added to its summary: classes without samples, one class, no class,
/// names that differ in case alone.
void warnOfClasses(feed::DatasetSummary& summary);
/// Exact copies in several splits or classes. Needs summary.exactGroups.
void warnOfCopies(feed::DatasetSummary& summary, const RowTable& table);
/// Near copies across the source's own splits flatter every test figure, so the worst are named.
void warnOfNearLeaks(feed::DatasetSummary& summary, const RowTable& table);

}  // namespace espalier::intake
