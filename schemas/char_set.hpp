// A set of bytes, asked in one step each.
#pragma once

#include <algorithm>
#include <array>
#include <string_view>

namespace marquee
{

class char_set
{
public:
    constexpr explicit char_set(std::string_view members) noexcept
    {
        for (const unsigned char c : members)
            has_[c] = true;
    }

    /// Does `text` hold nothing else?
    [[nodiscard]] constexpr bool covers(std::string_view text) const noexcept
    {
        return std::all_of(text.begin(), text.end(), [this](unsigned char c) { return has_[c]; });
    }

private:
    std::array<bool, 256> has_{};
};

} // namespace marquee
