#include "broker/base/log_line.hpp"

#include "broker/base/log_writer.hpp"
#include "schemas/rfc3339.hpp"
#include "schemas/utf8.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <utility>

namespace marquee
{

namespace
{

std::string program_name = "marquee";                       // NOLINT: set once before the first thread
std::atomic<log_format> format_of_lines = log_format::text; // NOLINT: of the process
std::atomic<bool> with_priority = false;                    // NOLINT: of the process
constexpr std::array<std::string_view, 3> format_names = {"text", "json", "logfmt"};
constexpr std::string_view cut_off = "\u2026";

/// How a value is written.
enum class escapes : std::uint8_t
{
    none,   ///< only what no line may have: `\x0a`, `\u2028`
    quoted, ///< the same, and quotes and backslashes with a backslash
    json    ///< those of a JSON string
};

/// Characters that move a terminal's cursor, begin a new line in some viewer, or reorder the text
/// that is shown.
bool is_control(std::uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c <= 0x9f) || c == 0x061c || c == 0x200e || c == 0x200f ||
           (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0xfeff;
}

/// Printable ASCII that no format escapes.
bool is_harmless(char c) { return c >= 0x20 && c < 0x7f && c != '"' && c != '\\'; }

/// One character of a value as it is written. A view of `space`, or of `whole`.
std::string_view escaped(std::string_view whole, std::size_t size, std::uint32_t code, escapes how,
                         std::array<char, 8>& space)
{
    const auto print = [&space](const char* format, unsigned value)
    {
        const int bytes = std::snprintf(space.data(), space.size(), format, value);
        return std::string_view(space.data(), static_cast<std::size_t>(bytes));
    };
    if (size == 0) // not UTF-8
        return print(how == escapes::json ? "\\\\x%02x" : "\\x%02x", static_cast<unsigned char>(whole[0]));
    if (is_control(code))
        return print(how != escapes::json && code < 0x80 ? "\\x%02x" : "\\u%04x", code);
    if (how != escapes::none && (code == '"' || code == '\\'))
        return print("\\%c", code);
    return whole.substr(0, size);
}

/// Appends what ends before `limit`, a size of `line`; the cut is marked behind that.
void append_escaped(std::string& line, std::string_view text, escapes how, std::size_t limit)
{
    while (!text.empty())
    {
        const auto run = std::find_if_not(text.begin(), text.end(), is_harmless) - text.begin();
        const auto harmless = std::min(static_cast<std::size_t>(run), limit - line.size());
        line += text.substr(0, harmless);
        text.remove_prefix(harmless);
        if (text.empty())
            return;
        std::uint32_t code = 0;
        const auto size = decode_utf8(text, code);
        std::array<char, 8> space{};
        const auto one = escaped(text, size, code, how, space);
        if (one.size() > limit - line.size())
        {
            line += cut_off;
            return;
        }
        line += one;
        text.remove_prefix(size == 0 ? 1 : size);
    }
}

void append_value(std::string& line, std::string_view value, escapes how)
{
    append_escaped(line, value, how, line.size() + max_log_value_bytes - cut_off.size());
}

void append_quoted(std::string& line, std::string_view value, escapes how)
{
    line += '"';
    append_value(line, value, how);
    line += '"';
}

/// A value of the text format.
void append_text_value(std::string& line, std::string_view value)
{
    const bool plain = !value.empty() && value.find_first_of(" =\"\\") == std::string_view::npos;
    if (plain)
        append_value(line, value, escapes::none);
    else
        append_quoted(line, value, escapes::quoted);
}

void append_logfmt_value(std::string& line, std::string_view value)
{
    const bool plain =
        !value.empty() && value.size() <= max_log_value_bytes - cut_off.size() &&
        std::all_of(value.begin(), value.end(), [](char c) { return is_harmless(c) && c != ' ' && c != '='; });
    if (plain)
        line += value;
    else
        append_quoted(line, value, escapes::json);
}

void append_number(std::string& line, std::uint64_t number)
{
    std::array<char, 20> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number);
    line.append(digits.data(), end.ptr);
}

/// As sd-daemon(3) has them.
std::string_view priority_of(log_level level)
{
    switch (level)
    {
    case log_level::debug:
        return "<7>";
    case log_level::info:
        return "<6>";
    case log_level::warning:
        return "<4>";
    case log_level::error:
        return "<3>";
    }
    return "";
}

} // namespace

std::string printable(std::string_view text)
{
    std::string line;
    append_escaped(line, text, escapes::none, std::string::npos);
    return line;
}

void set_log_program(std::string_view name) { program_name = name; }

std::optional<log_format> parse_log_format(std::string_view text) noexcept
{
    for (std::size_t i = 0; i < format_names.size(); ++i)
        if (format_names[i] == text)
            return static_cast<log_format>(i);
    return std::nullopt;
}

void set_log_format(log_format format) noexcept { format_of_lines.store(format, std::memory_order_relaxed); }

log_line::log_line(log_level level, std::string_view text) : format_(format_of_lines.load(std::memory_order_relaxed))
{
    const auto time = rfc3339(std::chrono::system_clock::now());
    line_.reserve(384);
    if (with_priority.load(std::memory_order_relaxed))
        line_ += priority_of(level);
    switch (format_)
    {
    case log_format::text:
        ((((line_ += time) += ' ') += name_of(level)) += ' ') += program_name;
        line_ += ": ";
        append_value(line_, text, escapes::quoted);
        return;
    case log_format::json:
        ((line_ += R"({"time":")") += time) += '"';
        break;
    case log_format::logfmt:
        (line_ += "time=") += time;
        break;
    }
    add("level", name_of(level)).add("program", program_name).add("msg", text);
}

void log_line::begin_member(std::string_view key)
{
    if (format_ == log_format::json)
        ((line_ += ",\"") += key) += "\":";
    else
        ((line_ += ' ') += key) += '=';
}

log_line& log_line::add(std::string_view key, std::string_view value)
{
    begin_member(key);
    switch (format_)
    {
    case log_format::text:
        append_text_value(line_, value);
        break;
    case log_format::json:
        append_quoted(line_, value, escapes::json);
        break;
    case log_format::logfmt:
        append_logfmt_value(line_, value);
        break;
    }
    return *this;
}

log_line& log_line::add(std::string_view key, std::uint64_t number)
{
    begin_member(key);
    append_number(line_, number);
    return *this;
}

log_line& log_line::add(const log_field& field)
{
    if (!field.is_number)
        return add(field.key, field.value);
    begin_member(field.key);
    line_ += field.value;
    return *this;
}

std::string log_line::take()
{
    line_ += format_ == log_format::json ? "}\n" : "\n";
    return std::move(line_);
}

void log_line::write() { write_log_line(take()); }

bool stderr_is_journal() noexcept
{
    const char* stream = std::getenv("JOURNAL_STREAM"); // NOLINT(concurrency-mt-unsafe): nobody sets the environment
    struct stat standard_error = {};
    if (stream == nullptr || ::fstat(STDERR_FILENO, &standard_error) != 0)
        return false;
    return std::string_view(stream) ==
           std::to_string(standard_error.st_dev) + ':' + std::to_string(standard_error.st_ino);
}

void detect_journal() noexcept { with_priority.store(stderr_is_journal(), std::memory_order_relaxed); }

} // namespace marquee
