// GET /events/top.
#include "edge/routes/handlers.hpp"
#include "edge/routes/titles.hpp"
#include "edge/upstream/hedged_request.hpp"
#include "schemas/messages.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace marquee::handlers
{

namespace
{

constexpr std::array<std::string_view, 5> windows = {"1h", "24h", "7d", "30d", "all"};
constexpr std::array<std::string_view, 2> yes_or_no = {"true", "false"};
constexpr std::uint64_t most_assets = 1000;
constexpr std::uint64_t shown_without_limit = 10; // reporting's own default

struct top_question
{
    top_request request;
    bool content = false;
};

result<top_question> read_question(const request_target& target)
{
    top_question asked;
    auto window = query_choice(target, "window", windows);
    if (window.has_error())
        return window.error();
    auto at = query_time(target, "at");
    if (at.has_error())
        return at.error();
    auto limit = query_limit(target);
    if (limit.has_error())
        return limit.error();
    auto content = query_choice(target, "content", yes_or_no);
    if (content.has_error())
        return content.error();
    asked.request.limit = *limit;
    asked.request.window = std::move(*window);
    asked.request.at = std::move(*at);
    asked.content = *content == "true";
    if (asked.request.at && (!asked.request.window || asked.request.window == "all"))
        return fail(errc::bad_request, "The parameter at needs a window that ends: 1h, 24h, 7d or 30d.", "at");
    return asked;
}

struct top_answer
{
    top_reply assets;
    std::string text;
};

/// A window that is not added up yet takes as long as it takes: nobody else's reply is to wait for
/// it, nor has it the little time of a play's statistics.
sending way_of(const top_request& request)
{
    return request.window && *request.window != "all" ? sending::alone : sending::bundled;
}

asio::awaitable<result<top_answer>> request_top(edge_context& edge, const routed_call& call, const top_request& request)
{
    hedged_request lookup(edge.services, upstream_service::reporting, subjects::reporting_top(), call.upstream_call(),
                          way_of(request), encode(request));
    auto reply = co_await lookup.receive();
    if (reply.has_error())
        co_return reply.error();
    auto top = decode_reply<top_reply>(reply->data);
    if (top.has_error())
        co_return top.error();
    const bool ids_are_valid =
        std::all_of(top->assets.begin(), top->assets.end(), [](const auto& each) { return is_valid_id(each.id); });
    if (!ids_are_valid)
        co_return fail(errc::malformed_reply, "The reply holds an invalid id.", "id");
    if (request.window && *request.window != "all" && !top->from) // of a version that ignores windows
        co_return fail(errc::unavailable, "The instance of reporting that answered knows no windows yet.");
    top_answer answer;
    answer.assets = std::move(*top);
    answer.text = std::move(reply->data);
    co_return answer;
}

/// Titles by asset, as far as they were looked up; nothing: the catalogue does not have it.
using known_titles = std::unordered_map<std::string, std::optional<asset_title>>;

/// Adds the first `wanted` of `top` that are in the catalogue to the answer. Looks up no more than
/// may be shown at a time.
asio::awaitable<result<titled_top_reply>> add_titles(edge_context& edge, const routed_call& call, const top_reply& top,
                                                     std::size_t wanted, known_titles& known)
{
    titled_top_reply shown;
    shown.from = top.from;
    shown.to = top.to;
    auto at = top.assets.begin();
    while (at != top.assets.end() && shown.assets.size() < wanted)
    {
        const auto left = static_cast<std::ptrdiff_t>(wanted - shown.assets.size());
        const auto end = at + std::min(left, top.assets.end() - at);
        std::vector<asset_id> unknown;
        for (auto each = at; each != end; ++each)
            if (!known.contains(each->id))
                unknown.push_back(asset_id::parse(each->id).value());
        auto titles = co_await find_titles(edge, call, unknown);
        if (titles.has_error())
            co_return titles.error();
        for (std::size_t i = 0; i < unknown.size(); ++i)
            known[unknown[i].text()] = std::move((*titles)[i]);
        for (; at != end; ++at)
            if (const auto& title = known.at(at->id))
                shown.assets.push_back({at->id, at->views, title->title, title->genre});
    }
    co_return shown;
}

/// `limit` counts what is shown: where assets are missing in the catalogue, more are asked for, up
/// to the most that reporting lists.
asio::awaitable<http_result> top_with_content(edge_context& edge, const routed_call& call, top_request request)
{
    const auto wanted = request.limit.value_or(shown_without_limit);
    known_titles known;
    request.limit = std::min(most_assets, wanted + wanted / 2 + 10);
    for (;;)
    {
        auto top = co_await request_top(edge, call, request);
        if (top.has_error())
            co_return top.error();
        auto shown = co_await add_titles(edge, call, top->assets, wanted, known);
        if (shown.has_error())
            co_return shown.error();
        const bool all = top->assets.assets.size() < *request.limit || *request.limit == most_assets;
        if (all || shown->assets.size() >= wanted)
            co_return json_response(encode(*shown));
        request.limit = most_assets;
    }
}

} // namespace

handler_result top_assets(edge_context& edge, routed_call call)
{
    auto asked = read_question(call.target);
    if (asked.has_error())
        co_return asked.error();
    if (asked->content)
    {
        auto answering = top_with_content(edge, call, asked->request);
        co_return co_await std::move(answering);
    }
    auto top = co_await request_top(edge, call, asked->request);
    if (top.has_error())
        co_return top.error();
    co_return json_response(std::move(top->text));
}

} // namespace marquee::handlers
