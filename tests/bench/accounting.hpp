// What processes cost, by the operating system's own accounts.
#pragma once

#include "tests/bench/bench.hpp"

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace marquee::bench
{

/// Processes by name, in the order in which they stand in tables.
using processes = std::vector<std::pair<std::string, pid_t>>;

/// Seconds of CPU time a process has used, all threads of its life together.
[[nodiscard]] double cpu_seconds(pid_t pid);

[[nodiscard]] std::uint64_t resident_bytes(pid_t pid);

/// The most it was resident since its start, or since the watch below began.
[[nodiscard]] std::uint64_t peak_bytes(pid_t pid);

/// CPU time and peak memory of processes from here on, and the CPU time of this thread as that of `client`.
class cost_watch
{
public:
    explicit cost_watch(processes watched);

    /// Adds `cpu NAME` (microseconds for each of `count`) and `peak NAME` (MiB).
    void add_to(figures& to, double count) const;

private:
    processes watched_;
    std::vector<double> before_;
    double client_before_;
};

} // namespace marquee::bench
