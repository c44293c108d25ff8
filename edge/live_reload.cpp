#include "edge/live_reload.hpp"

#include <boost/asio/post.hpp>

#include <cstddef>
#include <utility>

namespace marquee
{

live_reload::live_reload(asio::io_context& io, std::vector<std::unique_ptr<edge_worker>>& all, connection_limit& limit,
                         std::shared_ptr<rate_limits> rates)
    : io_(io), all_(all), limit_(limit), rates_(std::move(rates))
{
}

std::vector<std::string> live_reload::options()
{
    std::vector<std::string> all = {"admin-token-file", "drain-timeout", "jwt-audience", "jwt-issuer", "jwt-key",
                                    "max-connections",  "max-in-flight", "max-live",     "max-media",  "timeout"};
    boost::program_options::options_description limits;
    add_limit_options(limits);
    for (const auto& each : limits.options())
        all.push_back(each->long_name());
    return all;
}

result<void> live_reload::apply(const boost::program_options::variables_map& values, std::function<void()> done)
{
    auto config = read_edge_config(values);
    if (config.has_error())
        return config.error();
    const auto rates = std::make_shared<rate_limits>(config->limits.rates, rates_.get());
    std::vector<live_settings> made; // for each worker, before the first one gets anything
    for (std::size_t i = 0; i < all_.size(); ++i)
    {
        auto one = live_settings::from(*config, rates);
        if (one.has_error())
            return one.error();
        made.push_back(std::move(*one));
    }
    rates_ = rates;
    limit_.change(config->max_connections, config->limits.max_connections_per_address,
                  config->limits.rates.trusted_proxies);
    const auto left = std::make_shared<std::size_t>(all_.size()); // used on the main thread only
    for (std::size_t i = 0; i < all_.size(); ++i)
        all_[i]->change(std::move(made[i]),
                        [&io = io_, left, done]
                        {
                            asio::post(io,
                                       [left, done]
                                       {
                                           if (--*left == 0)
                                               done();
                                       });
                        });
    return {};
}

} // namespace marquee
