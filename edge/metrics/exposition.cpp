#include "edge/metrics/exposition.hpp"

#include <array>
#include <charconv>

namespace marquee
{

void add_head(std::string& to, std::string_view name, std::string_view type, std::string_view help)
{
    (((to += "# HELP ") += name) += ' ') += help;
    ((((to += "\n# TYPE ") += name) += ' ') += type) += '\n';
}

void add_line(std::string& to, std::string_view name, std::string_view labels, std::string_view value)
{
    to += name;
    if (!labels.empty())
        ((to += '{') += labels) += '}';
    ((to += ' ') += value) += '\n';
}

void add_line(std::string& to, std::string_view name, std::string_view labels, std::uint64_t value)
{
    add_line(to, name, labels, std::to_string(value));
}

std::string in_seconds(std::uint64_t nanoseconds)
{
    constexpr std::uint64_t second = 1'000'000'000;
    auto fraction = std::to_string(nanoseconds % second);
    return std::to_string(nanoseconds / second) + '.' + std::string(9 - fraction.size(), '0') + fraction;
}

std::string as_sample(double value)
{
    std::array<char, 32> digits{};
    return {digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr};
}

std::string as_label(std::string_view name, std::string_view value)
{
    constexpr std::size_t most_bytes = 128;
    auto label = std::string(name) + "=\"";
    for (const char c : value.substr(0, most_bytes))
    {
        if (c == '"' || c == '\\')
            label += '\\';
        label += c >= ' ' && c <= '~' ? c : '?';
    }
    return label + '"';
}

void exposition::add(const metric_family& of, std::string_view labels, std::string_view value, std::string_view suffix)
{
    const auto [place, is_new] = places_.try_emplace(&of, blocks_.size());
    if (is_new)
        blocks_.push_back({&of, {}});
    auto& lines = blocks_[place->second].lines;
    (lines += of.name) += suffix;
    add_line(lines, "", labels, value);
}

void exposition::add(const metric_family& of, std::string_view labels, std::uint64_t value, std::string_view suffix)
{
    add(of, labels, std::to_string(value), suffix);
}

std::string exposition::text() const
{
    std::string all;
    for (const auto& each : blocks_)
    {
        add_head(all, each.of->name, each.of->type, each.of->help);
        all += each.lines;
    }
    return all;
}

} // namespace marquee
