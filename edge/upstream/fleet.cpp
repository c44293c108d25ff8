#include "edge/upstream/fleet.hpp"

#include "edge/upstream/counting_rules.hpp"
#include "schemas/json.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <utility>

namespace marquee
{

namespace json = boost::json;

namespace
{

using namespace std::chrono_literals;

constexpr auto poll_limit = 500ms;
constexpr auto silence_limit = 100ms;
constexpr auto statistics_silence_limit = 200ms;     ///< longer: a gap in a series costs more than a late list
constexpr std::size_t max_replies = 1000;            ///< per request
constexpr std::size_t max_bytes = 4U << 20U;         ///< of all replies to one request
constexpr std::size_t max_bytes_of_ours = 1U << 20U; ///< of the statistics of one of our services
constexpr std::size_t max_bytes_of_all = 1U << 20U;  ///< of the statistics that everybody is asked for
constexpr std::size_t max_reply_bytes = 256U << 10U; ///< larger ones are ignored, so that they hide no other
constexpr std::size_t max_endpoints = 100;           ///< per instance
constexpr std::size_t max_name_bytes = 128;
constexpr std::size_t max_text_bytes = 4096;

/// Sends requests that many instances reply to, and collects the replies. Lives on one io thread.
class reply_collector
{
public:
    /// Called for each reply with the index of its request; true ends that request.
    using reply_handler = std::function<bool(std::size_t request, const std::string& reply)>;

    reply_collector(const asio::any_io_executor& on, reply_handler handle) : wake_(on), handle_(std::move(handle)) {}

    /// The request ends with the reply that exceeds `bytes`, or max_replies.
    result<void> send(multi_requester& all, const subject& to, std::size_t bytes = max_bytes)
    {
        const auto number = requests_.size();
        requests_.push_back({false, 0, bytes});
        ++pending_;
        auto sent = all.ask_all(to, [this, number](result<message> reply) { on_reply(number, reply); });
        if (sent.has_error())
            return sent.error();
        subscriptions_.push_back(std::move(*sent));
        return {};
    }

    /// Waits until all requests have ended, `until`, or `pause` has passed since the last reply.
    /// Fails with disconnected or stopping if the link was lost meanwhile.
    asio::awaitable<result<void>> wait(deadline until, std::optional<std::chrono::milliseconds> pause)
    {
        boost::system::error_code ec;
        auto token = asio::redirect_error(asio::use_awaitable, ec);
        while (pending_ > 0)
        {
            const auto end = pause && replied_ ? until.sooner(deadline::in(*pause)) : until;
            wake_.expires_at(end.at());
            co_await wake_.async_wait(token);
            if (!ec) // otherwise on_reply() cancelled the timer
                break;
        }
        subscriptions_.clear();
        if (link_error_)
            co_return *link_error_;
        co_return result<void>();
    }

private:
    struct request
    {
        bool answered = false;
        std::size_t replies = 0;
        std::size_t bytes_left = 0;
    };

    void on_reply(std::size_t number, const result<message>& reply)
    {
        auto& entry = requests_[number];
        if (entry.answered)
            return;
        if (reply.has_error())
        {
            const auto code = reply.error().code;
            entry.answered = code == errc::no_responders || code == errc::disconnected || code == errc::stopping;
            if (entry.answered && code != errc::no_responders)
                link_error_ = reply.error();
        }
        else if (reply->data.size() <= max_reply_bytes)
        {
            replied_ = true;
            const auto size = reply->data.size();
            entry.answered = ++entry.replies > max_replies || size > entry.bytes_left || handle_(number, reply->data);
            entry.bytes_left -= std::min(size, entry.bytes_left);
        }
        pending_ -= entry.answered ? 1 : 0;
        wake_.cancel();
    }

