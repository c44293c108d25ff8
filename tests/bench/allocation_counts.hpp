// Where a process that counts its allocations puts the counts: the file PID in the folder that this
// variable names.
#pragma once

#include <cstdint>

namespace marquee::bench
{

inline constexpr const char* allocation_folder = "MARQUEE_BENCH_ALLOCATIONS";

struct allocation_counts
{
    std::uint64_t calls = 0;
    std::uint64_t bytes = 0; ///< as requested
};

} // namespace marquee::bench
