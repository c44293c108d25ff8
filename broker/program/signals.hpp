// What a program does with SIGHUP, and with SIGINT and SIGTERM until it serves.
#pragma once

#include <memory>

namespace marquee
{

/// Blocks SIGHUP in the calling thread and in those it starts: no program ends by it, and one that
/// comes early is kept. Called first in main(), before another thread starts.
void block_sighup();

/// Lets the calling thread receive SIGHUP, one that was blocked until now included.
void unblock_sighup();

/// During its lifetime SIGINT and SIGTERM end the process at once with exit code 0, whatever the
/// other threads do: nothing is served yet, and what programs store is consistent at any time.
/// Runs a thread of its own, because connecting and opening files block the others.
class exit_on_signal
{
public:
    exit_on_signal();
    ~exit_on_signal();
    exit_on_signal(const exit_on_signal&) = delete;
    exit_on_signal& operator=(const exit_on_signal&) = delete;

private:
    struct waiter;
    std::unique_ptr<waiter> waiter_;
};

/// "INT" or "TERM", for logs.
[[nodiscard]] const char* signal_name(int number) noexcept;

} // namespace marquee
