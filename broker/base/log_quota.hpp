// Rate limits for log lines that input from outside can cause.
#pragma once

#include "broker/base/log.hpp"

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <mutex>
#include <string_view>
#include <utility>

namespace marquee
{

/// Grants a number of lines per window of time, and counts the refused ones. Not thread-safe.
class log_quota
{
public:
    using clock = std::chrono::steady_clock;

    constexpr log_quota(std::uint64_t lines, std::chrono::milliseconds window) : limit_(lines), window_(window) {}

    /// Returns whether a line may be written now, and counts it.
    [[nodiscard]] bool grants(clock::time_point now)
    {
        if (now >= next_)
        {
            next_ = now + window_;
            granted_ = 0;
        }
        if (granted_ < limit_)
        {
            ++granted_;
            return true;
        }
        ++refused_;
        return false;
    }

    /// Returns how many were refused since the last call.
    [[nodiscard]] std::uint64_t take_refused() { return std::exchange(refused_, 0); }

    /// Returns whether the next line opens a new window.
    [[nodiscard]] bool window_ended(clock::time_point now) const noexcept { return now >= next_; }

private:
    std::uint64_t limit_;
    std::chrono::milliseconds window_;
    std::uint64_t granted_ = 0;
    std::uint64_t refused_ = 0;
    clock::time_point next_{};
};

/// One kind of log line with a quota. Lines beyond it are counted, and one line reports their
/// number after the end of the window: before the next line of the kind, or by report_left_out().
/// Make one static object per kind. Thread-safe.
class limited_log
{
public:
    /// `text` must be a literal.
    limited_log(log_level level, std::string_view text, log_quota quota = {20, std::chrono::seconds(10)});
    ~limited_log();
    limited_log(const limited_log&) = delete;
    limited_log& operator=(const limited_log&) = delete;

    void write(std::initializer_list<log_field> fields = {},
               log_quota::clock::time_point now = log_quota::clock::now());

    /// Whether a line of this kind may be written now, which the caller then writes; counts it.
    [[nodiscard]] bool grants(log_quota::clock::time_point now = log_quota::clock::now());

    /// Says what was left out, and begins anew with the whole quota.
    void restart();

    /// Logs how many lines were left out, if the window has ended or `at_once` is set.
    void report(log_quota::clock::time_point now, bool at_once);

private:
    void log_left_out();

    const log_level level_;
    const std::string_view text_;
    const log_quota whole_;
    std::mutex mutex_;
    log_quota quota_;
};

/// Calls limited_log::report() on all limited logs, and report_repeats(). Programs
/// call it once per second, and with `at_once` at their end. Thread-safe.
void report_left_out(bool at_once = false);

} // namespace marquee
