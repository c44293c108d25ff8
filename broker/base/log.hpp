// The log: one line per event on standard error, with time, level, program, text, key=value pairs.
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace marquee
{

enum class log_level
{
    debug,
    info,
    warning,
    error
};

enum class log_format : std::uint8_t
{
    text,   ///< for people: `TIME LEVEL PROGRAM: TEXT key=value …`
    json,   ///< one object per line: time, level, program, msg, and the fields
    logfmt, ///< the same members as key=value, with JSON's escapes between quotes
};

/// A key, which is a literal, and a value. A number is a number in JSON.
struct log_field
{
    log_field(std::string_view k, std::string v) : key(k), value(std::move(v)) {}
    template <std::integral Number>
    requires(!std::same_as<Number, bool>) log_field(std::string_view k, Number n)
        : key(k), value(std::to_string(n)), is_number(true)
    {
    }

    std::string_view key;
    std::string value;
    bool is_number = false;
    friend bool operator==(const log_field&, const log_field&) = default;
};

/// Writes one line if `level` is at least the one that set_log_level() has set, at first that of
/// the environment variable MARQUEE_LOG (debug, info, warning or error; info by default). Text and
/// values are data, see log_line. Thread-safe; does not block while there is a log_thread, which
/// also counts lines that repeat (log_repeats.hpp).
void log(log_level level, std::string_view text, std::initializer_list<log_field> fields = {});

/// `text` as it is, but for what log() escapes as data: for lines of other output. Thread-safe.
[[nodiscard]] std::string printable(std::string_view text);

/// Whether log() writes lines of this level: for values that cost something to make. Thread-safe.
[[nodiscard]] bool is_logged(log_level level) noexcept;

[[nodiscard]] std::string_view name_of(log_level level) noexcept;

/// Reads debug, info, warning or error.
[[nodiscard]] std::optional<log_level> parse_log_level(std::string_view text) noexcept;

/// Sets the lowest level that is written; nothing: that of MARQUEE_LOG. Thread-safe.
void set_log_level(std::optional<log_level> lowest) noexcept;

/// Reads text, json or logfmt.
[[nodiscard]] std::optional<log_format> parse_log_format(std::string_view text) noexcept;

/// Sets the form of the lines from now on; at first text. Thread-safe.
void set_log_format(log_format format) noexcept;

/// Sets the program name of each line. Call before a second thread starts.
void set_log_program(std::string_view name);

} // namespace marquee
