#include "services/reporting/reporting_endpoints.hpp"

#include "broker/jetstream/stream_lookup.hpp"
#include "schemas/event_lines.hpp"
#include "schemas/parse_number.hpp"
#include "schemas/subjects.hpp"
#include "services/reporting/view_endpoints.hpp"

namespace marquee
{
namespace
{

using shared_views = std::shared_ptr<reporting_views>;

/// The sequence of `Marquee-After`; 0, which is always reached, where the header is absent.
result<std::uint64_t> read_after(const header_list& headers)
{
    if (!headers.has(names::header_after))
        return std::uint64_t{0};
    if (const auto sequence = parse_number<std::uint64_t>(headers.get(names::header_after)))
        return *sequence;
    return fail(errc::bad_request, "a stream sequence is a whole number", std::string(names::header_after));
}

/// A request to reporting.views.
struct views_request
{
    asset_id asset;
    user_id user;
    std::uint64_t after;
    std::string event; ///< id; empty: not given
};

result<views_request> read_views_request(const message& msg)
{
    auto asset = asset_id::from_token(subjects::token_at(msg.subject, 2));
    if (asset.has_error())
        return asset.error();
    auto user = user_id::from_token(subjects::token_at(msg.subject, 3));
    if (user.has_error())
        return user.error();
    const auto after = read_after(msg.headers);
    if (after.has_error())
        return after.error();
    const std::string event(msg.headers.get(names::header_event));
    if (msg.headers.has(names::header_event) && !is_valid_event_id(event))
        return fail(errc::bad_request, "an event id is 1 to 64 of [A-Za-z0-9_.-]", std::string(names::header_event));
    return views_request{std::move(*asset), std::move(*user), *after, event};
}

/// What the id of `Marquee-Event` was first used for.
enum class event_use : std::uint8_t
{
    same, ///< this view, or none
    other,
    in_stream, ///< only the stream has the view
};

event_use use_of(const views_request& wanted, const std::optional<first_use>& first)
{
    if (!first)
        return event_use::same;
    if (first->asset.empty())
        return event_use::in_stream;
    const bool same = first->asset == wanted.asset.text() && first->user == wanted.user.text();
    return same ? event_use::same : event_use::other;
}

/// As use_of(), for a view that only the stream has. `same` where the stream no longer has it.
asio::awaitable<result<event_use>> use_in_stream(requester& stream, const views_request& wanted, first_use first,
                                                 deadline until)
{
    auto finding = find_message(stream, std::string(names::stream_events), first.sequence, until);
    const auto found = co_await std::move(finding);
    if (found.has_error())
        co_return found.error();
    if (!*found)
        co_return event_use::same;
    event_reader events((*found)->data);
    while (events.next())
    {
        if (events.line() != first.line || events.event().has_error())
            continue;
        const auto& seen = *events.event();
        const bool same = seen.asset == wanted.asset.text() && seen.user == wanted.user.text();
        co_return same || seen.id != wanted.event ? event_use::same : event_use::other;
    }
    co_return event_use::same;
}

service_result counts_of(reporting_views& from, const views_request& wanted)
{
    const auto asset_views = from.counts.asset_views(wanted.asset);
    if (asset_views.has_error())
        return lookup_failed(from, asset_views.error());
    const auto user_views = from.counts.user_views(wanted.user);
    if (user_views.has_error())
        return lookup_failed(from, user_views.error());
    return service_reply{encode(counts_reply{*asset_views, *user_views}), {}};
}

service_result answer(reporting_views& from, const views_request& wanted, event_use use)
{
    if (use == event_use::other)
        return service_error(fail(errc::key_reused), wanted.asset.text());
    return counts_of(from, wanted);
}

/// None while the event is not counted, and where the stream has to be looked at.
std::optional<service_result> answer_views(reporting_views& from, const service_request& request)
{
    const auto wanted = read_views_request(request.msg);
    if (wanted.has_error())
        return service_error(wanted.error());
    if (!from.waiter.reached(wanted->after))
        return std::nullopt;
    if (wanted->event.empty())
        return counts_of(from, *wanted);
    const auto first = from.counts.find_use(wanted->event);
    if (first.has_error())
        return lookup_failed(from, first.error());
    const auto use = use_of(*wanted, *first);
    if (use == event_use::in_stream && from.stream != nullptr)
        return std::nullopt;
    return answer(from, *wanted, use);
}

asio::awaitable<service_result> wait_for_views(shared_views from, service_request request)
{
    const auto wanted = read_views_request(request.msg);
    if (wanted.has_error())
        co_return service_error(wanted.error());
    const auto until = request.deadline_named ? request.until : request.until.sooner(deadline::in(from->unnamed_wait));
    const auto counted = co_await from->waiter.wait(wanted->after, until);
    if (counted.has_error())
        co_return service_error(counted.error(), wanted->asset.text());
    if (wanted->event.empty())
        co_return counts_of(*from, *wanted);
    const auto first = from->counts.find_use(wanted->event);
    if (first.has_error())
        co_return lookup_failed(*from, first.error());
    auto use = use_of(*wanted, *first);
    if (use == event_use::in_stream && from->stream != nullptr)
    {
        auto looking = use_in_stream(*from->stream, *wanted, **first, until);
        const auto found = co_await std::move(looking);
        if (found.has_error())
            co_return service_error(found.error(), wanted->asset.text());
        use = *found;
    }
    co_return answer(*from, *wanted, use);
}

/// None while the event of `Marquee-After` is not counted.
std::optional<service_result> history_at_once(reporting_views& from, const service_request& request)
{
    const auto after = read_after(request.msg.headers);
    if (after.has_error())
        return service_error(after.error());
    return from.waiter.reached(*after) ? answer_history(from, request) : std::nullopt;
}

asio::awaitable<service_result> wait_for_history(shared_views from, service_request request)
{
    const auto after = read_after(request.msg.headers);
    if (after.has_error())
        co_return service_error(after.error());
    const auto until = request.deadline_named ? request.until : request.until.sooner(deadline::in(from->unnamed_wait));
    const auto counted = co_await from->waiter.wait(*after, until);
    if (counted.has_error())
        co_return service_error(counted.error());
    co_return std::move(*answer_history(*from, request));
}

} // namespace

std::vector<endpoint_config> reporting_endpoints(std::shared_ptr<reporting_views> views,
                                                 std::function<boost::json::value()> data)
{
    using immediate = std::optional<service_result> (*)(reporting_views&, const service_request&);
    const auto make =
        [&](std::string name, int ids, std::string description, immediate answers, std::string_view subject = {})
    {
        endpoint_config endpoint;
        endpoint.subject = subjects::pattern("reporting", subject.empty() ? name : subject, ids);
        endpoint.name = std::move(name);
        endpoint.at_once = [views, answers](const service_request& request) { return answers(*views, request); };
        endpoint.metadata = {{"description", std::move(description)}};
        endpoint.max_in_flight = reporting_views::most_waiting;
        endpoint.data = data;
        return endpoint;
    };
    auto counts = make("views", 2, "The views of an asset and of a user, once an event is counted", answer_views);
    counts.handler = [views](service_request request) { return wait_for_views(views, std::move(request)); };
    auto history = make("history", 1, "What a user has viewed, the latest first", history_at_once);
    history.handler = [views](service_request request) { return wait_for_history(views, std::move(request)); };
    auto top = make("top", 0, "The most viewed assets, of all time or in a window", answer_top);
    top.handler = [views](service_request request) { return sum_for_top(views, std::move(request)); };
    return {
        make("asset", 1, "The views of an asset", answer_asset),
        make("user", 1, "The views of a user", answer_user),
        std::move(counts),
        std::move(top),
        make("series", 0, "The views of each hour or day", answer_series),
        make("asset_series", 1, "The views of an asset in each hour or day", answer_asset_series, "series"),
        std::move(history),
        make("assets", 0, "The views of all assets, in pages", answer_assets),
    };
}

} // namespace marquee
