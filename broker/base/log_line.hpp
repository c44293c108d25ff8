// One line of the log while it is made: its format, its escapes, its bounds.
#pragma once

#include "broker/base/log.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace marquee
{

/// Bytes of a text or of a value as they are written, escapes included. One that is longer ends
/// with `…`.
inline constexpr std::size_t max_log_value_bytes = 1024;

/// Makes a line in the format that is set. Text and values are data, whoever sent them: control
/// characters, line separators and marks that reorder text are escaped, and bytes that are not
/// UTF-8 appear as `\xNN`. Where standard error is systemd's journal the line begins with its
/// priority, `<4>`. Not thread-safe; several may be made at once.
class log_line
{
public:
    /// Takes the time. `text` and the keys are literals in this program.
    log_line(log_level level, std::string_view text);

    log_line& add(std::string_view key, std::string_view value);
    log_line& add(std::string_view key, std::uint64_t number);
    log_line& add(const log_field& field);

    /// Writes the line as log() does, whatever the level; call last. Repeats are not looked for.
    void write();

    /// The line, with LF; call last.
    [[nodiscard]] std::string take();

private:
    void begin_member(std::string_view key);

    log_format format_;
    std::string line_;
};

/// Whether standard error is the stream of systemd's journal that JOURNAL_STREAM names.
[[nodiscard]] bool stderr_is_journal() noexcept;

/// Asks stderr_is_journal() for the lines from now on. At the start, on one thread.
void detect_journal() noexcept;

} // namespace marquee
