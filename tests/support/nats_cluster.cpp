#include "tests/support/nats_cluster.hpp"

#include "tests/support/nats_calls.hpp"
#include "tests/support/ports.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <functional>
#include <stdexcept>
#include <thread>

namespace marquee::test
{

namespace json = boost::json;

namespace
{

constexpr int attempts_to_start = 3; ///< another process may take a free port before the server does

std::string name_of(std::size_t index) { return "server-" + std::to_string(index); }

void wait_for(const std::string& what, std::chrono::milliseconds limit, const std::function<bool()>& holds)
{
    const auto end = std::chrono::steady_clock::now() + limit;
    while (!holds())
    {
        if (std::chrono::steady_clock::now() > end)
            throw std::runtime_error(what + " within " + std::to_string(limit.count()) + " ms: no");
        std::this_thread::sleep_for(std::chrono::milliseconds(20)); // between two requests
    }
}

/// Answer of the JetStream API without an error; nothing while there is none.
std::optional<json::object> request(const std::string& urls, const subject& to, const std::string& payload = {})
{
    auto reply = nats_call(urls, to, payload);
    if (reply.has_error() || !reply->is_object() || reply->as_object().contains("error"))
        return std::nullopt;
    return std::move(reply->as_object());
}

std::optional<json::object> stream_cluster(const std::string& urls, const std::string& stream)
{
    auto info = request(urls, subject::of({"$JS", "API", "STREAM", "INFO", stream}));
    if (!info || !info->contains("cluster") || !info->at("cluster").as_object().contains("leader"))
        return std::nullopt;
    return std::move(info->at("cluster").as_object());
}

} // namespace

nats_cluster::nats_cluster(std::size_t size)
{
    for (int attempt = 1; servers_.size() < size; ++attempt)
        try
        {
            start(size);
        }
        catch (const std::runtime_error&)
        {
            servers_.clear();
            if (attempt == attempts_to_start)
                throw;
        }
    wait_until_elected();
}

void nats_cluster::start(std::size_t size)
{
    std::vector<int> ports(size);
    std::generate(ports.begin(), ports.end(), free_port);
    std::string routes;
    for (const int port : ports)
        routes += (routes.empty() ? "" : ", ") + ("\"nats://127.0.0.1:" + std::to_string(port) + "\"");
    for (std::size_t i = 0; i < size; ++i)
        servers_.push_back(std::make_unique<nats_server>(
            "server_name: " + name_of(i) + "\ncluster { name: marquee, pool_size: -1, listen: \"127.0.0.1:" +
            std::to_string(ports[i]) + "\", routes: [" + routes + " ] }\n"));
}

/// Waits until a leader places a stream on every server; it may not know all of them at first.
void nats_cluster::wait_until_elected() const
{
    const auto create = subject::of({"$JS", "API", "STREAM", "CREATE", "PROBE"});
    const auto remove = subject::of({"$JS", "API", "STREAM", "DELETE", "PROBE"});
    const auto probe = json::serialize(json::object{
        {"name", "PROBE"}, {"subjects", json::array{"probe"}}, {"storage", "memory"}, {"num_replicas", size()}});
    wait_for("the cluster places a stream", std::chrono::seconds(60),
             [&] { return request(urls(), create, probe).has_value(); });
    wait_for("the cluster removes a stream", std::chrono::seconds(60),
             [&] { return request(urls(), remove).has_value(); });
}

std::string nats_cluster::urls() const
{
    std::string all;
    for (const auto& server : servers_)
        all += (all.empty() ? "" : ",") + server->url();
    return all;
}

std::size_t nats_cluster::leader_of(const std::string& stream, std::chrono::milliseconds limit) const
{
    std::size_t leader = 0;
    wait_for("stream " + stream + " has a leader", limit,
             [&]
             {
                 const auto cluster = stream_cluster(urls(), stream);
                 for (leader = 0; cluster && leader < size(); ++leader)
                     if (cluster->at("leader").as_string() == name_of(leader))
                         return true;
                 return false;
             });
    return leader;
}

void nats_cluster::wait_until_whole(const std::string& stream, std::chrono::milliseconds limit) const
{
    wait_for("stream " + stream + " is whole", limit,
             [&]
             {
                 const auto cluster = stream_cluster(urls(), stream);
                 const auto* replicas = cluster ? cluster->if_contains("replicas") : nullptr;
                 if (replicas == nullptr || replicas->as_array().size() + 1 != size())
                     return false;
                 for (const auto& each : replicas->as_array())
                     if (!each.at("current").as_bool() || each.as_object().contains("offline"))
                         return false;
                 return true;
             });
}

} // namespace marquee::test
