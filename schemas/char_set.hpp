// Sets of bytes with constant-time lookup.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>

namespace marquee
{

/// A set of bytes, built at compile time. Immutable, so thread-safe.
class char_set
{
public:
    constexpr explicit char_set(std::string_view members) noexcept
    {
        for (const unsigned char c : members)
            has_[c] = true;
    }

    /// The bytes from `first` to `last`, both included.
    [[nodiscard]] static constexpr char_set range(unsigned char first, unsigned char last) noexcept
    {
        char_set made({});
        for (unsigned c = first; c <= last; ++c)
            made.has_[c] = true;
        return made;
    }

    [[nodiscard]] constexpr bool contains(char c) const noexcept { return has_[static_cast<unsigned char>(c)]; }

    /// True if every byte of `text` is a member, and if `text` is empty.
    [[nodiscard]] constexpr bool covers(std::string_view text) const noexcept
    {
        return std::all_of(text.begin(), text.end(), [this](char c) { return contains(c); });
    }

    /// The union of both sets.
    friend constexpr char_set operator|(const char_set& a, const char_set& b) noexcept
    {
        char_set both = a;
        for (std::size_t i = 0; i < both.has_.size(); ++i)
            both.has_[i] = a.has_[i] || b.has_[i];
        return both;
    }

private:
    std::array<bool, 256> has_{};
};

} // namespace marquee
