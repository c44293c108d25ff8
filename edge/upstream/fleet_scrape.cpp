#include "edge/upstream/fleet_scrape.hpp"

#include "edge/metrics/fleet_metrics.hpp"
#include "edge/metrics/metrics.hpp"
#include "schemas/subjects.hpp"

#include <cstddef>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

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
    std::vector<std::string_view> services;
    for (const auto each : upstream_services)
        services.push_back(name_of(each));
    auto asking = fleet.statistics(std::move(services), until);
    auto stats = co_await std::move(asking);
    if (stats.has_error())
        co_return stats.error();
    fleet_replies told;
    for (std::size_t i = 0; i < upstream_services.size(); ++i)
        told.stats.emplace_back(name_of(upstream_services[i]), std::move(stats->of_services[i]));
    told.foreign = std::move(stats->of_all);
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
