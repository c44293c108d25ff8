#include "schemas/record_tag.hpp"

#include <array>
#include <charconv>

namespace marquee
{

namespace
{

std::string_view write(std::uint64_t revision, std::uint64_t stored, std::array<char, 40>& buffer) noexcept
{
    auto* const end = buffer.data() + buffer.size();
    auto* at = std::to_chars(buffer.data(), end, revision).ptr;
    *at++ = '-';
    at = std::to_chars(at, end, stored, 16).ptr;
    return {buffer.data(), static_cast<std::size_t>(at - buffer.data())};
}

bool read(std::string_view text, std::uint64_t& number, int base) noexcept
{
    const auto* const end = text.data() + text.size();
    const auto [stopped, problem] = std::from_chars(text.data(), end, number, base);
    return problem == std::errc() && stopped == end;
}

} // namespace

std::string to_text(const record_tag& tag)
{
    std::array<char, 40> buffer{};
    return std::string(write(tag.revision, static_cast<std::uint64_t>(tag.stored.count()), buffer));
}

std::optional<record_tag> parse_record_tag(std::string_view text) noexcept
{
    const auto dash = text.find('-');
    if (dash == std::string_view::npos)
        return std::nullopt;
    std::uint64_t revision = 0;
    std::uint64_t stored = 0;
    if (!read(text.substr(0, dash), revision, 10) || !read(text.substr(dash + 1), stored, 16) || revision == 0)
        return std::nullopt;
    std::array<char, 40> buffer{};
    if (write(revision, stored, buffer) != text) // accept only the canonical text
        return std::nullopt;
    return record_tag{revision, std::chrono::nanoseconds(static_cast<std::int64_t>(stored))};
}

} // namespace marquee
