#include "broker/base/log_writer.hpp"

#include "broker/base/log_line.hpp"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <climits>
#include <condition_variable>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <mutex>
#include <string_view>
#include <thread>
#include <utility>

namespace marquee
{

namespace
{

using namespace std::chrono_literals;

bool writable_within(std::chrono::milliseconds time) noexcept
{
    pollfd one{STDERR_FILENO, POLLOUT, 0};
    return ::poll(&one, 1, static_cast<int>(time.count())) != 0; // an error is found by the write
}

/// Writes whole lines, as many at once as a pipe takes in one piece, so that those of several
/// processes do not mix. `patience` is for each piece; negative: for ever. Returns what is left
/// where that fails.
std::string_view write_lines(std::string_view lines, std::chrono::milliseconds patience) noexcept
{
    while (!lines.empty())
    {
        auto end = lines.size() <= PIPE_BUF ? lines.size() : lines.rfind('\n', PIPE_BUF - 1) + 1;
        if (end == 0) // a line that is longer
            end = lines.find('\n') + 1;
        for (auto piece = lines.substr(0, end); !piece.empty();)
        {
            if (patience >= 0ms && !writable_within(patience))
                return lines;
            const auto written = ::write(STDERR_FILENO, piece.data(), std::min<std::size_t>(piece.size(), PIPE_BUF));
            if (written > 0)
                piece.remove_prefix(static_cast<std::size_t>(written));
            else if (errno == EAGAIN) // somebody else has made it non-blocking
                static_cast<void>(writable_within(1s));
            else if (errno != EINTR)
                return lines;
        }
        lines.remove_prefix(end);
    }
    return {};
}

/// What all threads share. Never destroyed: a thread that standard error blocks is left behind.
struct shared_queue
{
    std::mutex mutex;
    std::condition_variable work; ///< there are lines, or the thread shall end
    std::condition_variable idle; ///< all lines are written
    std::string lines;
    bool queued = false;  ///< there is a thread that writes
    bool waiting = false; ///< it waits for work
    bool writing = false;
    bool ending = false;
    bool stuck = false; ///< the last line found no reader in time; without a thread
    std::uint64_t unreported = 0;
    std::atomic<std::uint64_t> dropped{0};
    std::atomic<bool> runs{false};

    /// With the mutex.
    void drop(std::string_view what) noexcept
    {
        const auto count = static_cast<std::uint64_t>(std::count(what.begin(), what.end(), '\n'));
        unreported += count;
        dropped.fetch_add(count, std::memory_order_relaxed);
    }
};

shared_queue& queue() noexcept
{
    static auto& shared = *new shared_queue;
    return shared;
}

/// The line that says how many lines were dropped before it; empty: none were.
std::string line_of_dropped(std::uint64_t count)
{
    if (count == 0)
        return {};
    return log_line(log_level::warning, "lines of the log were dropped").add("count", count).take();
}

/// With the mutex.
void write_at_once(shared_queue& to, const std::string& line)
{
    const auto told = std::exchange(to.unreported, 0);
    const auto left = write_lines(line, to.stuck ? 0ms : 1000ms);
    to.stuck = !left.empty();
    if (to.stuck)
    {
        to.unreported = told;
        to.drop("\n");
    }
    else if (told > 0 && !write_lines(line_of_dropped(told), 0ms).empty())
        to.unreported = told;
}

void run_thread(shared_queue& from)
{
    std::string batch;
    std::unique_lock lock(from.mutex);
    for (;;)
    {
        from.waiting = true;
        from.work.wait(lock, [&] { return !from.lines.empty() || from.ending; });
        from.waiting = false;
        if (from.lines.empty())
            return;
        std::swap(batch, from.lines);
        from.writing = true;
        const auto told = std::exchange(from.unreported, 0);
        lock.unlock();
        const auto left = write_lines(batch, -1ms);
        const auto unsaid = left.empty() && !write_lines(line_of_dropped(told), -1ms).empty();
        lock.lock();
        from.drop(left);
        if (unsaid || !left.empty())
            from.unreported += told;
        batch.clear();
        from.writing = false;
        if (from.lines.empty())
            from.idle.notify_all();
    }
}

/// A thread that takes no signals, so that they interrupt the main thread; SIGPIPE does not end the
/// process.
std::thread start_thread()
{
    sigset_t all;
    sigset_t before;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    std::thread started([] { run_thread(queue()); });
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    return started;
}

std::terminate_handler terminate_before = nullptr; // NOLINT: set by the first log_thread

void flush_and_terminate()
{
    flush_log(500ms);
    terminate_before();
}

} // namespace

void write_log_line(const std::string& line)
{
    auto& to = queue();
    const std::lock_guard lock(to.mutex);
    if (!to.queued)
        return write_at_once(to, line);
    if (to.lines.size() + line.size() > max_log_queue_bytes)
        return to.drop("\n");
    to.lines += line;
    if (to.waiting)
        to.work.notify_one();
}

bool flush_log(std::chrono::milliseconds at_most) noexcept
{
    auto& from = queue();
    std::unique_lock lock(from.mutex);
    return !from.queued || from.idle.wait_for(lock, at_most, [&] { return from.lines.empty() && !from.writing; });
}

std::uint64_t log_lines_dropped() noexcept { return queue().dropped.load(std::memory_order_relaxed); }

void exit_at_once(int code) noexcept
{
    flush_log(500ms);
    std::_Exit(code);
}

log_thread::log_thread()
{
    auto& shared = queue();
    if (terminate_before == nullptr)
        terminate_before = std::set_terminate(flush_and_terminate);
    const std::lock_guard lock(shared.mutex);
    shared.ending = false;
    shared.queued = true;
    shared.runs.store(true, std::memory_order_relaxed);
    thread_ = start_thread();
}

log_thread::~log_thread()
{
    auto& shared = queue();
    shared.runs.store(false, std::memory_order_relaxed);
    {
        // One lock for both: a line that came between would keep the thread, for ever where nobody
        // reads.
        std::unique_lock lock(shared.mutex);
        if (!shared.idle.wait_for(lock, 1s, [&] { return shared.lines.empty() && !shared.writing; }))
        {
            thread_.detach(); // it stays, and what is logged from now on goes to its queue
            return;
        }
        shared.ending = true;
        shared.queued = false;
        shared.work.notify_all();
    }
    thread_.join();
}

bool log_thread::runs() noexcept { return queue().runs.load(std::memory_order_relaxed); }

} // namespace marquee
