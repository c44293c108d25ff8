// Stores a message of events in the stream, through the election of its leader.
#pragma once

#include "broker/jetstream/publish.hpp"
#include "edge/upstream/outage_timer.hpp"

#include <string>

namespace marquee
{

/// Stores a message of subject `events` and returns its place in the stream. After no_responders,
/// and once after a timeout, it is sent again under the same `message_id`, so that the election of
/// a leader loses nothing. Attempts begin within two seconds and end by `until`; in a long outage,
/// which `outage` keeps, there is only one. Fails as publish_stored() does; with timeout if any
/// attempt may have been stored. On the thread of `nats`; both references outlive the call.
[[nodiscard]] asio::awaitable<result<stored_event>> store_message(requester& nats, outage_timer& outage,
                                                                  std::string payload, std::string message_id,
                                                                  header_list headers, deadline until);

/// Stores a correction (subject `events.admin`) in the same way. Fails in the same way.
[[nodiscard]] asio::awaitable<result<stored_event>>
store_correction(requester& nats, outage_timer& outage, std::string payload, std::string message_id, deadline until);

} // namespace marquee