    std::optional<error> link_error_;
    asio::steady_timer wake_;
    reply_handler handle_;
    std::vector<request> requests_;
    std::vector<std::shared_ptr<void>> subscriptions_;
    std::size_t pending_ = 0;
    bool replied_ = false;
};

const json::string* text_of(const json::object& from, std::string_view member, std::size_t most)
{
    const auto* found = from.if_contains(member);
    return found != nullptr && found->is_string() && found->as_string().size() <= most ? &found->as_string() : nullptr;
}

/// A service name or instance id in the alphabet of ADR-32; null if it is missing or malformed.
const json::string* name_of(const json::object& from, std::string_view member)
{
    const auto* found = text_of(from, member, max_name_bytes);
    const auto is_disallowed = [](unsigned char c)
    { return !((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' || c == '-'); };
    return found != nullptr && !found->empty() && std::none_of(found->begin(), found->end(), is_disallowed) ? found
                                                                                                            : nullptr;
}

bool is_of_type(const json::object& document, std::string_view type)
{
    const auto* found = text_of(document, "type", max_name_bytes);
    return found != nullptr && std::string_view(*found) == type;
}

std::string in_lower_case(std::string_view verb)
{
    std::string lower(verb);
    std::transform(lower.begin(), lower.end(), lower.begin(), [](char c) { return static_cast<char>(c - 'A' + 'a'); });
    return lower;
}

/// The list of endpoints; empty if there is none, null if it is malformed or too long.
const json::array* endpoints_of(const json::object& document)
{
    static const json::array none;
    const auto* found = document.if_contains("endpoints");
    if (found == nullptr || found->is_null())
        return &none;
    return found->is_array() && found->as_array().size() <= max_endpoints ? &found->as_array() : nullptr;
}

std::optional<json::object> read_endpoint(const json::value& from)
{
    if (!from.is_object())
        return std::nullopt;
    const auto& given = from.as_object();
    const auto* name = name_of(given, "name");
    const auto* subject = text_of(given, "subject", max_text_bytes);
    if (name == nullptr || subject == nullptr || subject->empty())
        return std::nullopt;
    json::object entry{{"name", *name}, {"subject", *subject}};
    if (const auto* group = name_of(given, "queue_group"))
        entry["queue_group"] = *group;
    return entry;
}

using instance_key = std::pair<std::string, std::string>; ///< name and id

std::optional<instance_key> key_of(const json::object& document)
{
    const auto* name = name_of(document, "name");
    const auto* id = name_of(document, "id");
    if (name == nullptr || id == nullptr)
        return std::nullopt;
    return instance_key{std::string(*name), std::string(*id)};
}

std::optional<json::object> read_info(const json::object& document)
{
    const auto* version = text_of(document, "version", max_name_bytes);
    const auto* description = text_of(document, "description", max_text_bytes);
    const auto* endpoints = endpoints_of(document);
    if (version == nullptr || endpoints == nullptr)
        return std::nullopt;
    json::array list;
    for (const auto& each : *endpoints)
    {
        auto entry = read_endpoint(each);
        if (!entry)
            return std::nullopt;
        list.push_back(std::move(*entry));
    }
    return json::object{{"name", document.at("name")},
                        {"id", document.at("id")},
                        {"version", *version},
                        {"description", description != nullptr ? *description : json::string()},
                        {"endpoints", std::move(list)}};
}

/// Copies the well-formed statistics of an endpoint.
void add_numbers(json::object& to, const json::object& from)
{
    for (const auto* member : {"num_requests", "num_errors", "processing_time", "average_processing_time"})
        if (const auto* found = from.if_contains(member);
            found != nullptr && (found->is_uint64() || (found->is_int64() && found->as_int64() >= 0)))
            to[member] = *found;
    if (const auto* last = text_of(from, "last_error", max_text_bytes))
        to["last_error"] = *last;
    if (const auto* data = from.if_contains("data"))
        to["data"] = *data;
}

void add_stats(json::object& instance, const json::object& document)
{
    const auto* endpoints = endpoints_of(document);
    if (endpoints == nullptr)
        return;
    if (const auto* started = text_of(document, "started", max_name_bytes))
        instance["started"] = *started;
    for (auto& known : instance["endpoints"].as_array())
        for (const auto& each : *endpoints)
            if (const auto has_stats = read_endpoint(each); has_stats && has_stats->at("name") == known.at("name"))
            {
                add_numbers(known.as_object(), each.as_object());
                break;
            }
}

} // namespace

std::string merge_service_replies(const std::vector<std::string>& infos, const std::vector<std::string>& stats)
{
    std::map<instance_key, json::object> instances;
    for (const auto& text : infos)
        if (const auto document = read_object(text);
            document && is_of_type(*document, "io.nats.micro.v1.info_response"))
            if (const auto key = key_of(*document))
                if (auto instance = read_info(*document))
                    instances.emplace(*key, std::move(*instance));
    std::map<instance_key, bool> has_stats;
    for (const auto& text : stats)
        if (const auto document = read_object(text);
            document && is_of_type(*document, "io.nats.micro.v1.stats_response"))
            if (const auto key = key_of(*document);
                key && instances.contains(*key) && has_stats.emplace(*key, true).second)
                add_stats(instances[*key], *document);
    json::array list;
    for (auto& [key, instance] : instances)
        list.push_back(std::move(instance));
    auto rules = differing_rules(list);
    json::object all{{"services", std::move(list)}};
    if (!rules.empty())
        all["counting_rules"] = std::move(rules);
    return json::serialize(all);
}

asio::awaitable<bool> fleet_view::any_instance_matches(std::string_view verb, std::string_view name,
                                                       std::function<bool(const json::object&)> accepts, deadline until)
{
    if (requester_ == nullptr)
        co_return false;
    const auto type = "io.nats.micro.v1." + in_lower_case(verb) + "_response";
    bool said = false;
    const auto home = co_await asio::this_coro::executor;
    reply_collector all(home,
                        [&](std::size_t, const std::string& reply)
                        {
                            const auto document = read_object(reply);
                            const auto key = document ? key_of(*document) : std::nullopt;
                            said = key && key->first == name && is_of_type(*document, type) && accepts(*document);
                            return said;
                        });
    if (all.send(*requester_, subjects::discovery(verb, name)).has_error())
        co_return false;
    (void)co_await all.wait(until, std::nullopt); // a lost link counts as no reply
    co_return said;
}

asio::awaitable<result<std::string>> fleet_view::services()
{
    const single_flight_cache<result<std::string>>::loader load = [this] { return poll_services(); };
    co_return co_await services_.get(load);
}

asio::awaitable<result<std::string>> fleet_view::poll_services()
{
    if (requester_ == nullptr)
        co_return fail(errc::disconnected);
    std::array<std::vector<std::string>, 2> replies;
    const auto home = co_await asio::this_coro::executor;
    reply_collector all(home,
                        [&replies](std::size_t request, const std::string& reply)
                        {
                            replies[request].push_back(reply);
                            return false;
                        });
    for (const auto* verb : {"INFO", "STATS"})
        if (auto sent = all.send(*requester_, subjects::discovery(verb)); sent.has_error())
            co_return sent.error();
    if (auto outcome = co_await all.wait(deadline::in(poll_limit), silence_limit); outcome.has_error())
        co_return outcome.error();
    co_return merge_service_replies(replies[0], replies[1]);
}

asio::awaitable<result<service_statistics>> fleet_view::statistics(std::vector<std::string_view> services,
                                                                   deadline until)
{
    if (requester_ == nullptr)
        co_return fail(errc::disconnected);
    service_statistics replies;
    replies.of_services.resize(services.size());
    const auto home = co_await asio::this_coro::executor;
    reply_collector all(home,
                        [&replies](std::size_t request, const std::string& reply)
                        {
                            const bool named = request < replies.of_services.size();
                            (named ? replies.of_services[request] : replies.of_all).push_back(reply);
                            return false;
                        });
    for (const auto name : services)
        if (auto sent = all.send(*requester_, subjects::discovery("STATS", name), max_bytes_of_ours); sent.has_error())
            co_return sent.error();
    if (auto sent = all.send(*requester_, subjects::discovery("STATS"), max_bytes_of_all); sent.has_error())
        co_return sent.error();
    if (auto outcome = co_await all.wait(until, statistics_silence_limit); outcome.has_error())
        co_return outcome.error();
    co_return replies;
}

} // namespace marquee
