// CPU time and memory of processes, from /proc.
#pragma once

#include "tests/bench/bench.hpp"

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace marquee::bench
{

/// Processes by name, in the order of the tables.
using processes = std::vector<std::pair<std::string, pid_t>>;

/// Seconds of CPU time a process has used since its start, in all threads.
[[nodiscard]] double cpu_seconds(pid_t pid);

[[nodiscard]] std::uint64_t resident_bytes(pid_t pid);

/// Its peak resident memory since its start, or since the watch below began.
[[nodiscard]] std::uint64_t peak_bytes(pid_t pid);

/// Time of all cores since the machine's start, in ticks (proc(5), /proc/stat).
struct core_time
{
    double idle = 0; ///< waiting for disks included
    double all = 0;
};
[[nodiscard]] core_time cores_now();

/// CPU time and peak memory of processes from here on, and as that of `client` the CPU time of this
/// thread and of children that end meanwhile.
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
