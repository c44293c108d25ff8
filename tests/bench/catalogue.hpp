// The assets and users of the measurements.
#pragma once

#include "schemas/ids.hpp"
#include "schemas/messages.hpp"
#include "tests/bench/bench_system.hpp"

#include <cstddef>
#include <random>
#include <string>
#include <vector>

namespace marquee::bench
{

[[nodiscard]] asset_id asset(std::size_t i);
[[nodiscard]] user_id user(std::size_t i);

/// About 200 bytes of text, as in a real catalogue.
[[nodiscard]] asset_metadata metadata_of(std::size_t i);
[[nodiscard]] asset_url url_of(std::size_t i);

/// Puts `count` assets through metadata.put and cdnurl.put.
void put_assets(bench_system& system, std::size_t count);

/// 0 … count-1, where i is drawn in proportion to 1 / (i + 1).
class zipf
{
public:
    explicit zipf(std::size_t count);

    template <class Random>
    std::size_t operator()(Random& random)
    {
        const double at = std::uniform_real_distribution<>(0, sums_.back())(random);
        return find(at);
    }

private:
    [[nodiscard]] std::size_t find(double at) const;
    std::vector<double> sums_;
};

} // namespace marquee::bench
