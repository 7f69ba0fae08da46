#pragma once

#include <cstdint>
#include <string>

namespace espalier {

/// Seconds since the Unix epoch; may jump when the clock is set.
double wallClockSecs();
/// Seconds of a clock that never goes backwards; only differences mean something.
double steadySecs();
/// "2026-11-24T08:17:12Z".
std::string utcText(double unixSecs);
/// Twelve characters, sortable by creation time and unlikely to clash: time in base 32, then random.
std::string makeId();

}  // namespace espalier
