// Memory, descriptors and threads of a running process, from /proc.
#pragma once

#include <cstddef>
#include <ostream>

#include <sys/types.h>

namespace marquee::test
{

struct usage
{
    long resident_kib = 0;
    long peak_kib = 0; ///< since its start, or since forget_peak()
    std::size_t descriptors = 0;
    int threads = 0;
};

/// Throws std::runtime_error where there is no such process.
[[nodiscard]] usage usage_of(pid_t pid);

/// Resets the peak to the current use.
void forget_peak(pid_t pid);

std::ostream& operator<<(std::ostream& out, const usage& what);

} // namespace marquee::test
