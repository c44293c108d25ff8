#include "tests/replay/tool/replayer.hpp"

#include "broker/log.hpp"
#include "schemas/messages.hpp"
#include "schemas/subjects.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <utility>

namespace marquee::replay
{
namespace
{

using namespace std::chrono_literals;

constexpr std::size_t most_in_flight = 1024;
/// What may be under way: half of what the connection buffers before it refuses, so that it never does.
constexpr std::size_t most_bytes_in_flight = 512 << 10;
constexpr std::size_t overhead = 256; ///< of a message on the wire: subjects, headers, lengths
constexpr auto ack_patience = 5s;
constexpr auto first_pause = 50ms;
constexpr auto longest_pause = 2s;
constexpr auto longest_burst = 1s; ///< what a given rate may catch up
constexpr auto save_interval = 500ms;

/// What sending again cannot mend.
bool is_permanent(errc code) { return code == errc::payload_too_large || code == errc::bad_request; }

/// True: stored before.
result<bool> read_ack(const std::string& reply)
{
    const auto ack = decode_reply<pub_ack>(reply);
    if (ack.has_error())
        return ack.error();
    if (ack->error)
        return fail(errc::unavailable, ack->error->description.value_or("JetStream refused the event"));
    if (ack->seq.value_or(0) == 0) // a cluster says "duplicate" while the first copy may still get lost
        return fail(errc::malformed_reply, "an acknowledgement without a sequence");
    return ack->duplicate.value_or(false);
}

std::string text_of(const error& why)
{
    if (why == errc::no_responders)
        return "no stream takes subject events (marquee-reporting makes it)";
    return why.detail.empty() ? std::string(title_of(why.code)) : why.detail;
}

} // namespace

replayer::replayer(connection& nats, replay_settings settings, replay_progress from)
    : nats_(nats), settings_(std::move(settings)), progress_(std::move(from)), reader_(settings_.file, progress_.at),
      pause_(nats.context())
{
}

asio::awaitable<result<void>> replayer::run()
{
    if (auto saved = save(); saved.has_error())
        co_return saved.error();
    last_success_ = due_ = clock::now();
    result<void> outcome;
    while (outcome.has_value())
    {
        fill();
        if (!window_.empty())
        {
            auto front = co_await settle(window_.front());
            if (front.has_error() && is_permanent(front.error().code))
                outcome = at_front(front.error());
            else if (front.has_error() && stopping_)
                break;
            else if (front.has_error())
                outcome = co_await recover();
            take_settled();
            if (outcome.has_value())
                outcome = save_sometimes();
        }
        else if (stopping_ || (at_end_ && !settings_.loop))
            break;
        else if (bad_line_)
            outcome = *bad_line_;
        else if (!at_end_)
        {
            co_await pause(std::min(due_, saved_ + save_interval));
            outcome = save_sometimes();
        }
        else if (progress_.at.line == 0)
            outcome = fail(errc::bad_request, settings_.file + ": holds no event");
        else
        {
            ++progress_.round;
            progress_.at = {};
            reader_.rewind();
            at_end_ = false;
        }
    }
    for (auto& line : window_) // what is under way still counts as sent, and at its end the state is exact
        co_await settle(line);
    take_settled();
    auto saved = save();
    co_return outcome.has_error() ? outcome : saved;
}

void replayer::stop()
{
    stopping_ = true;
    pause_.cancel();
}

std::size_t replayer::uncertain() const noexcept
{
    return static_cast<std::size_t>(
        std::count_if(window_.begin(), window_.end(), [](const sent_line& line) { return line.event.message_id.empty(); }));
}

bool replayer::may_send() const
{
    return !stopping_ && !at_end_ && !bad_line_ && !blocked_ && window_.size() < most_in_flight &&
           (window_.empty() || bytes_in_window_ < most_bytes_in_flight) && (settings_.rate <= 0 || clock::now() >= due_);
}

/// Sends what may be sent now.
void replayer::fill()
{
    while (may_send())
    {
        if (!reader_.next(line_))
        {
            at_end_ = true;
            return;
        }
        auto event = read_line(line_, progress_.round);
        if (event.has_error())
        {
            bad_line_ = fail(errc::bad_request, "line " + std::to_string(reader_.position().line) + ": " + event.error().detail);
            return;
        }
        auto pending = send(*event);
        blocked_ = pending.settled();
        bytes_in_window_ += event->payload.size() + overhead;
        window_.push_back({std::move(*event), reader_.position(), std::move(pending)});
        if (settings_.rate > 0)
        {
            const std::chrono::duration<double> gap(1 / settings_.rate);
            due_ = std::max(due_ + std::chrono::duration_cast<clock::duration>(gap), clock::now() - longest_burst);
        }
    }
}

pending_reply replayer::send(const event_line& event)
{
    header_list headers;
    if (!event.message_id.empty())
        headers.set(names::header_msg_id, event.message_id);
    static const auto to = subjects::events();
    return nats_.requests().request(to, event.payload, headers,
                                    deadline::in(std::min<clock::duration>(ack_patience, settings_.timeout)));
}

/// Waits for the acknowledgement of one line, once.
asio::awaitable<result<void>> replayer::settle(sent_line& line)
{
    if (line.stored)
        co_return result<void>();
    if (line.failed)
        co_return *line.failed;
    auto reply = co_await line.pending.receive();
    auto ack = reply.has_error() ? result<bool>(reply.error()) : read_ack(reply->data);
    if (ack.has_error())
    {
        if (ack.error() == errc::unavailable && !std::exchange(line.refused, true))
            ++progress_.counts.refused;
        line.failed = ack.error();
        co_return ack.error();
    }
    line.stored = *ack;
    last_success_ = clock::now();
    co_return result<void>();
}

/// The front of the window, as far as it is stored, counts.
void replayer::take_settled()
{
    while (!window_.empty() && window_.front().stored)
    {
        const auto& line = window_.front();
        ++progress_.counts.acknowledged;
        progress_.counts.duplicate += *line.stored ? 1 : 0;
        progress_.counts.rejected += line.event.rejected ? 1 : 0;
        progress_.at = line.after;
        bytes_in_window_ -= line.event.payload.size() + overhead;
        window_.pop_front();
    }
}

/// Settles the whole window, then sends again what is not stored, more and more slowly, until all of it is.
asio::awaitable<result<void>> replayer::recover()
{
    log(log_level::warning, "not acknowledged: sending again",
        {{"line", std::to_string(window_.front().after.line)}, {"reason", text_of(*window_.front().failed)}});
    last_success_ = clock::now(); // before it there may have been nothing to acknowledge
    clock::duration wait = first_pause;
    for (;;)
    {
        const auto before = last_success_;
        for (auto& line : window_)
            co_await settle(line);
        take_settled();
        if (window_.empty() || stopping_ || is_permanent(window_.front().failed->code))
            break;
        const auto until = last_success_ + settings_.timeout;
        if (clock::now() >= until)
            co_return at_front(*window_.front().failed);
        wait = last_success_ != before ? clock::duration(first_pause) : std::min<clock::duration>(2 * wait, longest_pause);
        co_await pause(std::min(clock::now() + wait, until));
        if (stopping_)
            break;
        for (auto& line : window_)
            if (std::exchange(line.failed, std::nullopt))
                line.pending = send(line.event);
    }
    blocked_ = false;
    co_return result<void>();
}

asio::awaitable<void> replayer::pause(clock::time_point until)
{
    if (stopping_)
        co_return;
    pause_.expires_at(until);
    boost::system::error_code ignored;
    auto token = asio::redirect_error(asio::use_awaitable, ignored);
    co_await pause_.async_wait(token);
}

result<void> replayer::save()
{
    saved_ = clock::now();
    saved_at_ = progress_.at;
    return save_progress(settings_.state_file, progress_);
}

result<void> replayer::save_sometimes()
{
    const auto now = clock::now();
    if (now - saved_ < save_interval)
        return {};
    saved_ = now;
    return saved_at_ == progress_.at ? result<void>() : save();
}

error replayer::at_front(const error& why) const
{
    return fail(why.code, "line " + std::to_string(window_.front().after.line) + ": " + text_of(why));
}

} // namespace marquee::replay
