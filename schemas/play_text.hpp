// The reply of a play, from records as they are stored.
#pragma once

#include "schemas/messages.hpp"

#include <string>
#include <string_view>

namespace marquee
{

/// What a play says about its asset: JSON strings, with their quotes.
struct playable_text
{
    std::string title;
    std::string genre;
    std::string summary;
    std::string url;
};

/// Sets the members of `into` that a record of metadata or of cdnurl has. A record as encode()
/// writes it is not decoded; any other is, with the same outcome. Fails as decode_reply_about()
/// does, then `into` is unchanged. Thread-safe.
[[nodiscard]] result<void> read_metadata(std::string_view record, std::string_view id, playable_text& into);
[[nodiscard]] result<void> read_url(std::string_view record, std::string_view id, playable_text& into);

/// Equivalent to encode() of a play_reply. Thread-safe.
[[nodiscard]] std::string encode_play(const std::string& id, const playable_text& about,
                                      const event_counts_reply& counts);

} // namespace marquee
