#include "edge/readiness.hpp"

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

constexpr auto for_answers = 200ms; ///< of an instance that is asked as a play asks
constexpr auto for_others = 150ms;  ///< of any other instance, where that one was silent
constexpr std::uint64_t room_for_a_view = 512;
constexpr std::string_view none = "none"; ///< the asset and the user that nobody has to have

std::uint64_t number_in(const json::object& of, std::string_view name)
{
    const auto* found = of.if_contains(name);
    if (found == nullptr || !found->is_number())
        return 0;
    boost::system::error_code ec;
    const auto number = found->to_number<std::uint64_t>(ec); // -1 stands for "no limit"
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

bool takes_events(const json::object& config)
{
    const auto* subjects = config.if_contains("subjects");
    return subjects != nullptr && subjects->is_array() && !is_true(config, "sealed") &&
           std::any_of(subjects->as_array().begin(), subjects->as_array().end(),
                       [](const json::value& each) { return each == "events"; });
}

/// Whether one more event would be one too many; a stream that discards old ones has always room.
bool is_full(const json::object& config, const json::object& state)
{
    const auto* discard = config.if_contains("discard");
    if (discard == nullptr || *discard != "new")
        return false;
    const auto bytes = number_in(config, "max_bytes");
    const auto messages = number_in(config, "max_msgs");
    return (bytes > 0 && number_in(state, "bytes") + room_for_a_view > bytes) ||
           (messages > 0 && number_in(state, "messages") >= messages);
}

/// Whether the best of the instances of a catalogue has what its bucket has: one that raises an alarm answers from what it last read.
asio::awaitable<fitness> best_by_its_own_word(fleet_view& fleet, std::string_view name, fitness where_none_says)
{
    auto best = where_none_says;
    const std::function<bool(const json::object&)> is_current = [&](const json::object& stats)
    {
        best = judge_catalogue(stats);
        return best == fitness::ok;
    };
    const auto until = deadline::in(for_others);
    (void)co_await fleet.any_says("STATS", name, is_current, until);
    co_return best;
}

/// Whether an instance answers, silent ones in its queue group notwithstanding: a play would ask another.
asio::awaitable<fitness> fit_to_look_up(pending_reply asked, fleet_view& fleet, std::string_view name)
{
    const auto reply = co_await asked.receive();
    if (reply.has_error() && reply.error() != errc::timeout)
        co_return fitness::away;
    co_return co_await best_by_its_own_word(fleet, name, reply.has_value() ? fitness::ok : fitness::away);
}

/// Where the stream's state may not be asked for: whether a message that is stored in no stream of this name would be refused for just that.
asio::awaitable<stream_fitness> try_stream(requester& nats)
{
    header_list wrong_stream;
    wrong_stream.set("Nats-Expected-Stream", "none");
    const auto until = deadline::in(for_others);
    auto asked = nats.request(subjects::events(), "", wrong_stream, until);
    const auto reply = co_await asked.receive();
    const auto refused = reply.has_value() ? decode_reply<pub_ack>(reply->data) : result<pub_ack>(reply.error());
    stream_fitness found;
    constexpr std::uint64_t err_stream_not_match = 10060;
    if (refused.has_value() && refused->error && refused->error->err_code == err_stream_not_match)
        found.takes_views = fitness::ok;
    co_return found;
}

/// The sequence of the last view that is there, where some were deleted.
asio::awaitable<std::optional<std::uint64_t>> last_view(requester& nats)
{
    const header_list no_headers;
    const auto until = deadline::in(for_others);
    const auto to = subject::of({"$JS", "API", "STREAM", "MSG", "GET", names::stream_events});
    auto asked = nats.request(to, R"({"last_by_subj":"events"})", no_headers, until);
    const auto reply = co_await asked.receive();
    const auto document = reply.has_value() ? read_object(reply->data) : std::nullopt;
    const auto* message = document ? object_in(*document, "message") : nullptr;
    if (message == nullptr || number_in(*message, "seq") == 0)
        co_return std::nullopt;
    co_return number_in(*message, "seq");
}

asio::awaitable<stream_fitness> fit_to_store(pending_reply asked, requester& nats)
{
    const auto info = co_await asked.receive();
    if (info.has_error() && info.error() == errc::timeout) // perhaps it is not permitted
        co_return co_await try_stream(nats);
    stream_fitness found;
    if (info.has_value())
        found = judge_stream(info->data);
    if (found.takes_views != fitness::away && !found.last)
        found.last = co_await last_view(nats);
    co_return found;
}

/// Asks for counts as a play does: with the stream's last message in them.
asio::awaitable<fitness> fit_to_count(requester& nats, fleet_view& fleet, std::optional<std::uint64_t> last)
{
    header_list headers;
    if (last)
        headers.set(names::header_after, std::to_string(*last));
    const auto to = subjects::reporting_views(asset_id::parse(none).value(), user_id::parse(none).value());
    const auto until = deadline::in(for_answers);
    auto asked = call_service(nats, to, "", std::move(headers), until);
    const auto reply = co_await asked.receive();
    if (reply.has_value())
        co_return fitness::ok;
    auto best = fitness::away;
    const std::function<bool(const json::object&)> judge = [&](const json::object& stats)
    {
        const auto one = judge_reporting(stats, last);
        best = one == fitness::ok || best == fitness::away ? one : best;
        return best == fitness::ok;
    };
    const auto end = deadline::in(for_others);
    (void)co_await fleet.any_says("STATS", "reporting", judge, end);
    // Where nobody is in the queue group nobody serves, whatever an instance says of itself.
    co_return best == fitness::ok&& reply.error() != errc::timeout ? fitness::lagging : best;
}

asio::awaitable<readiness> look_now(requester& nats, fleet_view& fleet)
{
    const auto until = deadline::in(for_answers);
    const header_list no_headers;
    // All leave before any is waited for.
    list_request one;
    one.limit = 1;
    const auto a_page = encode(one);
    auto metadata = call_service(nats, subjects::metadata_list(), a_page, no_headers, until);
    auto cdnurl = call_service(nats, subjects::cdnurl_list(), a_page, no_headers, until);
    auto stream = nats.request(subject::of({"$JS", "API", "STREAM", "INFO", names::stream_events}), "", no_headers, until);

    readiness found;
    found.metadata = co_await fit_to_look_up(std::move(metadata), fleet, "metadata");
    found.cdnurl = co_await fit_to_look_up(std::move(cdnurl), fleet, "cdnurl");
    if (found.metadata == fitness::away || found.cdnurl == fitness::away)
        co_return found; // no play would get further
    const auto events = co_await fit_to_store(std::move(stream), nats);
    found.events = events.takes_views;
    found.reporting = co_await fit_to_count(nats, fleet, events.last);
    co_return found;
}

} // namespace

