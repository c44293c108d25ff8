// Content negotiation by coding (RFC 9110 section 12.5.3). Pure functions; thread-safe.
#pragma once

#include <optional>
#include <string>

namespace marquee
{

/// The codings that the edge has files in.
enum class content_coding
{
    identity,
    gzip,
    brotli,
};

/// The coding to answer in, for a client that sends this Accept-Encoding, the joined fields: of
/// those with the greatest weight brotli before gzip before identity. Without the field, and where
/// it excludes all three, identity: an answer in a coding that was not asked for is better than
/// none. Malformed elements are ignored.
[[nodiscard]] content_coding choose_coding(const std::optional<std::string>& accept_encoding);

} // namespace marquee
