#include "tests/bench/catalogue.hpp"

#include "tests/bench/nats_client.hpp"

#include <algorithm>
#include <optional>
#include <stdexcept>

namespace marquee::bench
{

namespace
{

constexpr int in_flight = 256;

/// Sends one request for each of 0 … count-1.
void put_all(nats_client& client, std::size_t count, const std::function<nats_request(std::size_t)>& of)
{
    std::size_t i = 0;
    std::optional<nats_request> one;
    const auto outcome = client.request_all(in_flight,
                                            [&]() -> const nats_request*
                                            {
                                                if (i == count)
                                                    return nullptr;
                                                one = of(i++);
                                                return &*one;
                                            });
    if (outcome.wrong > 0)
        throw std::runtime_error("assets could not be put");
}

} // namespace

asset_id asset(std::size_t i) { return asset_id::parse("asset-" + std::to_string(i)).value(); }

user_id user(std::size_t i) { return user_id::parse("user-" + std::to_string(i)).value(); }

asset_metadata metadata_of(std::size_t i)
{
    return {"The Film with the Number " + std::to_string(i), "drama",
            "Two people who have nothing in common miss the last train of the year, and walk home through a city that "
            "neither of "
            "them "
            "has ever looked at before this night."};
}

asset_url url_of(std::size_t i)
{
    return {"https://cdn.example.com/videos/asset-" + std::to_string(i) + "/master.m3u8"};
}

void put_assets(bench_system& system, std::size_t count)
{
    nats_client client(system.broker_url());
    put_all(client, count,
            [](std::size_t i) {
                return nats_request{subjects::metadata_put(asset(i)), encode(metadata_of(i))};
            });
    put_all(client, count,
            [](std::size_t i) {
                return nats_request{subjects::cdnurl_put(asset(i)), encode(url_of(i))};
            });
}

zipf::zipf(std::size_t count)
{
    double sum = 0;
    for (std::size_t i = 0; i < count; ++i)
        sums_.push_back(sum += 1.0 / static_cast<double>(i + 1));
}

std::size_t zipf::find(double at) const
{
    const auto found = std::upper_bound(sums_.begin(), sums_.end() - 1, at);
    return static_cast<std::size_t>(found - sums_.begin());
}

} // namespace marquee::bench
