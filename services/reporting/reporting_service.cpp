#include "services/reporting/reporting_service.hpp"

#include "broker/log.hpp"
#include "broker/spawn.hpp"
#include "broker/start_wait.hpp"
#include "broker/supervisor.hpp"
#include "schemas/event.hpp"
#include "schemas/subjects.hpp"
#include "services/reporting/lag_meter.hpp"
#include "services/reporting/rebuild.hpp"
#include "services/reporting/reporting_endpoints.hpp"
#include "services/reporting/swap.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json/object.hpp>

#include <algorithm>
#include <iterator>

namespace marquee
{
namespace
{

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

constexpr auto longest_lag = 1s; ///< beyond it the instance leaves the queue group
constexpr auto lag_check = 100ms;
constexpr auto stream_patience = 15s; ///< how long JetStream may take to come up, e.g. to elect a leader
constexpr auto stream_attempt = 2s;   ///< without a leader a request is lost, not refused
constexpr auto stream_retry = 200ms;
constexpr std::size_t most_in_transaction =
    32768; ///< a transaction pays by its pages: larger ones count faster, and block the loop longer
constexpr auto longest_uncommitted = 50ms; ///< what a crash may make us count again
constexpr std::size_t rows_at_once = 64;   ///< of a transaction that others wait for: about a fifth of a millisecond

constexpr auto room_check = 1s; ///< while the disk is full
constexpr auto tell_every = 5s; ///< how far it is, while it has not served yet

boost::json::value statistics(const projection_progress& p, const lag_meter& meter, bool serving, const std::string& alarm,
                              const consumer_losses& losses)
{
    boost::json::object data{{"applied", p.applied}, {"duplicates", p.duplicates}, {"rejected", p.rejected}};
    if (p.rejected > 0)
        data["last_reject"] = boost::json::object{{"sequence", p.last_reject_sequence}, {"reason", p.last_reject_reason}};
    data["last_sequence"] = p.last_sequence;
    data["lag"] = meter.pending();
    const auto behind = meter.lag(clock::now());
    if (behind)
        data["lag_ms"] = std::chrono::duration_cast<std::chrono::milliseconds>(*behind).count();
    data["serving"] = serving;
    data["consumer_lost"] = losses.in_a_row;
    if (p.skipped > 0)
        data["skipped"] = p.skipped;
    if (p.rule_since > 0)
        data["rule_since"] = p.rule_since;
    if (!alarm.empty())
        data["alarm"] = alarm;
    else if (losses.stuck())
        data["alarm"] = losses.text();
    return data;
}

class running_reporting : public runnable, public std::enable_shared_from_this<running_reporting>
{
public:
    running_reporting(connection& nats, reporting_settings settings, std::shared_ptr<file_lock> lock, projection counts,
                      stream_state stream, fatal_handler fatal)
        : nats_(nats), settings_(std::move(settings)), lock_(std::move(lock)), stream_(std::move(stream)),
          views_(std::make_shared<reporting_views>(std::move(counts), nats.context().get_executor(), fatal)),
          fatal_(std::move(fatal)), check_(nats.context()), commit_(nats.context())
    {
    }

    /// Counts are to be made anew before or while it starts; `unfit`: those that are there do not serve meanwhile.
    result<void> begin_rebuild(const std::string& why, bool unfit);

    result<void> start(settings_watch::settings watched);
    asio::awaitable<void> stop(deadline until) override;

private:
    void consume();
    void on_state(bool up, const stream_state& stream);
    void on_lost_place(lost_place how);
    void on_refused_settings(const std::string& why);
    void on_batch(std::vector<stored_message> batch);
    void count_collected();
    void commit();
    void commit_later();
    void commit_some();
    void check_lag();
    void check_lag_later();
    void serve(bool yes);
    static asio::awaitable<void> announce(std::shared_ptr<running_reporting> self);
    void stop_counting(const std::string& why);
    void tell_progress();
    void maybe_swap();
    void swap();