std::string_view name_of(fitness each) noexcept
{
    switch (each)
    {
    case fitness::ok:
        return "ok";
    case fitness::away:
        return "away";
    case fitness::lagging:
        return "lagging";
    case fitness::full:
        return "full";
    }
    return "away";
}

stream_fitness judge_stream(std::string_view info)
{
    stream_fitness found;
    const auto document = read_object(info);
    const auto* config = document ? object_in(*document, "config") : nullptr;
    const auto* state = document ? object_in(*document, "state") : nullptr;
    if (config == nullptr || state == nullptr || !takes_events(*config))
        return found;
    found.takes_views = is_full(*config, *state) ? fitness::full : fitness::ok;
    const auto first = number_in(*state, "first_seq");
    const auto last = number_in(*state, "last_seq");
    const auto messages = number_in(*state, "messages");
    if (messages > 0 && last >= first && messages == last - first + 1)
        found.last = last;
    return found;
}

fitness judge_reporting(const json::object& stats, std::optional<std::uint64_t> last)
{
    const auto* endpoints = stats.if_contains("endpoints");
    if (endpoints == nullptr || !endpoints->is_array())
        return fitness::away;
    for (const auto& each : endpoints->as_array())
    {
        const auto* data = each.is_object() ? object_in(each.as_object(), "data") : nullptr;
        if (data == nullptr || !data->contains("serving"))
            continue;
        if (data->contains("alarm"))
            return fitness::away;
        const bool counted = !last || number_in(*data, "last_sequence") >= *last;
        return is_true(*data, "serving") && counted ? fitness::ok : fitness::lagging;
    }
    return fitness::away;
}

fitness judge_catalogue(const json::object& stats)
{
    const auto* endpoints = stats.if_contains("endpoints");
    if (endpoints == nullptr || !endpoints->is_array())
        return fitness::ok;
    const bool alarmed = std::any_of(endpoints->as_array().begin(), endpoints->as_array().end(),
                                     [](const json::value& each)
                                     {
                                         const auto* data = each.is_object() ? object_in(each.as_object(), "data") : nullptr;
                                         return data != nullptr && data->contains("alarm");
                                     });
    return alarmed ? fitness::lagging : fitness::ok;
}

asio::awaitable<readiness> readiness_check::look(requester& nats, fleet_view& fleet)
{
    const remembered<readiness>::finder find = [&nats, &fleet] { return look_now(nats, fleet); };
    co_return co_await found_.get(find);
}

} // namespace marquee
