// One line per event on standard error: time, level, program, text, key=value pairs.
#pragma once

#include <initializer_list>
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

/// Text and values are data: what is no UTF-8, control characters, line separators and marks that reorder text are escaped, as `\xNN` (bytes) and
/// `\uNNNN` (characters). Thread-safe. `MARQUEE_LOG=debug|info|warning|error` sets the lowest level (info).
void log(log_level level, std::string_view text, std::initializer_list<log_field> fields = {});

/// The name that stands in each line. Call before the first thread starts.
void set_log_program(std::string_view name);

} // namespace marquee
