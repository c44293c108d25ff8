// The log: one line per event on standard error, with time, level, program, text, key=value pairs.
#pragma once

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

using log_field = std::pair<std::string_view, std::string>;

/// Writes one line if `level` is at least the one that set_log_level() has set, at first that of
/// the environment variable MARQUEE_LOG (debug, info, warning or error; info by default). Text and
/// values are data: bytes that are not UTF-8 are escaped as `\xNN`, and control characters, line
/// separators and marks that reorder text as `\uNNNN`. Thread-safe.
void log(log_level level, std::string_view text, std::initializer_list<log_field> fields = {});

/// `text` as it is, but for what log() escapes as data: for lines of other output. Thread-safe.
[[nodiscard]] std::string printable(std::string_view text);

/// Whether log() writes lines of this level: for values that cost something to make. Thread-safe.
[[nodiscard]] bool is_logged(log_level level) noexcept;

/// Reads debug, info, warning or error.
[[nodiscard]] std::optional<log_level> parse_log_level(std::string_view text) noexcept;

/// Sets the lowest level that is written; nothing: that of MARQUEE_LOG. Thread-safe.
void set_log_level(std::optional<log_level> lowest) noexcept;

/// Sets the program name of each line. Call before a second thread starts.
void set_log_program(std::string_view name);

} // namespace marquee
