// Writes the lines of the log to standard error, on a thread of its own where it must not block.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <thread>

namespace marquee
{

/// Bytes of lines that wait to be written; as many may be in the hands of the thread that writes.
/// A line beyond that is dropped and counted.
inline constexpr std::size_t max_log_queue_bytes = 1U << 20U;

/// Writes a line that ends with LF. While there is a log_thread it is queued, and nothing blocks.
/// Without one it is written at once; a reader that takes nothing delays that by a second, once,
/// and the line is dropped. Thread-safe.
void write_log_line(const std::string& line);

/// Waits until all lines are written, for `at_most`. Returns whether they are. Thread-safe.
bool flush_log(std::chrono::milliseconds at_most) noexcept;

/// Lines that were not written since the start: the queue was full, or standard error failed. Once
/// lines flow again, one says how many. Thread-safe.
[[nodiscard]] std::uint64_t log_lines_dropped() noexcept;

/// Ends the process at once, but for the lines of the log: they have half a second.
[[noreturn]] void exit_at_once(int code) noexcept;

/// While it exists lines are written by a thread of its own, which takes no signals. An uncaught
/// exception flushes before it ends the process. The destructor waits for the lines, for a second
/// at most. One at a time; construct and destroy it on the main thread.
class log_thread
{
public:
    log_thread();
    ~log_thread();
    log_thread(const log_thread&) = delete;
    log_thread& operator=(const log_thread&) = delete;

    /// Whether there is one. Thread-safe.
    [[nodiscard]] static bool runs() noexcept;

private:
    std::thread thread_;
};

} // namespace marquee
