#pragma once

#include <cstdint>
#include <string>

namespace espalier {

/// Seconds since the Unix epoch; may jump when the clock is set.
double wallClockSecs();
/// Seconds since the Unix epoch that never go backwards in this process and do not jump when the clock is set: the wall
/// clock of the first call plus the time that passed since, suspended or not. For anything that durations are made of.
double runClockSecs();
/// Seconds of a clock that never goes backwards; only differences mean something.
double steadySecs();
/// "2026-11-24T08:17:12Z".
std::string utcText(double unixSecs);
/// Twelve characters, sortable by creation time and unlikely to clash: time in base 32, then random.
std::string makeId();

}  // namespace espalier
