// Zipf-distributed plays, as on a large site: few assets and users have most of them. Integer
// arithmetic only, so that the result is the same on every machine.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace marquee::replay
{

/// The generator SplitMix64 (Steele, Lea, Flood 2014).
class random_numbers
{
public:
    explicit random_numbers(std::uint64_t seed) : state_(seed) {}
    std::uint64_t next();
    std::uint64_t below(std::uint64_t limit); ///< uniform, 0 to limit - 1

private:
    std::uint64_t state_;
};

/// Draws ranks 1 to n; rank k has weight floor(2^40 / k).
class zipf_ranks
{
public:
    explicit zipf_ranks(std::uint64_t n);
    std::uint64_t draw(random_numbers& from) const;

private:
    std::vector<std::uint64_t> sums_;
};

struct zipf_settings
{
    std::uint64_t plays = 100'000;
    std::uint64_t users = 10'000;
    std::uint64_t assets = 1'700;
    std::uint64_t seed = 1;
};

/// Generates the plays one by one.
class zipf_plays
{
public:
    explicit zipf_plays(zipf_settings what);
    std::string next(); ///< an event as JSON, without a line end

private:
    zipf_settings what_;
    zipf_ranks users_;
    zipf_ranks assets_;
    random_numbers rng_;
    std::uint64_t made_ = 0;
};

} // namespace marquee::replay
