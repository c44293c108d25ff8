#include "tools/replay/zipf.hpp"

#include "schemas/event.hpp"

#include <algorithm>
#include <chrono>
#include <limits>

namespace marquee::replay
{
namespace
{

constexpr std::uint64_t weight_of_first = std::uint64_t(1) << 40;
constexpr auto first_play = std::chrono::sys_days(std::chrono::year(2026) / 1 / 1);
constexpr auto between_plays = std::chrono::milliseconds(10);

std::string padded(std::uint64_t number, std::size_t width)
{
    auto digits = std::to_string(number);
    return std::string(width - std::min(width, digits.size()), '0') + digits;
}

} // namespace

std::uint64_t random_numbers::next()
{
    auto z = state_ += 0x9E3779B97F4A7C15;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return z ^ (z >> 31);
}

std::uint64_t random_numbers::below(std::uint64_t limit)
{
    constexpr auto most = std::numeric_limits<std::uint64_t>::max();
    const auto fair = most - most % limit; // beyond it the remainders are not equally likely
    auto drawn = next();
    while (drawn >= fair)
        drawn = next();
    return drawn % limit;
}

zipf_ranks::zipf_ranks(std::uint64_t n)
{
    std::uint64_t sum = 0;
    for (std::uint64_t rank = 1; rank <= n; ++rank)
        sums_.push_back(sum += weight_of_first / rank);
}

std::uint64_t zipf_ranks::draw(random_numbers& from) const
{
    const auto point = from.below(sums_.back());
    return static_cast<std::uint64_t>(std::upper_bound(sums_.begin(), sums_.end(), point) - sums_.begin()) + 1;
}

zipf_plays::zipf_plays(zipf_settings what) : what_(what), users_(what.users), assets_(what.assets), rng_(what.seed) {}

std::string zipf_plays::next()
{
    const auto user = user_id::parse("user" + padded(users_.draw(rng_), 5) + "@example.org").value();
    const auto asset = asset_id::parse("10.5240/ZIPF-" + padded(assets_.draw(rng_), 4)).value();
    const auto when = first_play + between_plays * static_cast<std::int64_t>(made_++);
    return encode_event("zipf-" + std::to_string(what_.seed) + "-" + padded(made_, 7), asset, user, when);
}

} // namespace marquee::replay
