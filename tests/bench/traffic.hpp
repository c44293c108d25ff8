// The HTTP requests of the measurements.
#pragma once

#include "tests/bench/catalogue.hpp"
#include "tests/bench/http_load.hpp"

#include <functional>
#include <string>

namespace marquee::bench
{

/// Users are drawn evenly from 10,000.
struct traffic
{
    std::string name;
    bool plays = true;
    std::function<void(std::string&)> append; ///< one more request
};

/// The edge answers a fixed body by itself.
[[nodiscard]] traffic floor_traffic();

/// Few assets are played often, most hardly ever: Zipf's law with exponent 1.
[[nodiscard]] traffic zipf_traffic(std::size_t assets);

/// Every request plays another asset: the worst case for all that plays of one asset can share.
[[nodiscard]] traffic distinct_traffic(std::size_t assets);

/// Assets to put for them.
[[nodiscard]] std::size_t traffic_assets(const settings& with);

/// Loads the edge once: rate, latencies, wrong, sent, costs by process. Throws where reporting has
/// not counted exactly the plays that were answered.
[[nodiscard]] figures run_traffic(bench_system& system, const settings& with, const traffic& what, int connections);

/// A short load, for what is slow only at first.
void warm_up(bench_system& system, const settings& with);

} // namespace marquee::bench
