#include "edge/upstream/readiness.hpp"

#include "schemas/json.hpp"
#include "schemas/messages.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <algorithm>
#include <utility>

namespace marquee
{

namespace json = boost::json;

namespace
{

using namespace std::chrono_literals;

constexpr auto request_timeout = 200ms;        ///< for a request like those of a play
constexpr auto stats_timeout = 150ms;          ///< for the STATS of all instances, or a further request to the stream
constexpr std::uint64_t view_bytes = 512;      ///< upper bound of the space that a view takes in the stream
constexpr std::string_view unused_id = "none"; ///< of an asset and a user; they need not exist

std::uint64_t number_in(const json::object& of, std::string_view name)
{
    const auto* found = of.if_contains(name);
    if (found == nullptr || !found->is_number())
        return 0;
    boost::system::error_code ec;
    const auto number = found->to_number<std::uint64_t>(ec); // -1 means "no limit"
    return ec ? 0 : number;
}

const json::object* object_in(const json::object& of, std::string_view name)
{
    const auto* found = of.if_contains(name);
    return found != nullptr && found->is_object() ? &found->as_object() : nullptr;
}

bool is_true(const json::object& of, std::string_view name)
{
    const auto* found = of.if_contains(name);
    return found != nullptr && found->is_bool() && found->as_bool();
}

bool accepts_events(const json::object& config)
{
    const auto* subjects = config.if_contains("subjects");
    return subjects != nullptr && subjects->is_array() && !is_true(config, "sealed") &&
           std::any_of(subjects->as_array().begin(), subjects->as_array().end(),
                       [](const json::value& each) { return each == "events"; });
}

/// Whether the stream would refuse another view. One that discards old messages never does.
bool is_full(const json::object& config, const json::object& state)
{
    const auto* discard = config.if_contains("discard");
    if (discard == nullptr || *discard != "new")
        return false;
    const auto bytes = number_in(config, "max_bytes");
    const auto messages = number_in(config, "max_msgs");
    return (bytes > 0 && number_in(state, "bytes") + view_bytes > bytes) ||
           (messages > 0 && number_in(state, "messages") >= messages);
}

/// The best state that an instance of a catalogue reports; `fallback` if none replies. An instance
/// with an alarm may serve old records.
asio::awaitable<part_state> best_reported_state(fleet_view& fleet, std::string_view name, part_state fallback)
{
    auto best = fallback;
    const std::function<bool(const json::object&)> is_current = [&](const json::object& stats)
    {
        best = read_catalogue_stats(stats);
        return best == part_state::ok;
    };
    const auto until = deadline::in(stats_timeout);
    (void)co_await fleet.any_instance_matches("STATS", name, is_current, until);
    co_return best;
}

/// The state of a catalogue whose request is `pending`. After a timeout another instance may
/// still serve: a play would retry, so STATS decides.
asio::awaitable<part_state> check_catalogue(pending_reply pending, fleet_view& fleet, std::string_view name)
{
    const auto reply = co_await pending.receive();
    if (reply.has_error() && reply.error() != errc::timeout)
        co_return part_state::away;
    co_return co_await best_reported_state(fleet, name, reply.has_value() ? part_state::ok : part_state::away);
}

/// Checks the stream without STREAM.INFO, which may not be permitted: publishes a message that
/// expects a stream of another name. It is never stored, and the refusal shows that the stream
/// would have taken it.
asio::awaitable<stream_readiness> probe_stream(requester& nats)
{
    header_list wrong_stream;
    wrong_stream.set("Nats-Expected-Stream", "none");
    const auto until = deadline::in(stats_timeout);
    auto pending = nats.request(subjects::events(), "", wrong_stream, until);
    const auto reply = co_await pending.receive();
    const auto refused = reply.has_value() ? decode_reply<pub_ack>(reply->data) : result<pub_ack>(reply.error());
    stream_readiness found;
    constexpr std::uint64_t err_stream_not_match = 10060;
    if (refused.has_value() && refused->error && refused->error->err_code == err_stream_not_match)
        found.accepts_views = part_state::ok;
    co_return found;
}

/// Looks up the sequence of the last stored view; nothing if there is none.
asio::awaitable<std::optional<std::uint64_t>> find_last_view(requester& nats)
{
    const header_list no_headers;
    const auto until = deadline::in(stats_timeout);
    const auto to = subject::of({"$JS", "API", "STREAM", "MSG", "GET", names::stream_events});
    auto pending = nats.request(to, R"({"last_by_subj":"events"})", no_headers, until);
    const auto reply = co_await pending.receive();
    const auto document = reply.has_value() ? read_object(reply->data) : std::nullopt;
    const auto* message = document ? object_in(*document, "message") : nullptr;
    if (message == nullptr || number_in(*message, "seq") == 0)
        co_return std::nullopt;
    co_return number_in(*message, "seq");
}

asio::awaitable<stream_readiness> check_stream(pending_reply pending, requester& nats)
{
    const auto info = co_await pending.receive();
    if (info.has_error() && info.error() == errc::timeout) // STREAM.INFO may not be permitted
        co_return co_await probe_stream(nats);
    stream_readiness found;
    if (info.has_value())
        found = read_stream_info(info->data);
    if (found.accepts_views != part_state::away && !found.last)
        found.last = co_await find_last_view(nats);
    co_return found;
}

/// Requests counts as a play does, up to the stream's last message.
asio::awaitable<part_state> check_reporting(requester& nats, fleet_view& fleet, std::optional<std::uint64_t> last)
{
    header_list headers;
    if (last)
        headers.set(names::header_after, std::to_string(*last));
    const auto to = subjects::reporting_views(asset_id::parse(unused_id).value(), user_id::parse(unused_id).value());
    const auto until = deadline::in(request_timeout);
    auto pending = call_service(nats, to, "", std::move(headers), until);
    const auto reply = co_await pending.receive();
    if (reply.has_value())
        co_return part_state::ok;
    auto best = part_state::away;
    const std::function<bool(const json::object&)> judge = [&](const json::object& stats)
    {
        const auto one = read_reporting_stats(stats, last);
        best = one == part_state::ok || best == part_state::away ? one : best;
        return best == part_state::ok;
    };
    const auto end = deadline::in(stats_timeout);
    (void)co_await fleet.any_instance_matches("STATS", "reporting", judge, end);
    // Without a member of the queue group no play is served, whatever STATS say.
    co_return best == part_state::ok&& reply.error() != errc::timeout ? part_state::lagging : best;
}

asio::awaitable<readiness> check_now(requester& nats, fleet_view& fleet)
{
    const auto until = deadline::in(request_timeout);
    const header_list no_headers;
    // Sends all before it waits for one.
    list_request one;
    one.limit = 1;
    const auto a_page = encode(one);
    auto metadata = call_service(nats, subjects::metadata_list(), a_page, no_headers, until);
    auto cdnurl = call_service(nats, subjects::cdnurl_list(), a_page, no_headers, until);
    auto stream =
        nats.request(subject::of({"$JS", "API", "STREAM", "INFO", names::stream_events}), "", no_headers, until);

    readiness found;
    found.metadata = co_await check_catalogue(std::move(metadata), fleet, "metadata");
    found.cdnurl = co_await check_catalogue(std::move(cdnurl), fleet, "cdnurl");
    if (found.metadata == part_state::away || found.cdnurl == part_state::away)
        co_return found; // no play would get further
    const auto events = co_await check_stream(std::move(stream), nats);
    found.events = events.accepts_views;
    found.reporting = co_await check_reporting(nats, fleet, events.last);
    co_return found;
}

} // namespace

std::string_view name_of(part_state each) noexcept
{
    switch (each)
    {
    case part_state::ok:
        return "ok";
    case part_state::away:
        return "away";
    case part_state::lagging:
        return "lagging";
    case part_state::full:
        return "full";
    }
    return "away";
}

stream_readiness read_stream_info(std::string_view info)
{
    stream_readiness found;
    const auto document = read_object(info);
    const auto* config = document ? object_in(*document, "config") : nullptr;
    const auto* state = document ? object_in(*document, "state") : nullptr;
    if (config == nullptr || state == nullptr || !accepts_events(*config))
        return found;
    found.accepts_views = is_full(*config, *state) ? part_state::full : part_state::ok;
    const auto first = number_in(*state, "first_seq");
    const auto last = number_in(*state, "last_seq");
    const auto messages = number_in(*state, "messages");
    if (messages > 0 && last >= first && messages == last - first + 1)
        found.last = last;
    return found;
}

part_state read_reporting_stats(const json::object& stats, std::optional<std::uint64_t> last)
{
    const auto* endpoints = stats.if_contains("endpoints");
    if (endpoints == nullptr || !endpoints->is_array())
        return part_state::away;
    for (const auto& each : endpoints->as_array())
    {
        const auto* data = each.is_object() ? object_in(each.as_object(), "data") : nullptr;
        if (data == nullptr || !data->contains("serving"))
            continue;
        if (data->contains("alarm"))
            return part_state::away;
        const bool counted = !last || number_in(*data, "last_sequence") >= *last;
        return is_true(*data, "serving") && counted ? part_state::ok : part_state::lagging;
    }
    return part_state::away;
}

part_state read_catalogue_stats(const json::object& stats)
{
    const auto* endpoints = stats.if_contains("endpoints");
    if (endpoints == nullptr || !endpoints->is_array())
        return part_state::ok;
    const bool alarmed = std::any_of(endpoints->as_array().begin(), endpoints->as_array().end(),
                                     [](const json::value& each)
                                     {
                                         const auto* data =
                                             each.is_object() ? object_in(each.as_object(), "data") : nullptr;
                                         return data != nullptr && data->contains("alarm");
                                     });
    return alarmed ? part_state::lagging : part_state::ok;
}

asio::awaitable<readiness> readiness_check::check(requester& nats, fleet_view& fleet)
{
    const single_flight_cache<readiness>::loader load = [&nats, &fleet] { return check_now(nats, fleet); };
    co_return co_await found_.get(load);
}

} // namespace marquee
