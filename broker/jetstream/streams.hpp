// Creating streams, and asking for their state and settings. All functions run on the requester's
// thread and fail as requester::request does.
#pragma once

#include "broker/jetstream/stream_settings.hpp"
#include "broker/nats/requester.hpp"

#include <cstdint>
#include <string>

namespace marquee
{

/// The state of a stream as STREAM.INFO reports it.
struct stream_state
{
    std::string created; ///< RFC 3339 as the server writes it; an edit may move it, too
    std::uint64_t first_sequence = 0;
    std::uint64_t last_sequence = 0;
    std::uint64_t messages = 0;
    std::string id = {};              ///< from its metadata (stream_id_key); empty: it has none
    std::uint64_t declared_first = 0; ///< the first sequence its creator configured; 0: the default
    std::uint64_t subjects = 0;       ///< that have a message
    std::uint64_t replicas = 1;       ///< servers that keep it
    std::uint32_t history = 0;        ///< messages kept of each subject; 0: all
};

/// Creates the stream (file storage, discard new, limits retention) with an id of its own where it
/// is missing. One that exists is used as it is; only missing `further_subjects` are added.
/// Fails with bad_request where a setting is refused (each with its cure, see judge_settings) or
/// JetStream is not enabled, and with `unavailable` where JetStream refuses.
[[nodiscard]] asio::awaitable<result<stream_state>> ensure_stream(requester& nats, stream_config wanted,
                                                                  deadline until);

/// Judges an existing stream's present settings; `unavailable` where there is no such stream.
[[nodiscard]] asio::awaitable<result<settings_judgement>> look_at_settings(requester& nats, stream_config wanted,
                                                                           deadline until);

/// The state of an existing stream; `unavailable` where there is no such stream.
[[nodiscard]] asio::awaitable<result<stream_state>> find_stream(requester& nats, std::string name, deadline until);

} // namespace marquee
