#include "tests/replay/tool/replayer.hpp"

#include "broker/log.hpp"
#include "schemas/messages.hpp"
#include "schemas/subjects.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <utility>

#include <fcntl.h>

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
constexpr std::uint64_t most_named = 100; ///< lines that the log names

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

replayer::replayer(connection& nats, replay_settings settings, replay_progress from, line_reader reader)
    : nats_(nats), settings_(std::move(settings)), progress_(std::move(from)), reader_(std::move(reader)),
      digest_(settings_.file), pause_(nats.context()), input_(nats.context())
{
    if (skips())
        skipped_.open(settings_.skip_file, std::ios::binary | std::ios::app);
    if (skips() && !skipped_)
        cannot_write_ = fail(errc::unavailable, settings_.skip_file + ": cannot be written");
}

asio::awaitable<result<void>> replayer::run()
{
    if (cannot_write_)
        co_return *cannot_write_;
    if (auto saved = save(); saved.has_error())
        co_return saved.error();
    last_success_ = due_ = clock::now();
    result<void> outcome;
    while (outcome.has_value())
    {
        fill();
        if (!window_.empty())
        {
            outcome = co_await settle_front();
            if (outcome.has_value() && stopping_)
                break;
            if (outcome.has_value())
                outcome = save_sometimes();
        }
        else if (stopping_ || (at_end_ && !settings_.loop))
            break;
        else if (bad_line_)
            outcome = *bad_line_;
        else if (starved_)
            co_await wait_for_input();
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
    for (auto& line : window_) // what is in flight still counts as sent, and at its end the state is exact
        co_await settle(line);
    take_settled();
    auto saved = save();
    co_return outcome.has_error() ? outcome : saved;
}

/// Waits for the first line of the window, and sends again or skips what cannot be stored.
asio::awaitable<result<void>> replayer::settle_front()
{
    result<void> outcome;
    auto front = co_await settle(window_.front());
    if (front.has_error() && is_permanent(front.error().code) && skips())
    {
        skip(window_.front(), text_of(front.error()));
        blocked_ = blocked_ && window_.size() > 1;
    }
    else if (front.has_error() && is_permanent(front.error().code))
        outcome = at_front(front.error());
    else if (front.has_error() && !stopping_)
        outcome = co_await recover();
    take_settled();
    if (outcome.has_value() && cannot_write_)
        outcome = *cannot_write_;
    co_return outcome;
}

void replayer::stop()
{
    stopping_ = true;
    pause_.cancel();
    if (input_.is_open())
        input_.cancel();
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
    starved_ = false;
    while (may_send())
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
            return;
        }
    }
}

/// Sends the line that was read, or skips it.
void replayer::take_line()
{
    const auto at = reader_.position();
    auto event = read_line(line_, progress_.round);
    if (event.has_error() && !skips())
    {
        bad_line_ = fail(errc::bad_request, "line " + std::to_string(at.line) + ": " + event.error().detail);
        return;
    }
    if (event.has_error())
    {
        auto& line = window_.emplace_back();
        line.after = at;
        line.text = line_;
        skip(line, event.error().detail);
        bytes_in_window_ += overhead;
        return;
    }
    if (!event->rejection.empty())
        name_line("reporting will reject a line", at.line, event->rejection);
    auto pending = send(*event);
    blocked_ = pending.settled();
    bytes_in_window_ += event->payload.size() + overhead;
    auto& line = window_.emplace_back();
    line.event = std::move(*event);
    line.after = at;
    line.pending = std::move(pending);
    if (skips())
        line.text = line_;
    if (settings_.rate > 0)
    {
        const std::chrono::duration<double> gap(1 / settings_.rate);
        due_ = std::max(due_ + std::chrono::duration_cast<clock::duration>(gap), clock::now() - longest_burst);
    }
}

void replayer::skip(sent_line& line, const std::string& why)
{
    line.skipped = std::move(line.text);
    line.stored = false; // settled
    name_line("a line is skipped", line.after.line, why);
}

/// The file of skipped lines, and --check, have them all.
void replayer::name_line(const char* what, std::uint64_t line, const std::string& why)
{
    if (++named_ <= most_named)
        log(log_level::warning, what, {{"line", std::to_string(line)}, {"reason", why}});
    else if (named_ == most_named + 1)
        log(log_level::warning, "further lines are counted and not named (--check names them all)");
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
    auto reply = co_await line.pending->receive();
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
        if (line.skipped.empty())
        {
            ++progress_.counts.acknowledged;
            progress_.counts.duplicate += *line.stored ? 1 : 0;
            progress_.counts.rejected += line.event.rejection.empty() ? 0 : 1;
        }
        else if (skipped_ << line.skipped << '\n' << std::flush)
            ++progress_.counts.skipped;
        else
        {
            cannot_write_ = fail(errc::unavailable, settings_.skip_file + ": cannot be written");
            return;
        }
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
        if (window_.empty() || stopping_ || cannot_write_ || is_permanent(window_.front().failed->code))
            break;
        const auto until = last_success_ + settings_.timeout;
        if (clock::now() >= until)
            co_return at_front(*window_.front().failed);
        wait = last_success_ != before ? clock::duration(first_pause) : std::min<clock::duration>(2 * wait, longest_pause);
        co_await pause(std::min(clock::now() + wait, until));
        if (stopping_)
            break;
        for (auto& line : window_)
            if (!line.stored && std::exchange(line.failed, std::nullopt))
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

/// Until a stream has more, or stop().
asio::awaitable<void> replayer::wait_for_input()
{
    boost::system::error_code ec;
    if (!input_.is_open())
        input_.assign(::fcntl(reader_.handle(), F_DUPFD_CLOEXEC, 0), ec);
    if (ec) // a device that cannot be waited for
    {
        co_await pause(clock::now() + first_pause);
        co_return;
    }
    auto token = asio::redirect_error(asio::use_awaitable, ec);
    co_await input_.async_wait(asio::posix::stream_descriptor::wait_read, token);
}

result<void> replayer::save()
{
    saved_ = clock::now();
    saved_at_ = progress_.at;
    if (settings_.state_file.empty())
        return {};
    auto beginning = digest_.up_to(progress_.at.offset);
    if (beginning.has_error())
        return beginning.error();
    progress_.file = std::move(*beginning);
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
