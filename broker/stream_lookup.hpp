// Looking things up in a stream, by questions to its leader.
#pragma once

#include "broker/jetstream.hpp"

#include <optional>
#include <string>
#include <vector>

namespace marquee
{

/// The last message on a subject; nothing where the stream has none there. Fails as requester::request does, and with `unavailable` where JetStream
/// refuses to say.
[[nodiscard]] asio::awaitable<result<std::optional<stream_position>>> find_last(requester& nats, std::string stream,
                                                                                std::string on_subject, deadline until);

struct stream_subjects
{
    std::uint64_t last_sequence = 0; ///< of the stream, when its subjects were listed
    bool whole = false;              ///< those are all of them: a stream may have more than it lists at once
    std::vector<std::string> subjects;
};

/// The subjects of a stream that have a message. Fails as find_last does.
[[nodiscard]] asio::awaitable<result<stream_subjects>> find_subjects(requester& nats, std::string stream, deadline until);

/// Nanoseconds since the epoch of an RFC 3339 date-time in UTC with up to nine decimals, as a server writes it.
[[nodiscard]] std::optional<std::chrono::nanoseconds> parse_server_time(std::string_view text) noexcept;

} // namespace marquee
