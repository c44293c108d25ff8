// Whether a stream is the one that was counted, or another one of its name.
#pragma once

#include "broker/jetstream/streams.hpp"

#include <cstdint>
#include <string>

namespace marquee
{

/// What a projection knows of the stream that it has counted.
struct counted_stream
{
    std::string id;                  ///< empty: it had none
    std::uint64_t last_sequence = 0; ///< of the last message counted; 0: none was counted
};

/// What was found at the sequence of the last message counted.
enum class last_counted
{
    not_looked = 1, ///< taken for `same` where the stream reaches that far: the consumer sees it first
    same,           ///< the message, with its timestamp
    another,        ///< another message
    gone            ///< no message
};

enum class stream_finding
{
    same = 1, ///< counting goes on after the last message counted
    loss,     ///< it may be the same stream, but messages are gone that were never counted
    another   ///< it is another stream, or has lost messages that were counted
};

struct stream_judgement
{
    stream_finding finding = stream_finding::same;
    std::string why;                  ///< of a loss or another stream, with the cure
    std::uint64_t continue_after = 0; ///< where counting goes on; for a loss or another stream, if accepted
    std::string id;                   ///< the id to keep from now on
    bool id_is_settled = true;        ///< false: to be kept only once the last message counted was seen
    bool id_was_removed = false;      ///< the stream had an id and has none
};

/// The last message counted decides where it is there: ids are copied along with a stream, and
/// removed by edits. Where it is gone, two different ids or a shorter stream tell of another one.
/// The time of creation decides nothing. Messages before the first sequence that the stream was
/// declared with never existed, and are no loss.
[[nodiscard]] stream_judgement judge_stream(const counted_stream& counted, const stream_state& stream,
                                            last_counted last);

} // namespace marquee
