#include "engine/base/clock.h"

#include <chrono>
#include <ctime>
#include <random>

namespace espalier {

double wallClockSecs() {
    return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

double runClockSecs() {
    const auto passed = [] {
        timespec now{};
        ::clock_gettime(CLOCK_BOOTTIME, &now);
        return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
    };
    static const double begin = wallClockSecs() - passed();
    return begin + passed();
}

double steadySecs() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::string utcText(double unixSecs) {
    const auto seconds = static_cast<std::time_t>(unixSecs);
    std::tm parts{};
    gmtime_r(&seconds, &parts);
    char text[32];
    std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
    return text;
}

std::string makeId() {
    // Crockford's alphabet: no letter that is easily misread.
    static const char kAlphabet[] = "0123456789abcdefghjkmnpqrstvwxyz";
    static thread_local std::mt19937_64 random{std::random_device{}()};
    auto tenths = static_cast<std::uint64_t>(wallClockSecs() * 10.0);
    std::string id(12, '0');
    for (int i = 6; i >= 0; --i, tenths >>= 5) id[static_cast<std::size_t>(i)] = kAlphabet[tenths & 31];
    auto bits = random();
    for (std::size_t i = 7; i < 12; ++i, bits >>= 5) id[i] = kAlphabet[bits & 31];
    return id;
}

}  // namespace espalier
