// Publishing into a stream.
#pragma once

#include "broker/nats/requester.hpp"

#include <cstdint>
#include <string>

namespace marquee
{

/// The stream's acknowledgement.
struct stored_event
{
    std::uint64_t sequence = 0;
    bool duplicate = false; ///< the stream has this message id already, at `sequence`
};

/// Publishes into a stream and waits for the acknowledgement: the message is stored. With
/// `message_id` the stream stores it once within its duplicate window.
/// Fails as requester::request does; with `unavailable` where JetStream refuses (its description in
/// `detail`); with no_responders also while the stream has no leader; with revision_mismatch where
/// a header of `headers` names an expected sequence (`Nats-Expected-Last-…`) and it is another.
/// An acknowledgement without a sequence does not count: the same id is published again until
/// `until`. On the requester's thread.
[[nodiscard]] asio::awaitable<result<stored_event>> publish_stored(requester& nats, subject to, std::string payload,
                                                                   std::string message_id, deadline until,
                                                                   header_list headers = {});

} // namespace marquee
