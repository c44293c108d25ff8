// What the operating system says about this process.
#pragma once

#include <cstdint>
#include <optional>

namespace marquee
{

/// At one moment. Members are empty where the system does not say.
struct process_figures
{
    double start_seconds = 0; ///< since 1970, when the program began
    double cpu_seconds = 0;   ///< of all threads, in user and kernel mode
    std::optional<std::uint64_t> resident_bytes;
    std::optional<std::uint64_t> open_files; ///< file descriptors
    std::optional<std::uint64_t> max_files;  ///< none: without limit
};

/// Thread-safe. Takes microseconds for a thousand open files.
[[nodiscard]] process_figures read_process_figures();

} // namespace marquee
