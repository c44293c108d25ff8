#include "broker/jetstream/jetstream_api.hpp"
#include "broker/jetstream/server_time.hpp"
#include "broker/jetstream/state_streams.hpp"
#include "broker/jetstream/streams.hpp"
#include "tools/doctor/checks.hpp"

#include <boost/json/array.hpp>

#include <algorithm>

namespace marquee::doctor
{
namespace
{

using namespace std::chrono_literals;

constexpr std::chrono::nanoseconds clock_warning = 1s;
constexpr std::chrono::nanoseconds clock_problem = 1min;

/// `bytes` of a setting that is -1 or absent where there is no limit.
std::int64_t limit_in(const boost::json::object& config, std::string_view name)
{
    const auto* found = config.if_contains(name);
    return found != nullptr && found->is_int64() ? std::max<std::int64_t>(found->get_int64(), 0) : 0;
}

void check_settings(const stream_config& wanted, const boost::json::object& config, findings& into)
{
    const auto judged = judge_settings(wanted, config);
    const auto add = [&](severity how, const setting_remark& each)
    {
        const auto cure = each.cure.empty() ? "where that is not meant: nats stream edit " + wanted.name : each.cure;
        into.push_back({how, wanted.name, each.setting + " is " + each.value + ": " + each.effect, cure});
    };
    for (const auto& each : judged.refused)
        add(severity::problem, each);
    for (const auto& each : judged.accepted)
        add(severity::warning, each);
    for (const auto& each : judged.missing)
        into.push_back({severity::warning, wanted.name, "lacks the subject " + each,
                        "restart marquee-reporting, which adds it: it may not update the stream"});
}

void check_room(const stream_config& wanted, const boost::json::object& info, findings& into)
{
    const auto* config = object_in(info, "config");
    const auto* state = object_in(info, "state");
    if (config == nullptr || state == nullptr)
        return;
    const auto most = static_cast<std::uint64_t>(limit_in(*config, "max_bytes"));
    add_fullness(into, wanted.name, "the stream", number_in(*state, "bytes"), most,
                 "nats stream edit " + wanted.name + " --max-bytes " + std::to_string(2 * most));
}

void check_replica(const std::string& stream, const boost::json::object& replica, findings& into)
{
    const auto is = [&](std::string_view name)
    {
        const auto* found = replica.if_contains(name);
        return found != nullptr && found->is_bool() && found->get_bool();
    };
    const auto name = text_in(replica, "name");
    if (is("offline"))
        into.push_back({severity::warning, stream, "the replica on " + name + " is offline", "start that server"});
    else if (!is("current"))
        into.push_back(
            {severity::warning, stream,
             "the replica on " + name + " is behind by " + std::to_string(number_in(replica, "lag")) + " operations",
             "wait; if that number does not fall, look at that server's log"});
}

/// True where the broker's clock was looked at.
asio::awaitable<bool> check_stream(broker_access& of, const stream_config& wanted, std::string maker, bool clock,
                                   findings& into)
{
    const auto where = subject::of({"$JS", "API", "STREAM", "INFO", wanted.name});
    const auto begin = std::chrono::system_clock::now();
    auto asking = call_jetstream(of.nats.requests(), where, std::string(), deadline::in(of.timeout));
    const auto info = co_await std::move(asking);
    const auto end = std::chrono::system_clock::now();
    if (info.has_error() || info->failed())
    {
        const bool missing = info.has_value() && info->err_code == js_error::stream_not_found;
        into.push_back({severity::problem, wanted.name,
                        missing            ? "there is no such stream"
                        : info.has_value() ? info->description
                                           : "no answer (" + std::string(name_of(info.error().code)) +
                                                 "): this user may not ask " + where.str() + ", or no server leads it",
                        missing ? "start marquee-" + maker + ", which makes it, or restore a backup"
                                : "start the servers that are away; " + ask_as_operator()});
        co_return false;
    }
    const auto before = into.size();
    if (const auto* config = object_in(info->body, "config"))
        check_settings(wanted, *config, into);
    check_room(wanted, info->body, into);
    check_replicas(wanted.name, info->body, into);
    if (into.size() == before)
    {
        const auto* state = object_in(info->body, "state");
        into.push_back({severity::ok,
                        wanted.name,
                        std::to_string(state == nullptr ? 0 : number_in(*state, "messages")) + " messages, " +
                            size_about(state == nullptr ? 0 : number_in(*state, "bytes")),
                        {}});
    }
    if (clock)
        check_clock(text_in(info->body, "ts"), begin, end, into);
    co_return clock;
}

} // namespace

void check_replicas(const std::string& stream, const boost::json::object& info, findings& into)
{
    const auto* cluster = object_in(info, "cluster");
    const auto* config = object_in(info, "config");
    if (cluster == nullptr || config == nullptr)
        return;
    if (text_in(*cluster, "leader").empty())
        into.push_back({severity::problem, stream, "has no leader: a majority of its servers is away",
                        "start the servers that are away"});
    const auto* replicas = cluster->if_contains("replicas");
    if (replicas != nullptr && replicas->is_array())
        for (const auto& each : replicas->get_array())
            if (each.is_object())
                check_replica(stream, each.get_object(), into);
    if (number_in(*config, "num_replicas") < 3 && !text_in(*cluster, "name").empty())
        into.push_back({severity::warning, stream,
                        "has fewer than three replicas in a cluster: it is away while its server is",
                        "nats stream edit " + stream + " --replicas 3"});
}

void check_clock(std::string_view by_server, std::chrono::system_clock::time_point begin,
                 std::chrono::system_clock::time_point end, findings& into)
{
    const auto time = parse_server_time(by_server);
    if (!time)
        return;
    const auto after = *time - end.time_since_epoch();
    const auto before = begin.time_since_epoch() - *time;
    const auto apart = std::max<std::chrono::nanoseconds>({after, before, 0ns});
    const std::string cure = "synchronise the clocks of both machines (chrony, systemd-timesyncd)";
    const auto text = "the broker's clock and this machine's are " +
                      duration_text(std::chrono::round<std::chrono::milliseconds>(apart)) + " apart";
    if (apart >= clock_problem)
        into.push_back({severity::problem, "clocks", text, cure});
    else if (apart >= clock_warning)
        into.push_back({severity::warning, "clocks", text, cure});
    else
        into.push_back({severity::ok, "clocks", "the broker's and this machine's agree within a second", {}});
}

asio::awaitable<void> check_streams(broker_access& of, findings& into)
{
    bool clock = true;
    const auto events = events_stream();
    auto first = check_stream(of, events, "reporting", clock, into);
    clock = !co_await std::move(first);
    for (const std::string bucket : {"metadata", "cdnurl"})
    {
        const auto wanted = bucket_stream(bucket);
        auto next = check_stream(of, wanted, bucket, clock, into);
        clock = !co_await std::move(next) && clock;
    }
}

} // namespace marquee::doctor