    connection& nats_;
    reporting_settings settings_;
    std::shared_ptr<file_lock> lock_;
    stream_state stream_; ///< as it was when it was last looked at
    std::shared_ptr<reporting_views> views_;
    fatal_handler fatal_;
    lag_meter meter_;
    std::vector<stored_message> collected_; ///< in order, not counted yet
    bool serving_ = false;
    bool caught_up_once_ = false;
    bool unfit_ = false; ///< the counts that are there do not belong to this stream, or cannot be read: a rebuild replaces them
    bool counting_ = false;
    std::string alarm_;            ///< why it does not count; empty: all is well
    std::string refused_settings_; ///< why it counts and does not serve; empty: all is well
    clock::time_point look_for_room_ = clock::time_point::max();
    clock::time_point started_ = clock::now();
    asio::steady_timer check_;
    asio::steady_timer commit_;
    bool commit_waits_ = false; ///< or is under way
    std::unique_ptr<service> service_;
    std::unique_ptr<ordered_consumer> consumer_;
    std::unique_ptr<settings_watch> watch_;
    std::shared_ptr<rebuild> rebuild_;
    clock::time_point told_ = clock::now();
};

result<void> running_reporting::start(settings_watch::settings watched)
{
    service_config config;
    config.name = "reporting";
    config.version = MARQUEE_VERSION;
    config.description = "Views of each asset and of each user";
    config.bundles = true;
    config.serving = false; // until caught up
    auto data = [this]
    {
        const consumer_losses none;
        const auto& why = alarm_.empty() ? refused_settings_ : alarm_;
        auto all = statistics(views_->counts.progress(), meter_, serving_, why, consumer_ ? consumer_->losses() : none);
        if (rebuild_)
            all.as_object()["rebuild"] = rebuild_->state();
        return all;
    };
    auto started = service::start(nats_, std::move(config), reporting_endpoints(views_, std::move(data)));
    if (started.has_error())
        return started.error();
    service_ = std::move(*started);
    if (!unfit_)
        consume();
    check_lag_later();
    watch_ = settings_watch::start(nats_, std::move(watched), [this](const std::string& why) { on_refused_settings(why); });
    return {};
}

void running_reporting::consume()
{
    counting_ = true;
    look_for_room_ = clock::time_point::max();
    ordered_consumer::settings what;
    what.stream = std::string(names::stream_events);
    what.after = {views_->counts.progress().last_sequence, views_->counts.progress().last_timestamp};
    consumer_ = ordered_consumer::start(
        nats_, std::move(what), [this](std::vector<stored_message> batch) { on_batch(std::move(batch)); },
        [this](bool up, const stream_state& stream) { on_state(up, stream); }, [this](lost_place how) { on_lost_place(how); });
}

void running_reporting::on_lost_place(lost_place how)
{
    // An event that expired after it was counted is no loss; but then the stream's id has to tell.
    auto found = stream_;
    found.last_sequence = std::max(found.last_sequence, views_->counts.progress().last_sequence);
    const auto last = how == lost_place::another ? last_counted::another : last_counted::gone;
    if (auto attached = views_->counts.attach(found, last); attached.has_error())
        stop_counting(attached.error().detail);
}

void running_reporting::on_refused_settings(const std::string& why)
{
    refused_settings_ = why;
    check_lag();
}

void running_reporting::on_state(bool up, const stream_state& stream)
{
    if (!counting_)
        return;
    if (!up)
    {
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
    const auto counted = views_->counts.progress().last_sequence;
    views_->waiter.applied(counted);
    if (stream.last_sequence <= counted)
        alarm_.clear(); // nothing is left to be written
    meter_.up(stream.messages > 0 && stream.last_sequence > counted, clock::now());
    check_lag();
}

void running_reporting::on_batch(std::vector<stored_message> batch)
{
    if (!counting_)
        return;
    const auto pending = batch.back().pending;
    std::move(batch.begin(), batch.end(), std::back_inserter(collected_));
    // Far behind, as in a replay: more is surely under way, so fill a transaction first.
    if (pending < most_in_transaction || collected_.size() >= most_in_transaction)
        count_collected();
}

void running_reporting::count_collected()
{
    const auto messages = std::exchange(collected_, {});
    const std::span<const stored_message> all(messages);
    for (std::size_t at = 0; at < all.size(); at += most_in_transaction)
    {
        const auto part = all.subspan(at, std::min(most_in_transaction, all.size() - at));
        if (auto counted = views_->counts.stage(part); counted.has_error())
        {
            stop_counting(counted.error().detail);
            return;
        }
        if (views_->counts.uncommitted() >= most_in_transaction)
            commit();
        else
            commit_later();
        if (!counting_)
            return;
        views_->waiter.applied(views_->counts.progress().last_sequence);
        meter_.counted(part.size(), part.back().pending, clock::now());
    }
    check_lag();
    maybe_swap();
}

void running_reporting::commit()
{
    if (auto written = views_->counts.commit(); written.has_error())
        stop_counting(written.error().detail);
    else
        alarm_.clear();
}

void running_reporting::commit_later()
{
    if (std::exchange(commit_waits_, true))
        return;
    commit_.expires_after(longest_uncommitted);
    commit_.async_wait(
        [this, weak = weak_from_this()](boost::system::error_code cancelled)
        {
            const auto alive = weak.lock();
            if (cancelled || !alive)
                return;
            commit_some();
        });
}

/// In parts: requests have their turn in between.
void running_reporting::commit_some()
{
    commit_waits_ = false;
    if (!counting_)
        return;
    const auto written = views_->counts.write_some(rows_at_once);
    if (written.has_error())
        stop_counting(written.error().detail);
    else if (!*written)
    {
        commit_waits_ = true;
        asio::post(nats_.context(),
                   [weak = weak_from_this()]
                   {
                       if (const auto alive = weak.lock())
                           alive->commit_some();
                   });
    }
    else
    {
        alarm_.clear();
        if (views_->counts.uncommitted() > 0)
            commit_later();
    }
}

void running_reporting::check_lag()
{
    if (!counting_)
        return;
    const auto lag = meter_.lag(clock::now());
    const bool current = lag && *lag <= longest_lag && refused_settings_.empty() &&
                         alarm_.empty(); // what could not be written is written before anybody is told of it
    // Joins for the first time when everything is counted.
    if (serving_ != current && (serving_ || caught_up_once_ || meter_.pending() == 0))
        serve(current);
}

void running_reporting::check_lag_later()
{
    check_.expires_after(lag_check);
    check_.async_wait(
        [this, weak = weak_from_this()](boost::system::error_code cancelled)
        {
            const auto alive = weak.lock();
            if (cancelled || !alive)
                return;
            if (clock::now() >= look_for_room_)
                consume();
            check_lag();
            tell_progress();
            maybe_swap();
            check_lag_later();
        });
}

void running_reporting::serve(bool yes)
{
    if (auto done = service_->set_serving(yes); done.has_error())
        return; // the link is down; tried again at the next check
    serving_ = yes;
    if (yes)
        spawn("saying that reporting serves", nats_.context().get_executor(), announce(shared_from_this()));
    else if (refused_settings_.empty()) // else it has been said
        log(log_level::warning, "out of service until caught up",
            {{"last_sequence", std::to_string(views_->counts.progress().last_sequence)},
             {"pending", std::to_string(meter_.pending())}});
}

/// Whoever reads it may ask at once: the broker must know the subscriptions by then.
asio::awaitable<void> running_reporting::announce(std::shared_ptr<running_reporting> self)
{
    const bool first = !std::exchange(self->caught_up_once_, true);
    auto flushing = self->nats_.flush(deadline::in(2s));
    co_await std::move(flushing);
    const auto& p = self->views_->counts.progress();
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(clock::now() - self->started_).count();
    if (!first)
    {
        log(log_level::info, "caught up again", {{"last_sequence", std::to_string(p.last_sequence)}});
        co_return;
    }
    log(log_level::info, "caught up",
        {{"last_sequence", std::to_string(p.last_sequence)},
         {"applied", std::to_string(p.applied)},
         {"duplicates", std::to_string(p.duplicates)},
         {"rejected", std::to_string(p.rejected)},
         {"ms", std::to_string(ms)}});
    tell_supervisor_ready();
}

/// An instance that has served leaves the queue group and goes on answering `$SRV`, which tells why: for good where the stream is not the one that was
/// counted, until there is room where the disk is full. One that has not served yet, and any with a broken file, ends the program.
void running_reporting::stop_counting(const std::string& why)
{
    if (std::exchange(alarm_, why) != why)
        log(log_level::error, "counting has stopped", {{"why", why}});
    counting_ = false;
    collected_.clear();
    if (consumer_)
        consumer_->stop();
    views_->waiter.applied(views_->counts.progress().last_sequence); // what was not written is not counted any more
    meter_.down(clock::now());
    if (serving_)
        serve(false);
    const auto file = views_->counts.condition();
    if (settings_.rebuild && !rebuild_ && !caught_up_once_ && begin_rebuild(why, true).has_value())
        return;
    const bool replaced = rebuild_ && rebuild_->running();
    if (file != file_condition::full && replaced)
        unfit_ = true; // what is counted anew takes its place
    else if (file == file_condition::broken || (!caught_up_once_ && !replaced))
        fatal_(why);
    else if (file == file_condition::full)
        look_for_room_ = clock::now() + room_check;
}

result<void> running_reporting::begin_rebuild(const std::string& why, bool unfit)
{
    rebuild::handlers with;
    with.on_progress = [this] { maybe_swap(); };
    with.on_failure = [this](const std::string& problem)
    {
        if (unfit_)
            fatal_(problem);
    };
    auto begun = rebuild::start(nats_, settings_.database, lock_, stream_, why, std::move(with));
    if (begun.has_error())
        return begun.error();
    rebuild_ = std::move(*begun);
    unfit_ = unfit;
    return {};
}

void running_reporting::tell_progress()
{
    if (rebuild_)
        rebuild_->tell();
    if (caught_up_once_ || !counting_ || clock::now() - told_ < tell_every)
        return;
    told_ = clock::now();
    const auto counted = views_->counts.progress().last_sequence;
    log(log_level::info, "catching up",
        {{"counted", std::to_string(counted)}, {"of", std::to_string(counted + meter_.pending())}});
}

/// What is counted anew takes the place of what serves once it is no less far, or, where nothing serves, holds everything.
void running_reporting::maybe_swap()
{
    if (!rebuild_ || !rebuild_->running())
        return;
    const auto& anew = rebuild_->progress();
    const auto& counted = views_->counts.progress();
    if (unfit_ ? !rebuild_->caught_up() : !counting_ || anew.last_sequence < counted.last_sequence || !rebuild_->reads())
        return;
    if (anew.skipped == 0 || settings_.database.accept_loss)
        return swap();
    const auto missing = unfit_ || counted.applied < anew.applied ? std::to_string(anew.skipped) + " messages of the stream"
                                                                  : std::to_string(counted.applied - anew.applied) + " views";
    const auto why =
        "the stream no longer has its start: " + missing + " would be missing (--accept-loss takes the new counts all the same)";
    log(log_level::error, "counting anew is done, and does not replace the counts", {{"why", why}});
    rebuild_->hold(why);
    if (unfit_)
        fatal_(why);
}

void running_reporting::swap()
{
    const auto before = views_->counts.progress();
    if (const auto emptied = views_->counts.empty_log(); !unfit_ && (emptied.has_error() || !*emptied))
        return; // a backup still reads it: at a later look
    if (const auto finished = rebuild_->finish(); finished.has_error())
        return;
    commit_.cancel();
    commit_waits_ = false;
    views_->counts = projection::none();
    auto swapped = swap_databases(settings_.database.path);
    settings_.database.accept_loss = false; // that was for what the start found
    auto opened = swapped.has_error() ? result<projection>(swapped.error()) : projection::open(settings_.database, lock_);
    if (opened.has_error())
    {
        alarm_ = opened.error().detail;
        counting_ = false;
        return fatal_(opened.error().detail);
    }
    views_->counts = std::move(*opened);
    const auto& now = views_->counts.progress();
    log(log_level::info, "counted anew",
        {{"last_sequence", std::to_string(now.last_sequence)},
         {"applied", std::to_string(now.applied)},
         {"applied_before", std::to_string(before.applied)},
         {"kept", file_before_rebuild(settings_.database.path)}});
    asio::post(nats_.context(), [done = std::move(rebuild_)] {}); // perhaps within a handler of its own
    rebuild_.reset();
    views_->waiter.applied(now.last_sequence);
    alarm_.clear();
    if (!std::exchange(unfit_, false))
        return; // its consumer goes on: what is counted already is skipped
    consume();
}

asio::awaitable<void> running_reporting::stop(deadline until)
{
    check_.cancel();
    if (rebuild_)
        rebuild_->stop();
    watch_->stop();
    co_await service_->stop(until); // requests that wait for an event still get it: the consumer runs on
    views_->waiter.stop();
    if (consumer_)
        consumer_->stop();
    commit_.cancel();
    if (counting_)
        commit();
}

/// The handle: what timers and handlers refer to is shared.
class reporting_handle : public runnable
{
public:
    explicit reporting_handle(std::shared_ptr<running_reporting> running) : running_(std::move(running)) {}
    asio::awaitable<void> stop(deadline until) override { return running_->stop(until); }
    bool serves_later() const noexcept override { return true; }

private:
    std::shared_ptr<running_reporting> running_;
};

asio::awaitable<result<stream_state>> patiently_ensure(connection& nats, stream_config wanted)
{
    const auto until = deadline::in(stream_patience);
    start_wait waiting(nats, "stream " + wanted.name);
    asio::steady_timer pause(nats.context());
    for (;;)
    {
        const auto stream = co_await ensure_stream(nats.requests(), wanted, until.sooner(deadline::in(stream_attempt)));
        if (stream.has_value())
            co_return stream;
        const auto why = waiting.judge(stream.error());
        if (why == errc::bad_request || until.remaining() < stream_retry)
            co_return why;
        pause.expires_after(stream_retry);
        boost::system::error_code ignored;
        co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    }
}

/// Not looked is what a broker leaves open that does not answer, or does not let us ask: the consumer's first message tells.
asio::awaitable<last_counted> look_for_last(connection& nats, const stream_state& stream, const projection_progress& counted)
{
    if (counted.last_sequence == 0 || counted.last_timestamp.count() == 0 || counted.last_sequence > stream.last_sequence)
        co_return last_counted::not_looked;
    const std::string name(names::stream_events);
    const auto found = co_await find_message(nats.requests(), name, counted.last_sequence, deadline::in(stream_attempt));
    if (found.has_error())
        co_return last_counted::not_looked;
    if (!*found)
        co_return last_counted::gone;
    co_return (*found)->timestamp == counted.last_timestamp ? last_counted::same : last_counted::another;
}

/// Of counts that fit the stream; none: they stay.
result<std::optional<std::string>> why_rebuild(found_counts& found, const reporting_settings& settings,
                                               const stream_state& stream)
{
    const counting_rule wanted{counting_version, settings.database.dedupe_window};
    if (settings.rebuild && !found.counts.progress().rebuilt)
        return std::optional<std::string>("--rebuild");
    if (found.was_cut)
        return std::optional<std::string>("it was begun and not done");
    return judge_rule(found.counts, wanted, stream);
}

} // namespace

stream_config events_config()
{
    stream_config config;
    config.name = std::string(names::stream_events);
    config.subject = subjects::events().str();
    config.further_subjects = {subjects::events_admin().str()};
    config.description = "Views, one message for each, from marquee-edge to marquee-reporting";
    config.least_room = longest_event_bytes();
    return config;
}

asio::awaitable<result<std::unique_ptr<runnable>>> start_reporting(connection& nats, reporting_settings settings,
                                                                   fatal_handler fatal)
{
    settings_watch::settings watched{settings.stream, settings.check_settings};
    auto own = file_lock::take(settings.database.path + ".lock");
    if (own.has_error())
        co_return own.error();
    const auto lock = std::make_shared<file_lock>(std::move(*own));
    auto found = open_counts(settings.database, lock, settings.rebuild);
    if (found.has_error())
        co_return found.error();
    const auto stream = co_await patiently_ensure(nats, settings.stream);
    if (stream.has_error())
        co_return stream.error();
    auto unfit = found->unusable;
    if (unfit.empty())
    {
        const auto& counted = found->counts.progress();
        const auto last = co_await look_for_last(nats, *stream, counted);
        const auto judged = judge_stream({counted.stream_id, counted.last_sequence}, *stream, last);
        if (settings.rebuild && judged.finding == stream_finding::another)
            unfit = judged.why;
        else if (const auto attached = found->counts.attach(*stream, last); attached.has_error())
        {
            if (!settings.rebuild)
                co_return attached.error();
            unfit = attached.error().detail;
        }
    }
    const auto why = unfit.empty() ? why_rebuild(*found, settings, *stream) : result<std::optional<std::string>>(unfit);
    if (why.has_error())
        co_return why.error();
    auto running =
        std::make_shared<running_reporting>(nats, std::move(settings), lock, std::move(found->counts), *stream, std::move(fatal));
    if (*why)
        if (const auto begun = running->begin_rebuild(**why, !unfit.empty()); begun.has_error())
            co_return begun.error();
    if (const auto started = running->start(std::move(watched)); started.has_error())
        co_return started.error();
    co_return std::make_unique<reporting_handle>(std::move(running));
}

} // namespace marquee
