// The wire format of several requests to one service, or their replies, in one message, so that the
// broker's cost per message is paid once.
//
// Each item is framed as NATS frames a message with headers (HMSG), without a reply subject:
//
//     SUBJECT HEADER-BYTES DATA-BYTES\r\n
//     Name: value\r\n
//     …
//     data\r\n
//
// The items of a reply are in the order of the requests, with `-` as the subject.
#pragma once

#include "broker/nats/message.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace marquee
{

/// Items per bundle. A larger bundle is refused.
inline constexpr std::size_t max_bundle_items = 256;

/// Bytes of the replies of a bundle, about: the broker takes messages of 1 MiB. A reply that finds
/// no room is the error payload_too_large.
inline constexpr std::size_t max_bundle_bytes = 768 * 1024;

/// Appends one item without the header named `without`. `subject` and `headers` must be safe on the
/// wire; an empty subject becomes `-`.
void append_to_bundle(std::string& bundle, std::string_view subject, const header_list& headers, std::string_view data,
                      std::string_view without = {});

/// Parses a bundle. Fails with bad_request and a detail that names the byte.
[[nodiscard]] result<std::vector<message>> read_bundle(std::string_view text);

} // namespace marquee
