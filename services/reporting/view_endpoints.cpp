#include "services/reporting/view_endpoints.hpp"

#include "schemas/json.hpp"
#include "schemas/messages.hpp"
#include "schemas/parse_number.hpp"
#include "schemas/subjects.hpp"
#include "services/reporting/view_periods.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <limits>
#include <utility>

namespace marquee
{
namespace
{

constexpr std::uint64_t default_top_limit = 10;
constexpr std::uint64_t default_page_limit = 100;

time_in_ms now_of(const reporting_views& views) { return std::chrono::floor<std::chrono::milliseconds>(views.now()); }

/// An empty payload is a request without members.
template <class T>
result<T> read_body(const service_request& request)
{
    return request.msg.data.empty() ? result<T>(T()) : decode<T>(request.msg.data);
}

template <class Id>
result<Id> read_id(const service_request& request)
{
    return Id::from_token(subjects::token_at(request.msg.subject, 2));
}

template <class Reply>
service_result reply_with(const Reply& reply)
{
    return service_reply{encode(reply), {}};
}

/// None where it is not known.
std::optional<std::string> time_text(std::int64_t ms)
{
    if (ms < 0)
        return std::nullopt;
    return rfc3339_seconds(std::chrono::floor<std::chrono::seconds>(time_in_ms(std::chrono::milliseconds(ms))));
}

asset_views_reply reply_of(asset_record&& record)
{
    return {std::move(record.id), record.views, record.viewers, time_text(record.last)};
}

/// `next` of a history: the place of its last entry, as `MILLISECONDS.TOKEN`.
std::string token_of(const seen_record& last)
{
    const auto id = asset_id::parse(last.id);
    return std::to_string(last.last) + '.' + (id.has_value() ? id->token() : "");
}

std::optional<history_place> place_of(std::string_view token)
{
    const auto dot = token.find('.');
    if (dot == std::string_view::npos)
        return std::nullopt;
    const auto last = parse_number<std::uint64_t>(token.substr(0, dot));
    const auto id = asset_id::from_token(token.substr(dot + 1));
    if (!last || *last > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()) || id.has_error())
        return std::nullopt;
    return history_place{static_cast<std::int64_t>(*last), id->text()};
}

/// Cuts a list that was asked for with one more than `limit`; true where there is more.
template <class Element>
bool cut(std::vector<Element>& list, std::uint64_t limit)
{
    if (list.size() <= limit)
        return false;
    list.resize(limit);
    return true;
}

series_reply reply_of(const series_request& wanted, const step_range& steps, const std::vector<std::uint64_t>& views)
{
    series_reply reply;
    reply.step = wanted.step.value_or("hour");
    reply.from = start_of(steps.kind, steps.first);
    reply.to = start_of(steps.kind, steps.end);
    for (std::size_t i = 0; i < views.size(); ++i)
        reply.points.push_back({start_of(steps.kind, steps.first + static_cast<std::int64_t>(i)), views[i]});
    return reply;
}

service_result series_of(reporting_views& from, const service_request& request, const std::optional<asset_id>& of)
{
    const auto wanted = read_body<series_request>(request);
    if (wanted.has_error())
        return service_error(wanted.error());
    const auto steps = steps_of_series(*wanted, now_of(from));
    if (steps.has_error())
        return service_error(steps.error());
    const auto views = from.counts.series(*steps, of);
    if (views.has_error())
        return lookup_failed(from, views.error());
    if (!*views)
        return service_error(fail(errc::asset_not_found), of->text());
    auto reply = reply_of(*wanted, *steps, **views);
    if (of)
        reply.id = of->text();
    return reply_with(reply);
}

struct wanted_top
{
    std::optional<step_range> steps; ///< none: all views
    window_kind kind;
    std::size_t limit;
};

result<wanted_top> read_top(const reporting_views& from, const service_request& request)
{
    const auto wanted = read_body<top_request>(request);
    if (wanted.has_error())
        return wanted.error();
    const auto steps = steps_of_window(*wanted, now_of(from));
    if (steps.has_error())
        return steps.error();
    const auto kind = wanted->at ? window_kind::chosen : window_kind::running;
    return wanted_top{*steps, kind, static_cast<std::size_t>(wanted->limit.value_or(default_top_limit))};
}

service_result top_of(reporting_views& from, const wanted_top& wanted)
{
    auto found = wanted.steps ? from.counts.top(*wanted.steps, wanted.limit) : from.counts.top(wanted.limit);
    if (found.has_error())
        return lookup_failed(from, found.error());
    top_reply reply;
    reply.assets = std::move(*found);
    if (wanted.steps)
    {
        reply.from = start_of(wanted.steps->kind, wanted.steps->first);
        reply.to = start_of(wanted.steps->kind, wanted.steps->end);
    }
    return reply_with(reply);
}

} // namespace

