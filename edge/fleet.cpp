#include "edge/fleet.hpp"

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

constexpr auto longest = 500ms;
constexpr auto quiet = 100ms;
constexpr std::size_t most_replies = 1000;    ///< to one question
constexpr std::size_t most_bytes = 4U << 20U; ///< of one question's replies together
constexpr std::size_t most_endpoints = 100;   ///< of one instance
constexpr std::size_t longest_name = 128;
constexpr std::size_t longest_text = 4096;

/// Several questions, and the replies to each.
class polling
{
public:
    /// `take` is given each reply and says whether that question has been answered.
    using taker = std::function<bool(std::size_t question, const std::string& reply)>;

    polling(const asio::any_io_executor& on, taker take) : wake_(on), take_(std::move(take)) {}

    result<void> ask(survey& all, const subject& to)
    {
        const auto number = open_.size();
        open_.push_back({});
        ++left_;
        auto asked = all.ask_all(to, [this, number](result<message> reply) { arrived(number, reply); });
        if (asked.has_error())
            return asked.error();
        asked_.push_back(std::move(*asked));
        return {};
    }

    /// Until all questions have been answered, `until`, or silence for `pause` after a reply. Fails when the link was lost meanwhile.
    asio::awaitable<result<void>> wait(deadline until, std::optional<std::chrono::milliseconds> pause)
    {
        boost::system::error_code ec;
        auto token = asio::redirect_error(asio::use_awaitable, ec);
        while (left_ > 0)
        {
            const auto end = pause && any_ ? until.sooner(deadline::in(*pause)) : until;
            wake_.expires_at(end.at());
            co_await wake_.async_wait(token);
            if (!ec) // else a reply has come
                break;
        }
        asked_.clear();
        if (lost_)
            co_return *lost_;
        co_return result<void>();
    }

private:
    struct question
    {
        bool answered = false;
        std::size_t replies = 0;
        std::size_t bytes = 0;
    };

    void arrived(std::size_t number, const result<message>& reply)
    {
        auto& one = open_[number];
        if (one.answered)
            return;
        if (reply.has_error())
        {
            const auto code = reply.error().code;
            one.answered = code == errc::no_responders || code == errc::disconnected || code == errc::stopping;
            if (one.answered && code != errc::no_responders)
                lost_ = reply.error();
        }
        else
        {
            any_ = true;
            one.bytes += reply->data.size();
            one.answered = ++one.replies > most_replies || one.bytes > most_bytes || take_(number, reply->data);
        }
        left_ -= one.answered ? 1 : 0;
        wake_.cancel();
    }

    std::optional<error> lost_;
    asio::steady_timer wake_;
    taker take_;
    std::vector<question> open_;
    std::vector<std::shared_ptr<void>> asked_;
    std::size_t left_ = 0;
    bool any_ = false;
};

const json::string* text_of(const json::object& from, std::string_view member, std::size_t most)
{
    const auto* found = from.if_contains(member);
    return found != nullptr && found->is_string() && found->as_string().size() <= most ? &found->as_string() : nullptr;
}

