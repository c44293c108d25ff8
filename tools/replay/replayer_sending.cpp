// The half of a replay that reads lines and sends them: which share a message, and what is skipped.
#include "schemas/base32_sha256.hpp"
#include "schemas/subjects.hpp"
#include "tools/replay/replayer.hpp"

#include <algorithm>
#include <iterator>
#include <sstream>
#include <utility>

namespace marquee::replay
{
namespace
{

using namespace std::chrono_literals;

constexpr std::size_t max_in_flight = 1024;
/// Half of what the connection buffers before it refuses, so that it never does.
constexpr std::size_t max_bytes_in_flight = 512 << 10;
constexpr std::size_t max_batch_bytes = 64 << 10; // as much as an edge sends
constexpr auto ack_timeout = 5s;
constexpr auto max_burst = 1s; // how much of a given rate may be caught up

} // namespace

bool replayer::may_send() const
{
    return !stopping_ && !at_end_ && !bad_line_ && !blocked_ && window_.size() < max_in_flight &&
           (window_.empty() || bytes_in_window_ < max_bytes_in_flight) && (settings_.rate <= 0 || clock::now() >= due_);
}

/// Reads and sends as many lines as may be in flight.
void replayer::fill()
{
    starved_ = false;
    if (gathered_ && is_complete())
        flush();
    while (may_send() || may_gather())
    {
        const auto read = reader_.next(line_);
        if (read.has_error())
            bad_line_ = read.error();
        else if (*read == read_outcome::line)
            take_line();
        else
        {
            at_end_ = *read == read_outcome::end;
            starved_ = *read == read_outcome::later;
            break;
        }
    }
    if (at_end_ || starved_ || bad_line_)
        flush();
}

bool replayer::may_gather() const { return gathered_ && !stopping_ && !at_end_ && !bad_line_ && !blocked_; }

/// Whether no further line can share the message that is gathered.
bool replayer::is_complete() const
{
    return gathered_->ends.size() >= settings_.batch || gathered_->event.message_id.empty() || at_end_ || bad_line_;
}

/// Sends, gathers or skips line_.
void replayer::take_line()
{
    const auto at = reader_.position();
    auto event = read_line(line_, progress_.round);
    if (event.has_error() && !bad_lines_.skips())
    {
        bad_line_ = fail(errc::bad_request, "line " + std::to_string(at.line) + ": " + event.error().detail);
        return;
    }
    if (event.has_error())
    {
        flush();
        auto& line = window_.emplace_back();
        line.ends = {at};
        line.text = line_;
        skip(line, event.error().detail);
        bytes_in_window_ += overhead;
        return;
    }
    if (!event->rejection.empty())
        bad_lines_.warn("reporting will reject a line", at.line, event->rejection);
    if (gathered_ && joins(*event))
    {
        (gathered_->event.payload += '\n') += event->payload;
        gathered_->ends.push_back(at);
        if (bad_lines_.skips())
            (gathered_->text += '\n') += line_;
    }
    else
    {
        flush();
        gathered_.emplace(sent_message{});
        gathered_->event = std::move(*event);
        gathered_->ends = {at};
        if (bad_lines_.skips())
            gathered_->text = line_;
    }
    if (is_complete())
        flush();
}

/// Whether the event can share the message that is gathered.
bool replayer::joins(const event_line& event) const
{
    return !event.message_id.empty() && gathered_->event.payload.size() + 1 + event.payload.size() <= max_batch_bytes;
}

/// Sends what is gathered, unless it has to wait. A message of several events has an id that is the
/// same whenever it has the same events.
void replayer::flush()
{
    if (!gathered_ || blocked_ || stopping_)
        return;
    auto& line = window_.emplace_back(std::move(*gathered_));
    gathered_.reset();
    if (line.ends.size() > 1)
        line.event.message_id = base32_sha256(line.event.payload);
    line.pending = send(line.event);
    blocked_ = line.pending->settled();
    bytes_in_window_ += line.event.payload.size() + overhead;
    if (settings_.rate > 0)
    {
        const std::chrono::duration<double> gap(static_cast<double>(line.ends.size()) / settings_.rate);
        due_ = std::max(due_ + std::chrono::duration_cast<clock::duration>(gap), clock::now() - max_burst);
    }
}

/// Sends the events of the first message one by one, and all others from now on: together they are
/// more than the broker takes.
void replayer::split_front()
{
    settings_.batch = 1;
    blocked_ = blocked_ && window_.size() > 1;
    const auto whole = std::move(window_.front());
    window_.pop_front();
    bytes_in_window_ -= whole.event.payload.size() + overhead;
    std::deque<sent_message> parts;
    std::istringstream payloads(whole.event.payload);
    std::istringstream texts(whole.text);
    std::string payload;
    for (const auto& end : whole.ends)
    {
        std::getline(payloads, payload);
        auto& part = parts.emplace_back();
        part.event = read_line(payload, 1).value(); // its id has its round already
        part.ends = {end};
        std::getline(texts, part.text);
        part.pending = send(part.event);
        bytes_in_window_ += part.event.payload.size() + overhead;
    }
    window_.insert(window_.begin(), std::make_move_iterator(parts.begin()), std::make_move_iterator(parts.end()));
}

void replayer::skip(sent_message& line, const std::string& why)
{
    line.skipped = std::move(line.text);
    line.stored = false; // settled
    bad_lines_.warn("a line is skipped", line.after().line, why);
}

pending_reply replayer::send(const event_line& event)
{
    header_list headers;
    if (!event.message_id.empty())
        headers.set(names::header_msg_id, event.message_id);
    static const auto to = subjects::events();
    return nats_.requests().request(to, event.payload, headers,
                                    deadline::in(std::min<clock::duration>(ack_timeout, settings_.timeout)));
}

} // namespace marquee::replay
