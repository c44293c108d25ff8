#include "services/reporting/reporting_instance.hpp"

#include "broker/base/co_spawn_logged.hpp"
#include "broker/base/log.hpp"
#include "broker/base/supervisor.hpp"
#include "broker/micro/program_identity.hpp"
#include "schemas/subjects.hpp"
#include "services/reporting/live_endpoint.hpp"
#include "services/reporting/reporting_statistics.hpp"

#include <filesystem>
#include <system_error>
#include <utility>

namespace marquee
{
namespace
{

using namespace std::chrono_literals;

constexpr auto check_period = 100ms;
constexpr auto disk_retry = 1s;
constexpr auto progress_period = 5s; ///< of log lines, before it has served
constexpr auto flush_limit = 2s;

/// Of the file and its log.
std::uint64_t database_bytes(const std::string& path)
{
    std::uint64_t bytes = 0;
    for (const auto& file : {path, path + "-wal"})
    {
        std::error_code ec;
        const auto size = std::filesystem::file_size(file, ec);
        bytes += ec ? 0 : size;
    }
    return bytes;
}

} // namespace

reporting_instance::reporting_instance(connection& nats, reporting_settings settings, std::shared_ptr<file_lock> lock,
                                       projection counts, stream_state stream, fatal_handler fatal)
    : nats_(nats), settings_(std::move(settings)), lock_(std::move(lock)), stream_(std::move(stream)),
      views_(std::make_shared<reporting_views>(std::move(counts), nats.context().get_executor(), fatal)),
      fatal_(std::move(fatal)), publisher_(nats), check_(nats.context()), commit_(nats.context())
{
    views_->stream = &nats.requests();
}

result<void> reporting_instance::start(settings_watch::settings watched, bool usable)
{
    if (auto registered = register_endpoints(); registered.has_error())
        return registered;
    advance(reporting_events::started{usable});
    check_later();
    watch_ =
        settings_watch::start(nats_, std::move(watched), [this](const std::string& why) { on_refused_settings(why); });
    return {};
}

result<void> reporting_instance::register_endpoints()
{
    service_config config;
    config.name = "reporting";
    config.version = MARQUEE_VERSION;
    config.description = "Views of each asset and of each user";
    config.bundles = true;
    config.named_replies = true;
    config.metadata = {{std::string(names::metadata_event_lines), "yes"},
                       {std::string(names::metadata_stream), std::string(names::stream_events)},
                       {std::string(names::metadata_data_version), std::to_string(counting_version)}};
    identify_program(config, nats_);
    config.serving = false; // until caught up
    auto endpoints = reporting_endpoints(views_, [this] { return statistics(); });
    endpoints.push_back(live_endpoint(views_, [this] { return statistics(); }));
    auto registered = service::start(nats_, std::move(config), std::move(endpoints));
    if (registered.has_error())
        return registered.error();
    service_ = std::move(*registered);
    publisher_.set_instance(service_->id());
    return {};
}

boost::json::value reporting_instance::statistics() const
{
    const consumer_losses none;
    auto data =
        reporting_statistics(progress(), views_->counts.rule(), meter_, in_queue_group_,
                             alarm_.empty() ? refused_settings_ : alarm_, consumer_ ? consumer_->losses() : none);
    if (consumer_ && !consumer_->name().empty())
        data["consumer"] = consumer_->name();
    data["uncommitted"] = views_->counts.uncommitted();
    data["database_bytes"] = database_bytes(settings_.database.path);
    data["counts_sent"] = publisher_.sent();
    if (publisher_.refused() > 0)
        data["counts_refused"] = publisher_.refused();
    if (publisher_.unsent() > 0)
        data["counts_unsent"] = publisher_.unsent();
    if (rebuild_)
        data["rebuild"] = rebuild_->state();
    return data;
}

/// Carries out the action of a transition. `why`: of a failure, for the log and the requesters.
void reporting_instance::advance(const reporting_event& event, const std::string& why)
{
    const auto action = fsm_.advance(event);
    follow_queue_group();
    switch (action)
    {
    case reporting_action::none:
        break;
    case reporting_action::consume:
        consume();
        break;
    case reporting_action::begin_rebuild:
        if (begin_rebuild(why).has_error())
            advance(reporting_events::rebuild_failed{}, why);
        break;
    case reporting_action::retry_later:
        retry_at_ = clock::now() + disk_retry;
        break;
    case reporting_action::end_program:
        fatal_(why);
        break;
    }
}

/// Joins or leaves the queue group; fails while the link is down, and is tried at each check.
void reporting_instance::follow_queue_group()
{
    const bool serves = fsm_.serves();
    if (in_queue_group_ == serves || service_->set_serving(serves).has_error())
        return;
    in_queue_group_ = serves;
    views_->live.release();
    if (serves)
    {
        const bool first = !fsm_.has_served();
        advance(reporting_events::joined{});
        co_spawn_logged("saying that reporting serves", nats_.context().get_executor(),
                        announce(shared_from_this(), first));
    }
    else if (refused_settings_.empty()) // else settings_watch has logged it
        log(log_level::warning, "out of service until caught up",
            {{"last_sequence", std::to_string(progress().last_sequence)},
             {"pending", std::to_string(meter_.pending())}});
}

/// Readers of the line may send requests at once: the broker must know the subscriptions by then.
asio::awaitable<void> reporting_instance::announce(std::shared_ptr<reporting_instance> self, bool first)
{
    auto flushing = self->nats_.flush(deadline::in(flush_limit));
    co_await std::move(flushing);
    const auto& p = self->progress();
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
    notify_ready();
}

void reporting_instance::on_refused_settings(const std::string& why)
{
    refused_settings_ = why;
    check_lag();
}

void reporting_instance::check_later()
{
    check_.expires_after(check_period);
    check_.async_wait(
        [this, weak = weak_from_this()](boost::system::error_code cancelled)
        {
            const auto alive = weak.lock();
            if (cancelled || !alive)
                return;
            if (clock::now() >= retry_at_)
                advance(reporting_events::retry_due{});
            check_lag();
            log_progress();
            swap_when_ready();
            hide_some();
            check_later();
        });
}

void reporting_instance::log_progress()
{
    if (rebuild_)
        rebuild_->log_progress();
    if (fsm_.has_served() || !fsm_.counts() || clock::now() - progress_logged_ < progress_period)
        return;
    progress_logged_ = clock::now();
    const auto counted = progress().last_sequence;
    log(log_level::info, "catching up",
        {{"counted", std::to_string(counted)}, {"of", std::to_string(counted + meter_.pending())}});
}

asio::awaitable<void> reporting_instance::stop(deadline until)
{
    check_.cancel();
    if (rebuild_)
        rebuild_->stop();
    watch_->stop();
    if (consumer_ && !fsm_.has_served()) // no request waits for an event
        consumer_->stop();
    views_->live.stop();
    co_await service_->stop(until); // the consumer goes on: requests that wait for an event get it
    views_->waiter.stop();
    if (consumer_)
        consumer_->stop();
    commit_.cancel();
    if (fsm_.counts())
        commit();
}

} // namespace marquee
