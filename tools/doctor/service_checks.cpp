#include "broker/base/wait.hpp"
#include "broker/jetstream/jetstream_api.hpp"
#include "schemas/json.hpp"
#include "schemas/subjects.hpp"
#include "tools/doctor/checks.hpp"

#include <boost/json/array.hpp>

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string_view>

namespace marquee::doctor
{
namespace
{

using namespace std::chrono_literals;
namespace json = boost::json;

constexpr auto silence = 1s; ///< after the last answer: there are no more instances
constexpr std::size_t most_answers = 10'000;
constexpr std::array<std::string_view, 3> service_names{"metadata", "cdnurl", "reporting"};

/// The answers of all instances to a request of discovery: `expected` of them, or, where that is
/// zero, as many as come. The link's loss ends it early.
asio::awaitable<std::vector<json::object>> ask_all(broker_access& of, std::string_view verb, std::size_t expected)
{
    auto found = std::make_shared<std::vector<json::object>>();
    asio::steady_timer wake(of.nats.context());
    bool ended = false;
    const auto on_reply = [&, found](const result<message>& reply)
    {
        if (reply.has_error())
            ended = true;
        else if (auto document = read_object(reply->data); document.has_value() && found->size() < most_answers)
            found->push_back(std::move(*document));
        wake.cancel();
    };
    const auto until = deadline::in(of.timeout);
    const auto asked = of.nats.multi_requests().ask_all(subjects::discovery(verb), on_reply);
    if (asked.has_error())
        co_return *found;
    bool quiet = false;
    while (!ended && !quiet && !until.passed() && (expected == 0 || found->size() < expected))
    {
        const auto next = expected > 0 || found->empty() ? until : until.sooner(deadline::in(silence));
        quiet = co_await wait(wake, next);
    }
    co_return *found;
}

void read_statistics(const json::object& stats, instance& into)
{
    const auto* endpoints = stats.if_contains("endpoints");
    if (endpoints == nullptr || !endpoints->is_array() || endpoints->get_array().empty() ||
        !endpoints->get_array().front().is_object())
        return;
    const auto* data = object_in(endpoints->get_array().front().get_object(), "data");
    if (data == nullptr)
        return;
    into.alarm = text_in(*data, "alarm");
    into.lag = number_in(*data, "lag");
    if (const auto* rule = object_in(*data, "rule"))
        into.rule =
            "version " + std::to_string(number_in(*rule, "version")) + ", window " + text_in(*rule, "dedupe_window");
    if (const auto* serving = data->if_contains("serving"); serving != nullptr && serving->is_bool())
        into.serving = serving->get_bool();
}

asio::awaitable<instances> find_instances(broker_access& of)
{
    instances found;
    auto informing = ask_all(of, "INFO", 0);
    for (const auto& info : co_await std::move(informing))
    {
        const auto* metadata = object_in(info, "metadata");
        auto& one = found[text_in(info, "id")];
        one.name = text_in(info, "name");
        one.version = text_in(info, "version");
        one.old = one.name == "reporting" &&
                  (metadata == nullptr || text_in(*metadata, names::metadata_event_lines) != "yes");
    }
    if (found.empty())
        co_return found;
    auto counting = ask_all(of, "STATS", found.size());
    for (const auto& stats : co_await std::move(counting))
        if (const auto at = found.find(text_in(stats, "id")); at != found.end())
            read_statistics(stats, at->second);
    co_return found;
}

void check_instance(const std::string& id, const instance& one, findings& into)
{
    const auto which = "instance " + id;
    if (!one.alarm.empty())
        into.push_back({severity::problem, one.name, which + " raises an alarm: " + one.alarm,
                        "do what the alarm names; the log of that instance has more"});
    else if (one.serving == false)
        into.push_back({severity::warning, one.name,
                        which + " does not serve yet: it is " + std::to_string(one.lag) + " messages behind",
                        "wait; if that number does not fall, look at its log"});
    if (one.old)
        into.push_back({severity::warning, one.name,
                        which + ", version " + one.version +
                            ", cannot count messages of several events: edges send each view alone",
                        "update it"});
}

asio::awaitable<void> check_request(broker_access& of, std::string name, subject to, findings& into)
{
    const auto begin = std::chrono::steady_clock::now();
    const auto asked = call_service(of.nats.requests(), to, {}, {}, deadline::in(of.timeout));
    auto receiving = asked.receive();
    const auto reply = co_await std::move(receiving);
    const auto took = std::chrono::round<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begin);
    if (reply.has_value() || reply.error() == errc::asset_not_found)
        into.push_back({severity::ok, name, "answered a request in " + std::to_string(took.count()) + " ms", {}});
    else
        into.push_back({severity::problem, name,
                        "does not answer " + to.str() + ": " + std::string(name_of(reply.error().code)) +
                            (reply.error().detail.empty() ? "" : " (" + reply.error().detail + ")"),
                        "look at its log; " + ask_as_operator()});
}

} // namespace

void check_instances(const std::string& name, const instances& all, findings& into)
{
    std::set<std::string> versions;
    std::set<std::string> rules;
    std::size_t running = 0;
    for (const auto& [id, one] : all)
        if (one.name == name)
        {
            ++running;
            versions.insert(one.version);
            if (!one.rule.empty())
                rules.insert(one.rule);
            check_instance(id, one, into);
        }
    const auto list = [](const std::set<std::string>& of)
    {
        std::string text;
        for (const auto& each : of)
            text += (text.empty() ? "" : " and ") + each;
        return text;
    };
    if (running == 0)
    {
        into.push_back({severity::problem, name, "no instance answers", "start marquee-" + name});
        return;
    }
    into.push_back({severity::ok,
                    name,
                    std::to_string(running) + (running == 1 ? " instance" : " instances") + " of " + list(versions),
                    {}});
    if (versions.size() > 1)
        into.push_back({severity::warning, name, "instances of several versions: " + list(versions),
                        "bring the update to its end"});
    if (rules.size() > 1)
        into.push_back({severity::problem, name, "instances count by different rules: " + list(rules),
                        "start all with one version and the same --dedupe-window"});
}

asio::awaitable<void> check_services(broker_access& of, findings& into)
{
    auto finding_all = find_instances(of);
    const auto all = co_await std::move(finding_all);
    const auto nobody = asset_id::parse("marquee-doctor").value();
    const std::map<std::string_view, subject> requests{{"metadata", subjects::metadata_get(nobody)},
                                                       {"cdnurl", subjects::cdnurl_get(nobody)},
                                                       {"reporting", subjects::reporting_asset(nobody)}};
    for (const auto name : service_names)
    {
        const auto before = count(into, severity::problem);
        check_instances(std::string(name), all, into);
        if (count(into, severity::problem) > before)
            continue; // that it does not answer is a consequence
        auto asking = check_request(of, std::string(name), requests.at(name), into);
        co_await std::move(asking);
    }
}

} // namespace marquee::doctor
