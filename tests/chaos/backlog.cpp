#include "tests/chaos/backlog.hpp"

#include "broker/jetstream/publish.hpp"
#include "broker/nats/connection.hpp"
#include "schemas/event.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <fstream>
#include <random>
#include <stdexcept>

namespace marquee::chaos
{

namespace
{

constexpr std::size_t in_flight = 512;
constexpr std::uint64_t users = 500;
constexpr auto patience = std::chrono::seconds(60);

class publisher
{
public:
    publisher(connection& nats, std::uint64_t count, std::uint64_t seed, const std::vector<test::known_asset>& assets,
              const std::filesystem::path& ledger, test::expected_views& expected)
        : nats_(nats), left_(count), seed_(seed), rng_(seed), assets_(assets), ledger_(ledger, std::ios::app),
          expected_(expected)
    {
    }

    /// One of many at once.
    asio::awaitable<void> publish()
    {
        while (left_ > 0 && failure.empty())
        {
            const auto what = next();
            const auto asset = asset_id::parse(what.asset).value();
            const auto user = user_id::parse(what.user).value();
            (void)expected_.attempt(what);
            auto payload = encode_event(what.event, asset, user, std::chrono::system_clock::now());
            const auto stored = co_await publish_stored(nats_.requests(), subjects::events(), std::move(payload),
                                                        what.event, deadline::in(patience));
            if (stored.has_value())
                expected_.acknowledge(what);
            else
                failure = stored.error().detail + " " + std::string(name_of(stored.error().code));
            const boost::json::object line{{"event", what.event},
                                           {"asset", what.asset},
                                           {"user", what.user},
                                           {"outcome", stored.has_value() ? "acknowledged" : "unknown"}};
            ledger_ << boost::json::serialize(line) << '\n';
        }
    }

    std::string failure;

private:
    test::play next()
    {
        const auto& asset = assets_[rng_() % assets_.size()].id;
        return {asset,
                "viewer-" + std::to_string(rng_() % users),
                "backlog-" + std::to_string(seed_) + "-" + std::to_string(left_--),
                {}};
    }

    connection& nats_;
    std::uint64_t left_;
    std::uint64_t seed_;
    std::mt19937_64 rng_;
    const std::vector<test::known_asset>& assets_;
    std::ofstream ledger_;
    test::expected_views& expected_;
};

} // namespace

void publish_backlog(const std::string& server, std::uint64_t count, std::uint64_t seed,
                     const std::vector<test::known_asset>& assets, const std::filesystem::path& ledger,
                     test::expected_views& expected)
{
    asio::io_context io(1);
    connection_options options;
    options.name = "backlog";
    options.servers = {server};
    auto nats = connection::open(io, options);
    if (nats.has_error())
        throw std::runtime_error("no backlog: " + nats.error().detail);
    publisher all(**nats, count, seed, assets, ledger, expected);
    std::size_t working = in_flight;
    for (std::size_t i = 0; i < in_flight; ++i)
        asio::co_spawn(io, all.publish(),
                       [&](const std::exception_ptr& e)
                       {
                           if (e)
                               all.failure = "a publisher threw";
                           if (--working == 0)
                               io.stop();
                       });
    io.run();
    if (!all.failure.empty())
        throw std::runtime_error("no backlog: " + all.failure);
}

} // namespace marquee::chaos
