// JetStream elsewhere: in a domain, or in another account that exports it.
#pragma once

#include <string>
#include <string_view>

namespace marquee
{

/// The prefix of JetStream's API in a domain (`$JS.DOMAIN.API`).
[[nodiscard]] std::string jetstream_prefix_of(std::string_view domain);

/// Whether `subject` is one that a prefix changes: `$JS.API.…`, or a key of a bucket, `$KV.…`.
[[nodiscard]] bool has_jetstream_prefix(std::string_view subject) noexcept;

/// Returns where a message to such a subject goes: `prefix` replaces `$JS.API`, and a key is
/// written at `PREFIX.$KV.…`, as the official clients do.
[[nodiscard]] std::string with_jetstream_prefix(std::string_view subject, std::string_view prefix);

} // namespace marquee
