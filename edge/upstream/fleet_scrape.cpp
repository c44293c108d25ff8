#include "edge/upstream/fleet_scrape.hpp"

#include "edge/metrics/fleet_metrics.hpp"
#include "schemas/subjects.hpp"

#include <optional>
#include <utility>

namespace marquee
{

namespace
{

constexpr auto scrape_limit = std::chrono::milliseconds(800);

/// Nothing where no reply came.
asio::awaitable<std::optional<std::string>> text_of(pending_reply pending)
{
    auto reply = co_await pending.receive();
    if (reply.has_error())
        co_return std::nullopt;
    co_return std::move(reply->data);
}

asio::awaitable<result<std::string>> ask(requester& nats, fleet_view& fleet)
{
    const auto until = deadline::in(scrape_limit);
    const header_list no_headers;
    auto stream =
        nats.request(subject::of({"$JS", "API", "STREAM", "INFO", names::stream_events}), "", no_headers, until);
    auto account = nats.request(subject::of({"$JS", "API", "INFO"}), "", no_headers, until);
    auto asking = fleet.statistics(until);
    auto stats = co_await std::move(asking);
    if (stats.has_error())
        co_return stats.error();
    fleet_replies told;
    told.stats = std::move(*stats);
    told.stream = co_await text_of(std::move(stream));
    told.account = co_await text_of(std::move(account));
    co_return fleet_page(told);
}

} // namespace

asio::awaitable<result<std::string>> fleet_scrape::page(requester& nats, fleet_view& fleet)
{
    const single_flight_cache<result<std::string>>::loader load = [&nats, &fleet] { return ask(nats, fleet); };
    co_return co_await page_.get(load);
}

} // namespace marquee