service_error lookup_failed(reporting_views& views, const error& why)
{
    views.fatal(why.detail);
    return fail(errc::unavailable, "the counts cannot be read");
}

std::optional<service_result> answer_asset(reporting_views& from, const service_request& request)
{
    const auto id = read_id<asset_id>(request);
    if (id.has_error())
        return service_error(id.error());
    auto found = from.counts.asset(*id);
    if (found.has_error())
        return lookup_failed(from, found.error());
    if (!*found)
        return service_error(fail(errc::asset_not_found), id->text());
    return reply_with(reply_of(std::move(**found)));
}

std::optional<service_result> answer_user(reporting_views& from, const service_request& request)
{
    const auto id = read_id<user_id>(request);
    if (id.has_error())
        return service_error(id.error());
    const auto found = from.counts.user(*id);
    if (found.has_error())
        return lookup_failed(from, found.error());
    if (!*found)
        return service_error(fail(errc::user_not_found), id->text());
    return reply_with(user_views_reply{id->text(), (*found)->views, (*found)->assets, time_text((*found)->last)});
}

std::optional<service_result> answer_top(reporting_views& from, const service_request& request)
{
    const auto wanted = read_top(from, request);
    if (wanted.has_error())
        return service_error(wanted.error());
    if (wanted->steps && !from.counts.has_sums(*wanted->steps))
        return std::nullopt;
    return top_of(from, *wanted);
}

asio::awaitable<service_result> sum_for_top(std::shared_ptr<reporting_views> from, service_request request)
{
    const auto wanted = read_top(*from, request);
    if (wanted.has_error())
        co_return service_error(wanted.error());
    auto entering = from->summing.enter(request.until);
    const auto turn = co_await std::move(entering);
    const auto here = co_await asio::this_coro::executor;
    while (turn && wanted->steps)
    {
        const auto all = from->counts.sum_next(*wanted->steps, wanted->kind);
        if (all.has_error())
            co_return lookup_failed(*from, all.error());
        if (*all)
            co_return top_of(*from, *wanted);
        if (request.until.passed())
            break;
        co_await asio::post(here, asio::use_awaitable);
    }
    co_return service_error(fail(errc::timeout, "The window could not be added up in time."));
}

std::optional<service_result> answer_series(reporting_views& from, const service_request& request)
{
    return series_of(from, request, std::nullopt);
}

std::optional<service_result> answer_asset_series(reporting_views& from, const service_request& request)
{
    auto id = read_id<asset_id>(request);
    if (id.has_error())
        return service_error(id.error());
    return series_of(from, request, std::move(*id));
}

std::optional<service_result> answer_history(reporting_views& from, const service_request& request)
{
    const auto id = read_id<user_id>(request);
    if (id.has_error())
        return service_error(id.error());
    const auto wanted = read_body<history_request>(request);
    if (wanted.has_error())
        return service_error(wanted.error());
    const auto after = wanted->after ? place_of(*wanted->after) : std::nullopt;
    if (wanted->after && !after)
        return service_error(fail(errc::bad_request, "The member \"after\" must be the \"next\" of a page.", "after"));
    const auto limit = wanted->limit.value_or(default_page_limit);
    auto found = from.counts.history(*id, after, static_cast<std::size_t>(limit) + 1);
    if (found.has_error())
        return lookup_failed(from, found.error());
    if (!*found)
        return service_error(fail(errc::user_not_found), id->text());
    auto& seen = **found;
    history_page page;
    if (cut(seen, limit))
        page.next = token_of(seen.back());
    for (auto& each : seen)
        page.assets.push_back({std::move(each.id), each.views, time_text(each.last).value_or("")});
    return reply_with(page);
}

/// A page of 1,000 entries has less than 512 KiB, whatever the ids are.
std::optional<service_result> answer_assets(reporting_views& from, const service_request& request)
{
    const auto wanted = read_body<list_request>(request);
    if (wanted.has_error())
        return service_error(wanted.error());
    const auto limit = wanted->limit.value_or(default_page_limit);
    auto found = from.counts.assets_after(wanted->after.value_or(""), static_cast<std::size_t>(limit) + 1);
    if (found.has_error())
        return lookup_failed(from, found.error());
    views_page page;
    if (cut(*found, limit))
        page.next = found->back().id;
    for (auto& each : *found)
        page.assets.push_back(reply_of(std::move(each)));
    return reply_with(page);
}

} // namespace marquee
