#include "broker/log.hpp"

#include "schemas/event.hpp"

#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>

namespace marquee
{

namespace
{

std::string program_name = "marquee"; // NOLINT: set once before the first thread

constexpr std::array<std::string_view, 4> level_names = {"debug", "info", "warning", "error"};

log_level lowest_level()
{
    const char* wanted = std::getenv("MARQUEE_LOG"); // NOLINT(concurrency-mt-unsafe): nobody sets the environment
    for (std::size_t i = 0; wanted != nullptr && i < level_names.size(); ++i)
        if (level_names[i] == wanted)
            return static_cast<log_level>(i);
    return log_level::info;
}

void append_escaped(std::string& line, std::string_view text)
{
    for (unsigned char c : text)
    {
        if (c == '"' || c == '\\')
            line += '\\';
        if (c < 0x20 || c == 0x7f)
        {
            std::array<char, 8> escape{};
            std::snprintf(escape.data(), escape.size(), "\\x%02x", c);
            line += escape.data();
        }
        else
            line += static_cast<char>(c);
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

void set_log_program(std::string_view name) { program_name = name; }

void log(log_level level, std::string_view text, std::initializer_list<log_field> fields)
{
    static const log_level lowest = lowest_level();
    if (level < lowest)
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
    // One write: lines of several threads never mix. What cannot be written cannot be reported either.
    [[maybe_unused]] auto written = ::write(STDERR_FILENO, line.data(), line.size());
}

} // namespace marquee
