// How many lines a kind of event may write: whatever others send can go wrong a million times, and the log has to stay readable.
#pragma once

#include "broker/log.hpp"

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <mutex>
#include <string_view>
#include <utility>

namespace marquee
{

/// So many in each window of time. Not thread-safe.
class log_quota
{
public:
    using clock = std::chrono::steady_clock;

    constexpr log_quota(std::uint64_t lines, std::chrono::milliseconds window) : most_(lines), window_(window) {}

    /// May a line be written? Each that is granted counts.
    [[nodiscard]] bool grants(clock::time_point now)
    {
        if (now >= next_)
        {
            next_ = now + window_;
            granted_ = 0;
        }
        if (granted_ < most_)
        {
            ++granted_;
            return true;
        }
        ++refused_;
        return false;
    }

    /// How many were refused since this was asked last.
    [[nodiscard]] std::uint64_t take_refused() { return std::exchange(refused_, 0); }

    /// The next that is asked for opens a window.
    [[nodiscard]] bool window_ended(clock::time_point now) const noexcept { return now >= next_; }

private:
    std::uint64_t most_;
    std::chrono::milliseconds window_;
    std::uint64_t granted_ = 0;
    std::uint64_t refused_ = 0;
    clock::time_point next_{};
};

/// A kind of line that foreign input can cause. What the quota refuses is counted, and one line tells the number when the window has ended: before the next
/// line of the kind, or by report_left_out(). One static object for each kind. Thread-safe.
class limited_log
{
public:
    /// `text` is a literal.
    limited_log(log_level level, std::string_view text, log_quota quota = {20, std::chrono::seconds(10)});
    ~limited_log();
    limited_log(const limited_log&) = delete;
    limited_log& operator=(const limited_log&) = delete;

    void write(std::initializer_list<log_field> fields = {}, log_quota::clock::time_point now = log_quota::clock::now());

    /// Tells what was left out, where the window has ended or `at_once`.
    void report(log_quota::clock::time_point now, bool at_once);

private:
    void tell_left_out();

    const log_level level_;
    const std::string_view text_;
    std::mutex mutex_;
    log_quota quota_;
};

/// All limited logs tell what was left out in windows that have ended; `at_once` in those under way, too. Programs call it once a second and at their end.
void report_left_out(bool at_once = false);

} // namespace marquee
