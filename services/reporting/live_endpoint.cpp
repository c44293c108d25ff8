#include "services/reporting/live_endpoint.hpp"

#include "schemas/live_messages.hpp"
#include "schemas/rfc3339.hpp"
#include "schemas/subjects.hpp"
#include "services/reporting/live_reading.hpp"
#include "services/reporting/view_endpoints.hpp"

#include <algorithm>
#include <utility>

namespace marquee
{

namespace
{

using shared_views = std::shared_ptr<reporting_views>;

constexpr std::size_t default_limit = 100;
constexpr std::size_t most_requests = 256;                    ///< that wait
constexpr std::chrono::milliseconds patience_with_ahead{900}; ///< an instance that serves lags less than a second

struct wanted_views
{
    std::optional<live_place> after;
    std::size_t limit = default_limit;
    deadline until; ///< of the reply
};

result<wanted_views> read_request(const reporting_views& from, const service_request& request)
{
    wanted_views wanted{{}, default_limit, deadline::in(from.unnamed_wait)};
    if (request.deadline_named)
    {
        const auto left = request.until.remaining();
        wanted.until = deadline::in(left - std::min(left / 4, live_feed::latency));
    }
    if (request.msg.data.empty())
        return wanted;
    const auto given = decode<live_request>(request.msg.data);
    if (given.has_error())
        return given.error();
    if (given->after)
        wanted.after = live_place::parse(*given->after);
    wanted.limit = given->limit.value_or(default_limit);
    return wanted;
}

/// Those after a place, as far as they are remembered.
std::optional<std::vector<live_erasure>> erasures_after(const reporting_views& from, live_position place)
{
    const auto& all = from.live.ring().erasures();
    const auto first =
        std::find_if(all.begin(), all.end(), [&](const live_erasure& each) { return each.sequence > place.sequence; });
    return first == all.end() ? std::nullopt : std::optional(std::vector(first, all.end()));
}

/// Those after a place, and before the ring: only the database knows them, by hashes.
result<std::optional<std::vector<live_hashed_erasure>>> erasures_before_ring(reporting_views& from, live_position place)
{
    std::optional<std::vector<live_hashed_erasure>> all;
    const auto begin = from.live.ring().begin();
    if (place.sequence >= begin.sequence)
        return all;
    auto found = from.counts.erasures(place.sequence, begin.sequence, live_ring::most_erasures);
    if (found.has_error())
        return found.error();
    for (auto& [hash, sequence] : *found)
        (all ? *all : all.emplace()).push_back({std::move(hash), sequence});
    return all;
}

/// `asked`: the place of the request.
service_result reply_with(reporting_views& from, live_position asked, std::vector<live_view> views, live_position next,
                          bool gap = false)
{
    live_reply reply;
    auto before = erasures_before_ring(from, asked);
    if (before.has_error())
        return lookup_failed(from, before.error());
    reply.erased_before = std::move(*before);
    reply.erased = erasures_after(from, asked);
    reply.views = std::move(views);
    reply.next = live_place{from.live.epoch(), next}.text();
    if (gap)
        reply.gap = true;
    return service_reply{encode(reply), {}};
}

/// The views and erasures of the ring after `at`; nothing where there are none.
std::optional<service_result> from_ring(reporting_views& from, live_position asked, live_position at, std::size_t limit)
{
    const auto& ring = from.live.ring();
    std::vector<live_view> views;
    auto number = ring.first_after(at);
    for (std::size_t bytes = 0; number < ring.size() && views.size() < limit && bytes < most_live_bytes; ++number)
    {
        const auto& each = ring[number];
        views.push_back({live_place{from.live.epoch(), each.at}.text(), each.asset, each.user, live_time(each.time),
                         each.asset_views, each.user_views});
        bytes += each.asset.size() + each.user.size() + 192;
        at = each.at;
    }
    if (views.empty() && !erasures_after(from, at))
        return std::nullopt;
    return reply_with(from, asked, std::move(views), number == ring.size() ? ring.end() : at);
}

/// An empty reply: everything that is counted held no view. A place that the reading did not take
/// as far as the ring, or that is ahead of this instance, stays.
service_result nothing_new(reporting_views& from, live_position asked, live_position at)
{
    const auto& ring = from.live.ring();
    return reply_with(from, asked, {}, at < ring.begin() ? at : std::max(at, ring.end()));
}

asio::awaitable<service_result> answer_live(shared_views from, service_request request)
{
    auto wanted = read_request(*from, request);
    if (wanted.has_error())
        co_return service_error(wanted.error());
    auto& feed = from->live;
    feed.asked(from->counts);
    const auto began = deadline::clock::now();
    const auto asked = wanted->after ? wanted->after->at : feed.ring().end();
    auto at = asked;
    for (;;)
    {
        if (wanted->after && !may_be_same_epoch(wanted->after->epoch, feed.epoch()))
            co_return reply_with(*from, asked, {}, feed.ring().begin(), true);
        if (at < feed.ring().begin())
        {
            auto reading = read_live_part(from, at, wanted->limit, wanted->until);
            auto part = co_await std::move(reading);
            if (part.has_error() && at != asked) // how far it came is told, and asked for from there
                break;
            if (part.has_error())
                co_return service_error(part.error());
            const bool moved = part->next != at;
            at = part->next;
            if (part->gap || !part->views.empty())
                co_return reply_with(*from, asked, std::move(part->views), at, part->gap);
            if (moved && !wanted->until.passed())
                continue;
        }
        else if (auto reply = from_ring(*from, asked, at, wanted->limit))
            co_return std::move(*reply);
        if (wanted->until.passed())
            break;
        auto waiting = feed.wait(wanted->until);
        if (!co_await std::move(waiting))
            break;
    }
    // An instance that serves cannot be so far behind another: the stream has lost its end.
    const bool lost = at > feed.ring().end() && deadline::clock::now() - began >= patience_with_ahead;
    co_return lost ? reply_with(*from, asked, {}, feed.ring().end(), true) : nothing_new(*from, asked, at);
}

} // namespace

std::string live_time(std::chrono::nanoseconds since_epoch)
{
    using std::chrono::system_clock;
    return rfc3339(system_clock::time_point(std::chrono::duration_cast<system_clock::duration>(since_epoch)));
}

endpoint_config live_endpoint(std::shared_ptr<reporting_views> views, std::function<boost::json::value()> data)
{
    endpoint_config endpoint;
    endpoint.name = "live";
    endpoint.subject = subjects::reporting_live().str();
    endpoint.handler = [views = std::move(views)](service_request request)
    { return answer_live(views, std::move(request)); };
    endpoint.metadata = {{"description", "Views as they are counted, after a place in the stream"}};
    endpoint.long_poll = true;
    endpoint.max_in_flight = most_requests;
    endpoint.data = std::move(data);
    return endpoint;
}

} // namespace marquee
