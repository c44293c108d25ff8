// Looking up messages and subjects of a stream by requests to its leader. All functions run on the
// requester's thread; they fail as requester::request does, and with `unavailable` where JetStream
// refuses.
#pragma once

#include "broker/jetstream/stored_message.hpp"
#include "broker/nats/requester.hpp"

#include <optional>
#include <string>
#include <vector>

namespace marquee
{

/// The message at a sequence, without its headers and `pending`. None where no such message exists
/// (any more).
[[nodiscard]] asio::awaitable<result<std::optional<stored_message>>>
find_message(requester& nats, std::string stream, std::uint64_t sequence, deadline until);

/// The position of the last message on a subject; none where the stream has no message there.
[[nodiscard]] asio::awaitable<result<std::optional<stream_position>>> find_last(requester& nats, std::string stream,
                                                                                std::string on_subject, deadline until);

struct stream_subjects
{
    std::uint64_t last_sequence = 0; ///< of the stream, when its subjects were listed
    bool whole = false;              ///< false: the stream has more subjects than the server lists at once
    std::vector<std::string> subjects;
};

/// The subjects of a stream that have a message.
[[nodiscard]] asio::awaitable<result<stream_subjects>> find_subjects(requester& nats, std::string stream,
                                                                     deadline until);

} // namespace marquee
