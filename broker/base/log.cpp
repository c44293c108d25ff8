#include "broker/base/log.hpp"

#include "schemas/rfc3339.hpp"
#include "schemas/utf8.hpp"

#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>

namespace marquee
{

namespace
{

std::string program_name = "marquee"; // NOLINT: set once before the first thread

constexpr std::array<std::string_view, 4> level_names = {"debug", "info", "warning", "error"};

log_level level_of_environment() noexcept
{
    const char* wanted = std::getenv("MARQUEE_LOG"); // NOLINT(concurrency-mt-unsafe): nobody sets the environment
    return parse_log_level(wanted != nullptr ? wanted : "").value_or(log_level::info);
}

std::atomic<log_level>& lowest_level() noexcept
{
    static std::atomic<log_level> lowest = level_of_environment();
    return lowest;
}

void append_escape(std::string& line, const char* format, unsigned value)
{
    std::array<char, 8> escape{};
    std::snprintf(escape.data(), escape.size(), format, value);
    line += escape.data();
}

/// Characters that move a terminal's cursor, begin a new line in some viewer, or reorder the text
/// that is shown.
bool is_control(std::uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c <= 0x9f) || c == 0x061c || c == 0x200e || c == 0x200f ||
           (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0xfeff;
}

void append_escaped(std::string& line, std::string_view text, bool quotes = true)
{
    while (!text.empty())
    {
        std::uint32_t code = 0;
        const auto size = decode_utf8(text, code);
        if (size == 0) // not UTF-8
            append_escape(line, "\\x%02x", static_cast<unsigned char>(text[0]));
        else if (is_control(code))
            append_escape(line, code < 0x80 ? "\\x%02x" : "\\u%04x", code);
        else
        {
            if (quotes && (code == '"' || code == '\\'))
                line += '\\';
            line += text.substr(0, size);
        }
        text.remove_prefix(size == 0 ? 1 : size);
    }
}

void append_value(std::string& line, std::string_view value)
{
    const bool plain = !value.empty() && value.find_first_of(" =\"\\") == std::string_view::npos;
    if (!plain)
        line += '"';
    append_escaped(line, value);
    if (!plain)
        line += '"';
}

} // namespace

std::string printable(std::string_view text)
{
    std::string line;
    append_escaped(line, text, false);
    return line;
}

void set_log_program(std::string_view name) { program_name = name; }

std::optional<log_level> parse_log_level(std::string_view text) noexcept
{
    for (std::size_t i = 0; i < level_names.size(); ++i)
        if (level_names[i] == text)
            return static_cast<log_level>(i);
    return std::nullopt;
}

void set_log_level(std::optional<log_level> lowest) noexcept
{
    lowest_level().store(lowest.value_or(level_of_environment()), std::memory_order_relaxed);
}

bool is_logged(log_level level) noexcept { return level >= lowest_level().load(std::memory_order_relaxed); }

void log(log_level level, std::string_view text, std::initializer_list<log_field> fields)
{
    if (!is_logged(level))
        return;
    std::string line = rfc3339(std::chrono::system_clock::now());
    line += ' ';
    line += level_names[static_cast<std::size_t>(level)];
    line += ' ';
    line += program_name;
    line += ": ";
    append_escaped(line, text);
    for (const auto& [key, value] : fields)
    {
        line += ' ';
        line += key;
        line += '=';
        append_value(line, value);
    }
    line += '\n';
    // One write per line, so that lines of several threads do not mix. Its failure cannot be
    // logged.
    [[maybe_unused]] auto written = ::write(STDERR_FILENO, line.data(), line.size());
}

} // namespace marquee
