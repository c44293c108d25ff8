// The options of marquee-chaos.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace marquee::chaos
{

/// How much of it: plays to acknowledge, faults to cause, and how long a stopped process stays
/// stopped.
struct sizes
{
    std::uint64_t plays = 0;
    unsigned kills = 0;
    std::chrono::milliseconds duration{0};
};

struct options
{
    std::string scenario;
    std::uint64_t seed = 1;
    sizes size;
    std::string report;  ///< a file; empty: none
    std::string recount; ///< the independent checker, a Node program
};

} // namespace marquee::chaos
