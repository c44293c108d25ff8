// A place in the list of assets by title: the opaque `next` of metadata.search. All functions are
// thread-safe.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace marquee
{

inline constexpr std::size_t max_title_key_bytes = 256;

/// The place of an asset: lists go on behind it, whether or not the asset is still there.
struct title_place
{
    std::string_view key; ///< what the title is sorted by: UTF-8 without a slash, at most max_title_key_bytes
    std::string_view id;
};

/// The key, a slash, and the id.
[[nodiscard]] std::string encode_title_place(const title_place& place);

/// Nothing if `text` is none. Refers to `text`.
[[nodiscard]] std::optional<title_place> parse_title_place(std::string_view text) noexcept;

} // namespace marquee
