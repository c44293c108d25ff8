// The consumer of the stream, and when what it brings is counted and written.
#include "services/reporting/reporting_instance.hpp"

#include "broker/base/log.hpp"
#include "schemas/subjects.hpp"
#include "services/reporting/counting_spans.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <utility>

namespace marquee
{
namespace
{

using namespace std::chrono_literals;

constexpr auto lag_limit = 1s;                     ///< beyond it the instance leaves the queue group
constexpr auto uncommitted_time = 1s;              ///< what a crash may make us count again
constexpr std::uint64_t uncommitted_limit = 32768; ///< events: beyond it a commit in parts does not wait
constexpr std::uint64_t most_uncommitted = 65536;  ///< events: beyond it counting waits for a commit
constexpr std::size_t batch_limit = 32768;         ///< events of a replay's transaction, which is written at once
constexpr std::size_t rows_at_once = 64;           ///< of a commit in parts: about a fifth of a millisecond
constexpr std::size_t rows_looked_at = 2048;       ///< at once, for those of erased users

} // namespace

void reporting_instance::consume()
{
    retry_at_ = clock::time_point::max();
    ordered_consumer::settings what;
    what.stream = std::string(names::stream_events);
    what.after = {progress().last_sequence, progress().last_timestamp};
    what.reader = "reporting";
    what.description = "Counts the views";
    consumer_ = ordered_consumer::start(
        nats_, std::move(what), [this](std::vector<stored_message> batch) { on_batch(std::move(batch)); },
        [this](bool up, const stream_state& stream) { on_state(up, stream); },
        [this](resume_failure how) { on_resume_failure(how); });
}

void reporting_instance::on_resume_failure(resume_failure how)
{
    // An event that expired after it was counted is no loss; the stream's id has to tell then.
    auto found = stream_;
    found.last_sequence = std::max(found.last_sequence, progress().last_sequence);
    const auto last = how == resume_failure::another ? last_counted::another : last_counted::gone;
    if (auto attached = views_->counts.attach(found, last); attached.has_error())
        stop_counting(attached.error().detail);
}

void reporting_instance::on_state(bool up, const stream_state& stream)
{
    if (!fsm_.counts())
        return;
    if (!up)
    {
        while (!collected_.empty() && fsm_.counts())
            count_collected();
        meter_.down(clock::now());
        return;
    }
    stream_ = stream;
    if (auto attached = views_->counts.attach(stream); attached.has_error())
    {
        stop_counting(attached.error().detail);
        return;
    }
    const auto counted = progress().last_sequence;
    views_->waiter.applied(counted);
    if (stream.last_sequence <= counted)
        end_alarm(reporting_events::written{});
    const auto behind = stream.last_sequence > counted ? stream.last_sequence - counted : 0;
    meter_.up(std::min(behind, stream.messages), clock::now());
    check_lag();
}

void reporting_instance::on_batch(std::vector<stored_message> batch)
{
    if (!fsm_.counts())
        return;
    const auto pending = batch.back().pending;
    collected_.add(std::move(batch));
    // Far behind, as in a replay, more is about to come: fill a transaction first.
    if (pending < batch_limit || collected_.events() >= batch_limit)
        count_collected();
}

void reporting_instance::count_collected()
{
    while (!collected_.empty())
    {
        const auto part = collected_.take(batch_limit);
        publisher_.begin(in_queue_group_, collected_.newest().timestamp);
        views_->live.before_staging(views_->counts);
        const auto began = span_record::clock::now();
        if (auto counted = views_->counts.stage(part, &publisher_); counted.has_error())
        {
            stop_counting(counted.error().detail);
            return;
        }
        publisher_.publish();
        record_counting(part, began);
        views_->live.staged(views_->counts);
        if (most_events_in(part) >= batch_limit || views_->counts.uncommitted() >= most_uncommitted)
            commit();
        else
            commit_later();
        if (!fsm_.counts())
            return;
        views_->waiter.applied(progress().last_sequence);
        meter_.counted(part.size(), part.back().pending, clock::now());
        if (is_correction(part.back()))
        {
            count_later();
            break;
        }
    }
    check_lag();
    swap_when_ready();
}

/// Counts on in another turn of the loop.
void reporting_instance::count_later()
{
    if (!collected_.empty())
        asio::post(nats_.context(),
                   [weak = weak_from_this()]
                   {
                       if (const auto alive = weak.lock(); alive && alive->fsm_.counts())
                           alive->count_collected();
                   });
}

void reporting_instance::commit()
{
    if (auto written = views_->counts.commit(); written.has_error())
        stop_counting(written.error().detail);
    else
        end_alarm(reporting_events::written{});
}

/// Commits in a second, or at once where many events wait.
void reporting_instance::commit_later()
{
    const bool now = views_->counts.uncommitted() >= uncommitted_limit;
    if (commit_scheduled_ && !(now && commit_.cancel() > 0)) // where its time has come, there is nothing to cancel
        return;
    commit_scheduled_ = true;
    commit_.expires_after(now ? 0s : uncommitted_time);
    commit_.async_wait(
        [this, weak = weak_from_this()](boost::system::error_code cancelled)
        {
            const auto alive = weak.lock();
            if (cancelled || !alive)
                return;
            commit_some();
        });
}

/// Commits in parts: requests have their turns in between.
void reporting_instance::commit_some()
{
    commit_scheduled_ = false;
    if (!fsm_.counts())
        return;
    const auto done = views_->counts.write_some(rows_at_once);
    if (done.has_error())
        stop_counting(done.error().detail);
    else if (!*done)
    {
        commit_scheduled_ = true;
        asio::post(nats_.context(),
                   [weak = weak_from_this()]
                   {
                       if (const auto alive = weak.lock())
                           alive->commit_some();
                   });
    }
    else
    {
        end_alarm(reporting_events::written{});
        hide_some(); // under load the next transaction begins soon
        if (fsm_.counts() && views_->counts.uncommitted() > 0)
            commit_later();
    }
}

/// Hides the ids that erased users have used, in parts, while no transaction is open.
void reporting_instance::hide_some()
{
    if (hiding_scheduled_ || !fsm_.counts())
        return;
    const auto more = views_->counts.hide_some(rows_looked_at);
    if (more.has_error())
        return stop_counting(more.error().detail);
    hiding_scheduled_ = *more;
    if (*more)
        asio::post(nats_.context(),
                   [weak = weak_from_this()]
                   {
                       if (const auto alive = weak.lock())
                       {
                           alive->hiding_scheduled_ = false;
                           alive->hide_some();
                       }
                   });
}

void reporting_instance::check_lag()
{
    const auto lag = meter_.lag(clock::now());
    const bool current = lag && *lag <= lag_limit && refused_settings_.empty();
    advance(reporting_events::lag_checked{current, meter_.pending() == 0});
}

/// The state machine decides what becomes of the instance. What was staged is read again.
void reporting_instance::stop_counting(const std::string& why)
{
    if (std::exchange(alarm_, why) != why)
        log(log_level::error, "counting has stopped", {{"why", why}});
    collected_.clear();
    if (consumer_)
        consumer_->stop();
    views_->waiter.applied(progress().last_sequence); // what was not written is not counted any more
    meter_.down(clock::now());
    advance(reporting_events::counting_failed{views_->counts.condition(), status_of_rebuild()}, why);
}

/// Reports that counting is well again.
void reporting_instance::end_alarm(const reporting_event& event)
{
    alarm_.clear();
    advance(event);
}

} // namespace marquee
