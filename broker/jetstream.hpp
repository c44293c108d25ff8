// JetStream over plain requests ($JS.API.>), because nats.c's js_* calls block.
#pragma once

#include "broker/connection.hpp"
#include "broker/requester.hpp"
#include "broker/stream_settings.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace marquee
{

struct stored_event
{
    std::uint64_t sequence = 0;
    bool duplicate = false; ///< the stream has this message id already, at `sequence`
};

/// Publishes into a stream and waits for its acknowledgement: the message is stored. With `message_id` the stream stores it
/// once within its duplicate window. Failures: those of requester::request, `unavailable` where JetStream refused (its description in
/// `detail`), no_responders also where the stream has no leader just now. An acknowledgement without a sequence is none: the same id is published again until `until`.
/// `headers` go with the message; where one of them names an expected sequence (`Nats-Expected-Last-…`) and it is another: revision_mismatch.
[[nodiscard]] asio::awaitable<result<stored_event>> publish_stored(requester& nats, subject to, std::string payload,
                                                                   std::string message_id, deadline until,
                                                                   header_list headers = {});

/// What stands on the server about a stream.
struct stream_state
{
    std::string created; ///< RFC 3339 as the server writes it; an edit may move it, too
    std::uint64_t first_sequence = 0;
    std::uint64_t last_sequence = 0;
    std::uint64_t messages = 0;
    std::string id = {};              ///< from its metadata (stream_id_key); empty: it has none
    std::uint64_t declared_first = 0; ///< the sequence its creator had it begin with; 0: as usual
    std::uint64_t subjects = 0;       ///< that have a message
    std::uint32_t history = 0;        ///< messages kept of each subject; 0: all
};

/// Creates the stream (file storage, discard new, limits retention) with an id of its own where it is missing, and uses it as it is where it
/// is there, but for `further_subjects`, which are added. Fails with bad_request, each refused setting and its cure (judge_settings), or as
/// requester::request does.
[[nodiscard]] asio::awaitable<result<stream_state>> ensure_stream(requester& nats, stream_config wanted, deadline until);

/// Judges an existing stream's settings as they are now; `unavailable` where there is none.
[[nodiscard]] asio::awaitable<result<settings_judgement>> look_at_settings(requester& nats, stream_config wanted, deadline until);

/// The state of an existing stream; `unavailable` where there is none.
[[nodiscard]] asio::awaitable<result<stream_state>> find_stream(requester& nats, std::string name, deadline until);

/// A message of a stream.
struct stored_message
{
    std::string subject;
    std::string data;
    header_list headers;
    std::uint64_t sequence = 0;
    std::chrono::nanoseconds timestamp{0}; ///< when the stream stored it, since the epoch
    std::uint64_t pending = 0;             ///< messages of the stream still to come after this one, when it was sent
};

/// The message at a sequence, as the stream's leader knows it: its subject, sequence and timestamp, and nothing else of it. None where
/// there is no message (any more).
[[nodiscard]] asio::awaitable<result<std::optional<stored_message>>> find_message(requester& nats, std::string stream,
                                                                                  std::uint64_t sequence, deadline until);

/// A place in a stream: a message, and when the stream stored it.
struct stream_position
{
    std::uint64_t sequence = 0;            ///< 0: before the first message
    std::chrono::nanoseconds timestamp{0}; ///< 0: not known
};

/// What can have become of the message at a place.
enum class lost_place
{
    gone = 1, ///< it is not in the stream any more: expired, purged, overwritten, or never there
    another   ///< its sequence has another message now: the stream lost its end and grew anew
};

/// How a consumer fares.
struct consumer_losses
{
    std::uint64_t in_a_row =
        0; ///< times it was lost, or could not be made, while the link was up and without any progress in between
    std::uint64_t after = 0; ///< the sequence after which it was lost the last time
    std::string why;         ///< of the last time

    /// Again and again: it does not go on by itself.
    [[nodiscard]] bool stuck() const noexcept { return in_a_row >= 3; }

    /// For an operator.
    [[nodiscard]] std::string text() const;
};

/// Reads a stream in order from a place on, for ever: an ordered consumer (ADR-17). Gaps, a lost heartbeat and a lost link make a new
/// consumer after the last message handed out. Each looks first whether that message is still the one it was: sequences are used again
/// after a power cut or from a restored store, and timestamps are not. Messages of one loop turn are handed over together.
class ordered_consumer
{
public:
    struct settings
    {
        std::string stream;
        stream_position after;                         ///< reading begins with the message after this one
        std::chrono::milliseconds idle_heartbeat{250}; ///< three missed: a new consumer
    };

    /// Called with one or more messages, in order, none twice and none left out. On the io thread.
    using batch_handler = std::function<void(std::vector<stored_message>)>;

    /// Called on the io thread when the consumer is in place (`up`, with the stream's state when it was made) and the last message handed out was looked
    /// for, and when the consumer is lost.
    using state_handler = std::function<void(bool up, const stream_state&)>;

    /// Called on the io thread when the last message handed out is not found again. With `gone`, after on_state(true, …), reading goes on; with
    /// `another` the consumer has stopped and on_state is not called: what was handed out is no part of the stream.
    using place_handler = std::function<void(lost_place)>;

    virtual ~ordered_consumer() = default;

    [[nodiscard]] static std::unique_ptr<ordered_consumer> start(connection& nats, settings what, batch_handler on_batch,
                                                                 state_handler on_state, place_handler on_lost_place);

    /// Ends it; no handler is called after this returns. Also from within a handler.
    virtual void stop() = 0;

    [[nodiscard]] virtual const consumer_losses& losses() const noexcept = 0;
};

} // namespace marquee
