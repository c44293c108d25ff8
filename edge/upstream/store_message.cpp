#include "edge/upstream/store_message.hpp"

#include "broker/base/wait.hpp"
#include "schemas/subjects.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>

#include <utility>

namespace marquee
{

namespace
{

asio::awaitable<result<stored_event>> store(requester& nats, outage_timer& outage, subject to, std::string payload,
                                            std::string message_id, header_list headers, deadline until)
{
    constexpr std::chrono::milliseconds leader_retry_pause{50};
    const auto last_try = deadline::in(std::chrono::seconds(2)).sooner(until);
    bool silent = false; // an attempt timed out: it may have been stored
    for (;;)
    {
        // Half of the time is left for a second attempt, which JetStream acknowledges as a
        // duplicate if the first one was stored.
        const auto attempt_until = silent ? until : deadline::in((until.at() - deadline::clock::now()) / 2);
        auto stored = co_await publish_stored(nats, to, payload, message_id, attempt_until, headers);
        if (stored.has_value())
        {
            outage.reset();
            co_return stored;
        }
        const auto& why = stored.error();
        const bool time_left = last_try.remaining() > 2 * leader_retry_pause; // for the pause, and for an attempt
        if (why == errc::timeout && !silent && time_left)
        {
            silent = true;
            continue;
        }
        if (why != errc::no_responders || !time_left || !outage.is_recent(deadline::clock::now()))
            co_return silent ? fail(errc::timeout, why.detail) : why;
        asio::steady_timer timer(co_await asio::this_coro::executor, leader_retry_pause);
        co_await wait(timer);
    }
}

} // namespace

asio::awaitable<result<stored_event>> store_message(requester& nats, outage_timer& outage, std::string payload,
                                                    std::string message_id, header_list headers, deadline until)
{
    return store(nats, outage, subjects::events(), std::move(payload), std::move(message_id), std::move(headers),
                 until);
}

asio::awaitable<result<stored_event>> store_correction(requester& nats, outage_timer& outage, std::string payload,
                                                       std::string message_id, deadline until)
{
    return store(nats, outage, subjects::events_admin(), std::move(payload), std::move(message_id), {}, until);
}

} // namespace marquee
