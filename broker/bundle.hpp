// Several requests to one service, or their replies, in one message: what a broker spends on a message is then spent once for all of them.
//
// Each item stands as NATS itself frames a message with headers (HMSG), with nothing for the reply subject:
//     SUBJECT HEADER-BYTES DATA-BYTES\r\n
//     Name: value\r\n …
//     data\r\n
// In a reply the items stand in the order of the requests, with `-` for the subject.
#pragma once

#include "broker/message.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace marquee
{

/// A bundle holds at most this many items; a larger one is refused.
inline constexpr std::size_t max_bundle_items = 256;

/// And its replies take at most about this: the broker takes 1 MiB. A reply without room is the error payload_too_large.
inline constexpr std::size_t max_bundle_bytes = 768 * 1024;

/// Appends one item. `subject` must be safe on the wire; empty: `-`. The header named `without`, if any, stays out.
void append_to_bundle(std::string& bundle, std::string_view subject, const header_list& headers, std::string_view data,
                      std::string_view without = {});

/// Reads the items back. Fails with bad_request, and says at which byte.
[[nodiscard]] result<std::vector<message>> read_bundle(std::string_view text);

} // namespace marquee
