#include "services/reporting/reporting_endpoints.hpp"

#include "schemas/subjects.hpp"

#include <charconv>

namespace marquee
{
namespace
{

constexpr std::size_t default_top_limit = 10;

using shared_views = std::shared_ptr<reporting_views>;

/// A lookup's failure is the database's: the requester hears that nothing happened, the program ends.
service_error lookup_failed(reporting_views& views, const error& why)
{
    views.fatal(why.detail);
    return fail(errc::unavailable, "the counts cannot be read");
}

template <class Id>
service_result views_of(reporting_views& from, const service_request& request, errc none,
                        result<std::uint64_t> (projection::*lookup)(const Id&))
{
    const auto id = Id::from_token(subjects::token_at(request.msg.subject, 2));
    if (id.has_error())
        return service_error(id.error());
    const auto views = (from.counts.*lookup)(*id);
    if (views.has_error())
        return lookup_failed(from, views.error());
    if (*views == 0)
        return service_error(fail(none), id->text());
    return service_reply{encode(views_reply{id->text(), *views}), {}};
}

std::optional<service_result> answer_asset(reporting_views& from, const service_request& request)
{
    return views_of<asset_id>(from, request, errc::asset_not_found, &projection::asset_views);
}

std::optional<service_result> answer_user(reporting_views& from, const service_request& request)
{
    return views_of<user_id>(from, request, errc::user_not_found, &projection::user_views);
}

/// The sequence of `Marquee-After`; 0 where the header is absent: everything is counted up to there.
result<std::uint64_t> read_after(const header_list& headers)
{
    std::uint64_t sequence = 0;
    if (!headers.has(names::header_after))
        return sequence;
    const auto text = headers.get(names::header_after);
    const auto* end = text.data() + text.size();
    const auto [stopped, problem] = std::from_chars(text.data(), end, sequence);
    if (problem != std::errc{} || stopped != end)
        return fail(errc::bad_request, "a stream sequence is a whole number", std::string(names::header_after));
    return sequence;
}

/// What reporting.views asks.
struct views_question
{
    asset_id asset;
    user_id user;
    std::uint64_t after;
    std::string event; ///< may be empty
};

result<views_question> read_question(const message& msg)
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
    return views_question{std::move(*asset), std::move(*user), *after, event};
}

service_result answer(reporting_views& from, const views_question& question)
{
    if (!question.event.empty())
    {
        const auto used = from.counts.find_use(question.event);
        if (used.has_error())
            return lookup_failed(from, used.error());
        const auto& first = *used;
        if (first && (first->asset != question.asset.text() || first->user != question.user.text()))
            return service_error(fail(errc::key_reused), question.asset.text());
    }
    const auto asset_views = from.counts.asset_views(question.asset);
    if (asset_views.has_error())
        return lookup_failed(from, asset_views.error());
    const auto user_views = from.counts.user_views(question.user);
    if (user_views.has_error())
        return lookup_failed(from, user_views.error());
    return service_reply{encode(counts_reply{*asset_views, *user_views}), {}};
}

/// Nothing while the event is not counted.
std::optional<service_result> answer_views(reporting_views& from, const service_request& request)
{
    const auto question = read_question(request.msg);
    if (question.has_error())
        return service_error(question.error());
    if (!from.waiter.reached(question->after))
        return std::nullopt;
    return answer(from, *question);
}

asio::awaitable<service_result> wait_for_views(shared_views from, service_request request)
{
    const auto question = read_question(request.msg);
    if (question.has_error())
        co_return service_error(question.error());
    const auto until = request.deadline_named ? request.until : request.until.sooner(deadline::in(from->unnamed_wait));
    const auto counted = co_await from->waiter.wait(question->after, until);
    if (counted.has_error())
        co_return service_error(counted.error(), question->asset.text());
    co_return answer(*from, *question);
}

std::optional<service_result> answer_top(reporting_views& from, const service_request& request)
{
    top_request wanted;
    if (!request.msg.data.empty())
    {
        const auto given = decode<top_request>(request.msg.data);
        if (given.has_error())
            return service_error(given.error());
        wanted = *given;
    }
    auto found = from.counts.top(wanted.limit.value_or(default_top_limit));
    if (found.has_error())
        return lookup_failed(from, found.error());
    top_reply reply;
    reply.assets = std::move(*found);
    return service_reply{encode(reply), {}};
}

} // namespace

std::vector<endpoint_config> reporting_endpoints(std::shared_ptr<reporting_views> views, std::function<boost::json::value()> data)
{
    using immediate = std::optional<service_result> (*)(reporting_views&, const service_request&);
    const auto make = [&](std::string name, int ids, std::string description, immediate answers)
    {
        endpoint_config endpoint;
        endpoint.subject = subjects::pattern("reporting", name, ids);
        endpoint.name = std::move(name);
        endpoint.at_once = [views, answers](const service_request& request) { return answers(*views, request); };
        endpoint.metadata = {{"description", std::move(description)}};
        endpoint.max_in_flight = reporting_views::most_waiting;
        endpoint.data = data;
        return endpoint;
    };
    auto counts = make("views", 2, "The views of an asset and of a user, once an event is counted", answer_views);
    counts.handler = [views](service_request request) { return wait_for_views(views, std::move(request)); };
    return {
        make("asset", 1, "The views of an asset", answer_asset),
        make("user", 1, "The views of a user", answer_user),
        std::move(counts),
        make("top", 0, "The most viewed assets", answer_top),
    };
}

} // namespace marquee