/// A name or an id, as ADR-32 allows them.
const json::string* name_of(const json::object& from, std::string_view member)
{
    const auto* found = text_of(from, member, longest_name);
    const auto is_odd = [](unsigned char c)
    { return !((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' || c == '-'); };
    return found != nullptr && !found->empty() && std::none_of(found->begin(), found->end(), is_odd) ? found : nullptr;
}

bool is_of_type(const json::object& document, std::string_view type)
{
    const auto* found = text_of(document, "type", longest_name);
    return found != nullptr && std::string_view(*found) == type;
}

std::string in_lower_case(std::string_view verb)
{
    std::string lower(verb);
    std::transform(lower.begin(), lower.end(), lower.begin(), [](char c) { return static_cast<char>(c - 'A' + 'a'); });
    return lower;
}

/// The list of endpoints; null where it is none. No list at all is an empty one.
const json::array* endpoints_of(const json::object& document)
{
    static const json::array none;
    const auto* found = document.if_contains("endpoints");
    if (found == nullptr || found->is_null())
        return &none;
    return found->is_array() && found->as_array().size() <= most_endpoints ? &found->as_array() : nullptr;
}

std::optional<json::object> read_endpoint(const json::value& from)
{
    if (!from.is_object())
        return std::nullopt;
    const auto& given = from.as_object();
    const auto* name = name_of(given, "name");
    const auto* subject = text_of(given, "subject", longest_text);
    if (name == nullptr || subject == nullptr || subject->empty())
        return std::nullopt;
    json::object one{{"name", *name}, {"subject", *subject}};
    if (const auto* group = name_of(given, "queue_group"))
        one["queue_group"] = *group;
    return one;
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
    const auto* version = text_of(document, "version", longest_name);
    const auto* description = text_of(document, "description", longest_text);
    const auto* endpoints = endpoints_of(document);
    if (version == nullptr || endpoints == nullptr)
        return std::nullopt;
    json::array list;
    for (const auto& each : *endpoints)
    {
        auto one = read_endpoint(each);
        if (!one)
            return std::nullopt;
        list.push_back(std::move(*one));
    }
    return json::object{{"name", document.at("name")},
                        {"id", document.at("id")},
                        {"version", *version},
                        {"description", description != nullptr ? *description : json::string()},
                        {"endpoints", std::move(list)}};
}

/// Adds the numbers that make sense.
void add_numbers(json::object& to, const json::object& from)
{
    for (const auto* member : {"num_requests", "num_errors", "processing_time", "average_processing_time"})
        if (const auto* found = from.if_contains(member);
            found != nullptr && (found->is_uint64() || (found->is_int64() && found->as_int64() >= 0)))
            to[member] = *found;
    if (const auto* last = text_of(from, "last_error", longest_text))
        to["last_error"] = *last;
    if (const auto* data = from.if_contains("data"))
        to["data"] = *data;
}

void add_stats(json::object& instance, const json::object& document)
{
    const auto* endpoints = endpoints_of(document);
    if (endpoints == nullptr)
        return;
    if (const auto* started = text_of(document, "started", longest_name))
        instance["started"] = *started;
    for (auto& known : instance["endpoints"].as_array())
        for (const auto& each : *endpoints)
            if (const auto counted = read_endpoint(each); counted && counted->at("name") == known.at("name"))
            {
                add_numbers(known.as_object(), each.as_object());
                break;
            }
}

} // namespace

std::string describe_services(const std::vector<std::string>& infos, const std::vector<std::string>& stats)
{
    std::map<instance_key, json::object> instances;
    for (const auto& text : infos)
        if (const auto document = read_object(text); document && is_of_type(*document, "io.nats.micro.v1.info_response"))
            if (const auto key = key_of(*document))
                if (auto instance = read_info(*document))
                    instances.emplace(*key, std::move(*instance));
    std::map<instance_key, bool> counted;
    for (const auto& text : stats)
        if (const auto document = read_object(text); document && is_of_type(*document, "io.nats.micro.v1.stats_response"))
            if (const auto key = key_of(*document); key && instances.contains(*key) && counted.emplace(*key, true).second)
                add_stats(instances[*key], *document);
    json::array list;
    for (auto& [key, instance] : instances)
        list.push_back(std::move(instance));
    return json::serialize(json::object{{"services", std::move(list)}});
}

asio::awaitable<bool> fleet_view::any_says(std::string_view verb, std::string_view name,
                                           std::function<bool(const json::object&)> accepts, deadline until)
{
    if (survey_ == nullptr)
        co_return false;
    const auto type = "io.nats.micro.v1." + in_lower_case(verb) + "_response";
    bool said = false;
    const auto home = co_await asio::this_coro::executor;
    polling all(home,
                [&](std::size_t, const std::string& reply)
                {
                    const auto document = read_object(reply);
                    const auto key = document ? key_of(*document) : std::nullopt;
                    said = key && key->first == name && is_of_type(*document, type) && accepts(*document);
                    return said;
                });
    if (all.ask(*survey_, subjects::discovery(verb, name)).has_error())
        co_return false;
    (void)co_await all.wait(until, std::nullopt); // who has not answered by now is away
    co_return said;
}

asio::awaitable<result<std::string>> fleet_view::services()
{
    const remembered<result<std::string>>::finder find = [this] { return ask_services(); };
    co_return co_await services_.get(find);
}

asio::awaitable<result<std::string>> fleet_view::ask_services()
{
    if (survey_ == nullptr)
        co_return fail(errc::disconnected);
    std::array<std::vector<std::string>, 2> replies;
    const auto home = co_await asio::this_coro::executor;
    polling all(home,
                [&replies](std::size_t question, const std::string& reply)
                {
                    replies[question].push_back(reply);
                    return false;
                });
    for (const auto* verb : {"INFO", "STATS"})
        if (auto asked = all.ask(*survey_, subjects::discovery(verb)); asked.has_error())
            co_return asked.error();
    if (auto heard = co_await all.wait(deadline::in(longest), quiet); heard.has_error())
        co_return heard.error();
    co_return describe_services(replies[0], replies[1]);
}

} // namespace marquee
