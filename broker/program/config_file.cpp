#include "broker/program/config_file.hpp"

#include "broker/base/small_file.hpp"
#include "schemas/char_set.hpp"

#include <algorithm>
#include <utility>

namespace marquee
{

namespace
{

constexpr char_set name_chars = char_set("abcdefghijklmnopqrstuvwxyz0123456789-");

bool is_name(std::string_view text) { return !text.empty() && text.front() != '-' && name_chars.covers(text); }

std::string_view trimmed(std::string_view text)
{
    constexpr std::string_view blanks = " \t";
    const auto first = text.find_first_not_of(blanks);
    if (first == std::string_view::npos)
        return {};
    return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

bool is_control(char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f; }

/// What is wrong with a line that is no comment and not empty; null where it is `name = value`.
const char* find_fault(std::string_view line)
{
    if (line.size() > max_config_line_bytes)
        return "the line is over 8192 bytes";
    if (line.starts_with("\xEF\xBB\xBF"))
        return "the file begins with a byte order mark";
    if (std::any_of(line.begin(), line.end(), is_control))
        return "the line holds a control character";
    const auto equals = line.find('=');
    if (equals == std::string_view::npos)
        return "the line is not `name = value`";
    if (!is_name(trimmed(line.substr(0, equals))))
        return "the name before the = is not one of an option: lower-case letters, digits and hyphens, without the "
               "two hyphens of the command line";
    return nullptr;
}

} // namespace

result<std::vector<config_line>> parse_config(std::string_view text, const std::string& path)
{
    std::vector<config_line> lines;
    for (std::size_t number = 1; !text.empty(); ++number)
    {
        const auto end = std::min(text.find('\n'), text.size());
        auto line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        if (line.ends_with('\r'))
            line.remove_suffix(1);
        if (line.starts_with('#') || trimmed(line).empty())
            continue;
        if (const auto* fault = find_fault(line); fault != nullptr)
            return fail(errc::bad_request, path + ':' + std::to_string(number) + ": " + fault);
        const auto equals = line.find('=');
        lines.push_back(
            {std::string(trimmed(line.substr(0, equals))), std::string(trimmed(line.substr(equals + 1))), number});
    }
    return lines;
}

result<config_file> read_config_file(const std::string& path)
{
    auto read = read_file_with_mode(path);
    if (read.has_error())
        return read.error();
    auto lines = parse_config(read->text, path);
    if (lines.has_error())
        return lines.error();
    constexpr unsigned group_or_all_write = 0022;
    constexpr unsigned all_read = 0004;
    return config_file{std::move(*lines), (read->mode & group_or_all_write) != 0, (read->mode & all_read) != 0};
}

} // namespace marquee
