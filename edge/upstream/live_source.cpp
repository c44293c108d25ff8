#include "edge/upstream/live_source.hpp"

#include "broker/base/co_spawn_logged.hpp"
#include "broker/base/log_quota.hpp"
#include "broker/base/wait.hpp"
#include "schemas/json.hpp"
#include "schemas/subjects.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace marquee
{

namespace
{

constexpr std::uint64_t most_views = 1000; // of a reply

} // namespace

live_source::live_source(asio::io_context& io, live_hub& hub, service_client& services, const settings& with)
    : io_(io), hub_(hub), services_(services), settings_(with), retry_(with.first_retry),
      catch_up_retry_(with.first_retry), flush_(io, with.flush,
                                                [this]
                                                {
                                                    flushing_ = hub_.is_dirty();
                                                    hub_.flush();
                                                    return flushing_;
                                                }),
      heartbeat_(io, with.heartbeat_part,
                 [this]
                 {
                     hub_.beat(settings_.heartbeat_parts);
                     return hub_.clients() > 0;
                 })
{
    hub_.on_first_client([this] { start(); });
    hub_.on_catch_up(
        [this](std::weak_ptr<live_client> who)
        {
            waiting_.push_back(std::move(who));
            start_catching_up();
        });
}

void live_source::start()
{
    heartbeat_.start();
    if (!std::exchange(feeding_, true))
        co_spawn_logged("feeding live streams", io_.get_executor(), feed(),
                        [this](bool)
                        {
                            feeding_ = false;
                            if (hub_.clients() > 0) // it threw
                                start();
                        });
}

asio::awaitable<void> live_source::feed()
{
    while (hub_.clients() > 0)
    {
        const auto began = clock::now();
        auto asking = feed_once();
        const bool full = co_await std::move(asking);
        const auto spent = std::chrono::duration_cast<std::chrono::milliseconds>(clock::now() - began);
        if (const auto least = full ? settings_.pause : settings_.flush; spent < least)
            co_await pause(least - spent);
    }
    hub_.end();
}

/// True where more views may be there already.
asio::awaitable<bool> live_source::feed_once()
{
    const auto after = hub_.next();
    auto asking = ask(after, after ? settings_.poll : std::chrono::milliseconds(0)); // at once: where is now?
    const auto reply = co_await std::move(asking);
    auto next = reply.has_error() ? std::nullopt : live_place::parse(reply->next);
    if (!next)
    {
        static limited_log failures(log_level::warning, "no live views");
        failures.write({{"reason", reply.has_error() ? std::string(name_of(reply.error().code)) : "no place"}});
        co_await pause(retry_);
        retry_ = std::min(2 * retry_, settings_.last_retry);
        co_return false;
    }
    retry_ = settings_.first_retry;
    for (const auto& each : reply->erased.value_or(std::vector<live_erasure>()))
        hub_.forget(each.user, each.sequence);
    if (reply->erased_before)
        hub_.forget(*reply->erased_before);
    if (!after)
        hub_.begin(std::move(*next));
    else if (reply->gap.value_or(false))
        hub_.gap(std::move(*next));
    else
        hub_.take(reply->views, std::move(*next));
    flush_soon();
    const bool is_behind = !reply->views.empty() && !reply->views.back().assetviews; // read from the stream
    co_return is_behind || reply->views.size() >= most_views;
}

/// The first views after a pause are sent at once; those that come soon after them, together.
void live_source::flush_soon()
{
    if (!hub_.is_dirty())
        return;
    if (!std::exchange(flushing_, true))
        hub_.flush();
    flush_.start();
}

void live_source::start_catching_up()
{
    while (catching_up_ < settings_.catching_up && !waiting_.empty())
    {
        auto who = std::move(waiting_.front());
        waiting_.pop_front();
        ++catching_up_;
        co_spawn_logged("catching up", io_.get_executor(), catch_up(std::move(who)),
                        [this](bool)
                        {
                            --catching_up_;
                            start_catching_up();
                        });
    }
}

/// One request for the client, which then waits behind the others: a slow one keeps nobody waiting.
asio::awaitable<void> live_source::catch_up(std::weak_ptr<live_client> who)
{
    auto asking = catch_up_once(who);
    const auto got = co_await std::move(asking);
    if (got == progress::done)
        co_return;
    auto least = got == progress::more ? settings_.pause : settings_.flush;
    if (got == progress::failed)
        least = std::exchange(catch_up_retry_, std::min(2 * catch_up_retry_, settings_.last_retry));
    else
        catch_up_retry_ = settings_.first_retry;
    co_await pause(least);
    waiting_.push_back(std::move(who));
}

/// Joins the client, or sends one request for it where it has taken what it got. It may go away
/// meanwhile.
asio::awaitable<live_source::progress> live_source::catch_up_once(std::weak_ptr<live_client> who)
{
    std::optional<live_place> after;
    {
        const auto client = who.lock();
        if (!client || !client->catches_up() || hub_.join(*client))
            co_return progress::done;
        if (!client->has_taken_all())
            co_return progress::none;
        after = client->after();
    }
    auto asking = ask(after, settings_.poll);
    const auto reply = co_await std::move(asking);
    auto next = reply.has_error() ? std::nullopt : live_place::parse(reply->next);
    if (!next)
        co_return progress::failed;
    const bool gap = reply->gap.value_or(false);
    if (const auto client = who.lock(); client && client->catches_up())
        client->caught_up(reply->views, std::move(*next), gap);
    co_return gap || !reply->views.empty() ? progress::more : progress::none;
}

asio::awaitable<result<live_reply>> live_source::ask(std::optional<live_place> after, std::chrono::milliseconds wait)
{
    live_request wanted;
    if (after)
        wanted.after = after->text();
    wanted.limit = most_views;
    header_list headers;
    headers.set(names::header_timeout, std::to_string(wait.count()));
    const auto to = subjects::reporting_live();
    const auto payload = encode(wanted);
    const auto pending = services_.direct.request(to, payload, headers, deadline::in(wait + settings_.grace));
    auto receiving = pending.receive();
    const auto reply = co_await std::move(receiving);
    if (reply.has_error())
        co_return reply.error();
    co_return decode_reply<live_reply>(reply->data);
}

asio::awaitable<void> live_source::pause(std::chrono::milliseconds time)
{
    asio::steady_timer timer(io_, time);
    co_await wait(timer);
}

} // namespace marquee
