#include "broker/jetstream/create_consumer.hpp"

#include "broker/jetstream/jetstream_api.hpp"

#include <boost/json/serialize.hpp>

namespace marquee
{

namespace json = boost::json;

namespace
{

bool has_nothing_to_deliver(const json::object& consumer)
{
    const auto* pending = consumer.if_contains("num_pending");
    const auto* delivered = object_in(consumer, "delivered");
    const auto* sequence = delivered == nullptr ? nullptr : delivered->if_contains("consumer_seq");
    return pending != nullptr && *pending == 0 && sequence != nullptr && *sequence == 0;
}

std::string payload_of(const consumer_config& wanted)
{
    const auto heartbeat = std::chrono::nanoseconds(wanted.idle_heartbeat).count();
    json::object config{{"deliver_subject", wanted.deliver_subject},
                        {"deliver_policy", "by_start_sequence"},
                        {"opt_start_seq", wanted.start_sequence},
                        {"ack_policy", "none"},
                        {"max_deliver", 1},
                        {"replay_policy", "instant"},
                        {"flow_control", true},
                        {"idle_heartbeat", heartbeat},
                        {"mem_storage", true},
                        {"num_replicas", 1}};
    if (!wanted.name.empty())
        config["name"] = wanted.name;
    if (!wanted.description.empty())
        config["description"] = wanted.description;
    return json::serialize(json::object{{"stream_name", wanted.stream}, {"config", std::move(config)}});
}

} // namespace

std::chrono::milliseconds idle_heartbeat_for(const stream_state& stream) noexcept
{
    return stream.replicas > 1 ? std::chrono::milliseconds(250) : std::chrono::seconds(2);
}

consumer_config consumer_for(const ordered_consumer::settings& wanted, const std::string& instance,
                             std::uint64_t attempt, const stream_state& stream)
{
    consumer_config config;
    config.stream = wanted.stream;
    config.idle_heartbeat = wanted.idle_heartbeat.count() > 0 ? wanted.idle_heartbeat : idle_heartbeat_for(stream);
    if (!wanted.reader.empty() && !instance.empty())
        config.name = wanted.reader + '-' + instance + '-' + std::to_string(attempt);
    config.description = wanted.description;
    return config;
}

asio::awaitable<result<created_consumer>> create_consumer(requester& nats, consumer_config wanted, deadline until)
{
    const auto to = wanted.name.empty() ? subject::of({"$JS", "API", "CONSUMER", "CREATE", wanted.stream})
                                        : subject::of({"$JS", "API", "CONSUMER", "CREATE", wanted.stream, wanted.name});
    const auto payload = payload_of(wanted);
    const auto reply = co_await call_jetstream(nats, to, payload, until);
    if (reply.has_error())
        co_return reply.error();
    if (reply->failed())
        co_return fail(errc::unavailable, reply->description);
    co_return created_consumer{has_nothing_to_deliver(reply->body)};
}

} // namespace marquee
