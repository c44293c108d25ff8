// Finds the end of an answer in received bytes, for load clients that must cost little.
#pragma once

#include <charconv>
#include <cstddef>
#include <optional>
#include <string_view>

namespace marquee::test
{

/// Size in bytes of the answer at the start of `text`; 0 while it is incomplete; nothing where its
/// head has no Content-Length.
inline std::optional<std::size_t> answer_size(std::string_view text)
{
    constexpr std::string_view length = "\r\nContent-Length: ";
    const auto end = text.find("\r\n\r\n");
    if (end == std::string_view::npos)
        return 0;
    const auto at = text.substr(0, end).find(length);
    std::size_t body = 0;
    if (at == std::string_view::npos ||
        std::from_chars(text.data() + at + length.size(), text.data() + end, body).ec != std::errc())
        return std::nullopt;
    return text.size() < end + 4 + body ? 0 : end + 4 + body;
}

} // namespace marquee::test
