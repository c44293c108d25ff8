// Lines of the log that say the same again and again.
#pragma once

#include "broker/base/log.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace marquee
{

/// Counts lines with the same level, text and fields. The first five within ten seconds are
/// written; of the others the last line is written when the time is over, with `repeated`: how
/// many they were. Knows the last 16 different lines. Not thread-safe.
class log_repeats
{
public:
    using clock = std::chrono::steady_clock;

    static constexpr std::size_t lines = 16;
    static constexpr std::uint32_t most = 5;
    static constexpr std::chrono::seconds window{10};

    /// A line that was left out `repeated` times.
    struct line
    {
        log_level level = log_level::info;
        std::string text;
        std::vector<log_field> fields;
        std::uint64_t repeated = 0;
    };

    /// Returns whether the line is written now; otherwise counts it. What has to be reported before
    /// it is added to `ended`.
    [[nodiscard]] bool admit(log_level level, std::string_view text, std::initializer_list<log_field> fields,
                             clock::time_point now, std::vector<line>& ended);

    /// The lines whose time is over, or all with `at_once`.
    [[nodiscard]] std::vector<line> take_ended(clock::time_point now, bool at_once);

private:
    struct known
    {
        line what;
        std::uint32_t written = 0; ///< 0: the place is free
        clock::time_point end;
    };

    static void end(known& one, std::vector<line>& ended);

    std::array<known, lines> known_;
};

/// Whether log() leaves out this line. Never where there is no log_thread, or for debug lines.
/// Thread-safe.
[[nodiscard]] bool is_repeated(log_level level, std::string_view text, std::initializer_list<log_field> fields);

/// Writes what was left out of lines whose time is over, or of all with `at_once`. Thread-safe.
void report_repeats(bool at_once);

} // namespace marquee
