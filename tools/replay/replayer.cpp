#include "tools/replay/replayer.hpp"

#include "broker/base/log.hpp"
#include "broker/base/wait.hpp"
#include "schemas/messages.hpp"
#include "tools/replay/ack.hpp"

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

constexpr auto min_backoff = 50ms;
constexpr auto max_backoff = 2s;

} // namespace

replayer::replayer(connection& nats, replay_settings settings, replay_progress from, line_reader reader)
    : nats_(nats), settings_(std::move(settings)), progress_(std::move(from)), reader_(std::move(reader)),
      bad_lines_(settings_.skip_file), saver_(settings_.state_file, settings_.file), pause_(nats.context()),
      input_(nats.context())
{
}

asio::awaitable<result<void>> replayer::run()
{
    if (auto writable = bad_lines_.check(); writable.has_error())
        co_return writable.error();
    if (auto saved = saver_.save(progress_); saved.has_error())
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
                outcome = saver_.save_if_due(progress_);
        }
        else if (stopping_ || (at_end_ && !settings_.loop))
            break;
        else if (bad_line_)
            outcome = *bad_line_;
        else if (starved_)
            co_await wait_for_input();
        else if (!at_end_)
        {
            co_await pause(std::min(due_, saver_.due()));
            outcome = saver_.save_if_due(progress_);
        }
        else if (progress_.at.line == 0)
            outcome = fail(errc::bad_request, settings_.file + ": holds no event");
        else
            next_round();
    }
    for (auto& line : window_) // so that the progress file is exact
        co_await settle(line);
    take_settled();
    auto saved = saver_.save(progress_);
    co_return outcome.has_error() ? outcome : saved;
}

void replayer::next_round()
{
    ++progress_.round;
    progress_.at = {};
    reader_.rewind();
    at_end_ = false;
}

/// Waits for the first line of the window. If it failed, sends again or skips it.
asio::awaitable<result<void>> replayer::settle_front()
{
    result<void> outcome;
    auto front = co_await settle(window_.front());
    if (front.has_error() && is_permanent(front.error().code) && window_.front().ends.size() > 1)
        split_front();
    else if (front.has_error() && is_permanent(front.error().code) && bad_lines_.skips())
    {
        skip(window_.front(), text_of(front.error()));
        blocked_ = blocked_ && window_.size() > 1;
    }
    else if (front.has_error() && is_permanent(front.error().code))
        outcome = at_front(front.error());
    else if (front.has_error() && !stopping_)
        outcome = co_await recover();
    take_settled();
    if (outcome.has_value())
        outcome = bad_lines_.check();
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
    return static_cast<std::size_t>(std::count_if(
        window_.begin(), window_.end(), [](const sent_message& line) { return line.event.message_id.empty(); }));
}

/// Waits for the acknowledgement of one line. Idempotent.
asio::awaitable<result<void>> replayer::settle(sent_message& line)
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
            progress_.counts.refused += line.ends.size();
        line.failed = ack.error();
        co_return ack.error();
    }
    line.stored = *ack;
    last_success_ = clock::now();
    co_return result<void>();
}

/// Removes stored and skipped lines from the front of the window, and counts them.
void replayer::take_settled()
{
    while (!window_.empty() && window_.front().stored)
    {
        const auto& line = window_.front();
        if (line.skipped.empty())
        {
            progress_.counts.acknowledged += line.ends.size();
            progress_.counts.duplicate += *line.stored ? line.ends.size() : 0;
            progress_.counts.rejected += line.event.rejection.empty() ? 0 : 1;
        }
        else if (bad_lines_.append(line.skipped).has_value())
            ++progress_.counts.skipped;
        else
            return; // check() fails from now on
        progress_.at = line.after();
        bytes_in_window_ -= line.event.payload.size() + overhead;
        window_.pop_front();
    }
}

/// Settles the whole window, then sends again what is not stored, with a growing backoff, until all
/// is stored.
asio::awaitable<result<void>> replayer::recover()
{
    log(log_level::warning, "not acknowledged: sending again",
        {{"line", std::to_string(window_.front().ends.front().line)}, {"reason", text_of(*window_.front().failed)}});
    last_success_ = clock::now(); // nothing may have been in flight before
    clock::duration backoff = min_backoff;
    for (;;)
    {
        const auto before = last_success_;
        for (auto& line : window_)
            co_await settle(line);
        take_settled();
        if (window_.empty() || stopping_ || bad_lines_.check().has_error() ||
            is_permanent(window_.front().failed->code))
            break;
        const auto until = last_success_ + settings_.timeout;
        if (clock::now() >= until)
            co_return at_front(*window_.front().failed);
        backoff = last_success_ != before ? clock::duration(min_backoff)
                                          : std::min<clock::duration>(2 * backoff, max_backoff);
        co_await pause(std::min(clock::now() + backoff, until));
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
    co_await wait(pause_, until);
}

/// Waits until a stream has more, or until stop().
asio::awaitable<void> replayer::wait_for_input()
{
    boost::system::error_code ec;
    if (!input_.is_open())
        input_.assign(::fcntl(reader_.handle(), F_DUPFD_CLOEXEC, 0), ec);
    if (ec) // a device that cannot be polled
    {
        co_await pause(clock::now() + min_backoff);
        co_return;
    }
    auto token = asio::redirect_error(asio::use_awaitable, ec);
    co_await input_.async_wait(asio::posix::stream_descriptor::wait_read, token);
}

error replayer::at_front(const error& why) const
{
    const auto& lines = window_.front().ends;
    const auto last = std::to_string(lines.back().line);
    const auto where =
        lines.size() > 1 ? "lines " + std::to_string(lines.front().line) + " to " + last : "line " + last;
    return fail(why.code, where + ": " + text_of(why));
}

} // namespace marquee::replay
