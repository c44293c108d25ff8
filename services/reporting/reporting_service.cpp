// Starts reporting: what is in the file, whether it fits the stream, and whether to count anew.
#include "services/reporting/reporting_service.hpp"

#include "broker/base/log.hpp"
#include "broker/base/wait.hpp"
#include "broker/jetstream/stream_lookup.hpp"
#include "broker/jetstream/streams.hpp"
#include "broker/program/startup_retry.hpp"
#include "schemas/event.hpp"
#include "schemas/subjects.hpp"
#include "services/reporting/open_counts.hpp"
#include "services/reporting/projection/swap.hpp"
#include "services/reporting/reporting_instance.hpp"

#include <boost/asio/steady_timer.hpp>

#include <utility>

namespace marquee
{
namespace
{

using namespace std::chrono_literals;

constexpr auto stream_limit = 15s; ///< for JetStream to come up, e.g. to elect a leader
constexpr auto attempt_limit = 2s; ///< without a leader a request is lost, not refused
constexpr auto attempt_pause = 200ms;

/// Owns the instance, which timers and handlers refer to by weak pointers.
class reporting_component : public component
{
public:
    explicit reporting_component(std::shared_ptr<reporting_instance> running) : running_(std::move(running)) {}
    asio::awaitable<void> stop(deadline until) override { return running_->stop(until); }
    [[nodiscard]] bool serves_later() const noexcept override { return true; }

private:
    std::shared_ptr<reporting_instance> running_;
};

/// Finds or creates the stream; tries again while JetStream may be starting.
asio::awaitable<result<stream_state>> ensure_stream_in_time(connection& nats, stream_config wanted)
{
    const auto until = deadline::in(stream_limit);
    startup_retry retry(nats, "stream " + wanted.name);
    asio::steady_timer pause(nats.context());
    for (;;)
    {
        const auto stream = co_await ensure_stream(nats.requests(), wanted, until.sooner(deadline::in(attempt_limit)));
        if (stream.has_value())
            co_return stream;
        const auto why = retry.classify(stream.error());
        if (why == errc::bad_request || until.remaining() < attempt_pause)
            co_return why;
        co_await wait(pause, deadline::in(attempt_pause));
    }
}

/// `not_looked` where the broker does not answer or does not permit the request: the consumer's
/// first message tells then.
asio::awaitable<last_counted> look_for_last(connection& nats, const stream_state& stream,
                                            const projection_progress& counted)
{
    if (counted.last_sequence == 0 || counted.last_timestamp.count() == 0 ||
        counted.last_sequence > stream.last_sequence)
        co_return last_counted::not_looked;
    const std::string name(names::stream_events);
    const auto found = co_await find_message(nats.requests(), name, counted.last_sequence, deadline::in(attempt_limit));
    if (found.has_error())
        co_return last_counted::not_looked;
    if (!*found)
        co_return last_counted::gone;
    co_return (*found)->timestamp == counted.last_timestamp ? last_counted::same : last_counted::another;
}

/// Attaches the counts to the stream. Where they do not fit, and a rebuild is asked for, they
/// become unusable instead; else that is the failure.
result<void> attach_counts(found_counts& found, const stream_state& stream, last_counted last, bool rebuild)
{
    const auto& counted = found.counts.progress();
    const auto judged = judge_stream({counted.stream_id, counted.last_sequence}, stream, last);
    if (rebuild && judged.finding == stream_finding::another)
        found.unusable = judged.why;
    else if (auto attached = found.counts.attach(stream, last); attached.has_error())
    {
        if (!rebuild)
            return attached;
        found.unusable = attached.error().detail;
    }
    return {};
}

/// Why the stream is to be counted anew; nothing where the counts stay.
result<std::optional<std::string>> why_rebuild(found_counts& found, const reporting_settings& settings,
                                               const stream_state& stream)
{
    if (!found.unusable.empty())
        return std::optional(found.unusable);
    if (settings.rebuild && !found.counts.progress().rebuilt)
        return std::optional<std::string>("--rebuild");
    const bool has_room = has_room_for_rebuild(settings.database.path);
    if (found.rebuild_unfinished && (has_room || settings.rebuild))
        return std::optional<std::string>("it was begun and not done");
    const counting_rule wanted{counting_version, settings.database.dedupe_window};
    auto why = judge_rule(found.counts, wanted, stream);
    if (why.has_error() || has_room)
        return why;
    if (*why)
        log(log_level::warning, "counts by another rule are kept: the disk has no room to count anew beside them",
            {{"why", **why}});
    else if (found.rebuild_unfinished)
        log(log_level::warning, "counting anew does not go on: the disk has no room beside the counts",
            {{"file", file_of_rebuild(settings.database.path)}});
    return std::optional<std::string>();
}

} // namespace

asio::awaitable<result<std::unique_ptr<component>>> start_reporting(connection& nats, reporting_settings settings,
                                                                    fatal_handler fatal)
{
    auto own = file_lock::take(settings.database.path + ".lock");
    if (own.has_error())
        co_return own.error();
    const auto lock = std::make_shared<file_lock>(std::move(*own));
    auto found = open_counts(settings.database, lock, settings.rebuild);
    if (found.has_error())
        co_return found.error();
    const auto stream = co_await ensure_stream_in_time(nats, settings.stream);
    if (stream.has_error())
        co_return stream.error();
    if (found->unusable.empty())
    {
        const auto last = co_await look_for_last(nats, *stream, found->counts.progress());
        if (const auto attached = attach_counts(*found, *stream, last, settings.rebuild); attached.has_error())
            co_return attached.error();
    }
    const auto why = why_rebuild(*found, settings, *stream);
    if (why.has_error())
        co_return why.error();
    settings_watch::settings watched{settings.stream, settings.check_settings};
    auto running = std::make_shared<reporting_instance>(nats, std::move(settings), lock, std::move(found->counts),
                                                        *stream, std::move(fatal));
    if (*why)
        if (const auto begun = running->begin_rebuild(**why); begun.has_error())
            co_return begun.error();
    if (const auto started = running->start(std::move(watched), found->unusable.empty()); started.has_error())
        co_return started.error();
    co_return std::make_unique<reporting_component>(std::move(running));
}

} // namespace marquee
