// Which stream it is: the one that was counted, or another under its name.
#pragma once

#include "broker/jetstream.hpp"

#include <cstdint>
#include <string>

namespace marquee
{

/// What is known of the stream that was counted.
struct counted_stream
{
    std::string id;                  ///< empty: it had none
    std::uint64_t last_sequence = 0; ///< of the last message counted; 0: none was
};

/// What became of the last message counted.
enum class last_counted
{
    not_looked = 1, ///< taken for `same` where the stream's sequences go that far: whoever reads on sees it first
    same,           ///< it is there, with its timestamp
    another,        ///< its sequence has another message
    gone            ///< there is no message at its sequence
};

enum class stream_finding
{
    same = 1, ///< counting goes on after the last message counted
    loss,     ///< it may be the same, but messages are gone that were never counted
    another   ///< it is not what was counted, or has lost a part of that
};

struct stream_judgement
{
    stream_finding finding = stream_finding::same;
    std::string why;                  ///< of a loss or another stream, with the cure
    std::uint64_t continue_after = 0; ///< where counting goes on; of a loss or another stream: if that is accepted
    std::string id;                   ///< which is to be kept from now on
    bool id_is_settled = true;        ///< false: only once the last message counted was seen to be the same
    bool id_was_removed = false;      ///< the stream had one and has none
};

/// The last message counted decides where it is there: ids are copied with a stream, and removed by an edit. Where it is gone, two different ids
/// or a shorter stream tell of another one. The time of creation tells nothing. What lies before the sequence that the stream was declared to
/// begin with never was.
[[nodiscard]] stream_judgement judge_stream(const counted_stream& counted, const stream_state& stream, last_counted last);

} // namespace marquee
