#include "services/reporting/projection/stream_identity.hpp"

#include <algorithm>

namespace marquee
{
namespace
{

constexpr const char* cure_of_another =
    " (--rebuild counts this stream anew; --accept-loss keeps the counts and goes on at its end)";
constexpr const char* cure_of_loss =
    " (--accept-loss goes on without them; --rebuild counts what is left of the stream anew)";
constexpr const char* cure_of_new =
    " (a copy of another instance's database has them; --accept-loss goes on without them)";

std::string range_text(std::uint64_t first, std::uint64_t last)
{
    return std::to_string(first) + ".." + std::to_string(last);
}

/// Why it cannot be the stream that was counted; empty where it may be.
std::string why_another(const counted_stream& counted, const stream_state& stream, last_counted last)
{
    const auto at = std::to_string(counted.last_sequence);
    if (counted.last_sequence == 0)
        return {};
    if (stream.last_sequence < counted.last_sequence)
        return "the stream ends at sequence " + std::to_string(stream.last_sequence) +
               "; the database has counted up to " + at;
    if (last == last_counted::another)
        return "event " + at + " is not the one that was counted: the stream lost its end and grew anew";
    const bool gone = last == last_counted::gone || stream.first_sequence > counted.last_sequence;
    if (gone && !stream.id.empty() && !counted.id.empty() && stream.id != counted.id)
        return "the stream has the id " + stream.id + ", the one that was counted had " + counted.id + ", and event " +
               at + ", the last one counted, is not in it";
    return {};
}

} // namespace

stream_judgement judge_stream(const counted_stream& counted, const stream_state& stream, last_counted last)
{
    stream_judgement out;
    out.continue_after = counted.last_sequence;
    out.id_was_removed = stream.id.empty() && !counted.id.empty() && counted.last_sequence > 0;
    out.id = out.id_was_removed ? counted.id : stream.id;
    if (auto why = why_another(counted, stream, last); !why.empty())
    {
        out.finding = stream_finding::another;
        out.why = why + cure_of_another;
        out.continue_after = stream.last_sequence;
        out.id = stream.id;
        out.id_was_removed = false;
        return out;
    }
    out.id_is_settled = last != last_counted::not_looked || counted.last_sequence == 0 || out.id == counted.id;
    const auto due = std::max({counted.last_sequence + 1, stream.declared_first, std::uint64_t{1}});
    if (stream.first_sequence > due)
    {
        out.finding = stream_finding::loss;
        out.why = "events " + range_text(due, stream.first_sequence - 1) +
                  " are gone from the stream and were never counted" +
                  (counted.last_sequence == 0 ? cure_of_new : cure_of_loss);
        out.continue_after = stream.first_sequence - 1;
    }
    return out;
}

} // namespace marquee
