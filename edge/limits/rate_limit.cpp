#include "edge/limits/rate_limit.hpp"

#include "schemas/parse_number.hpp"

#include <openssl/sha.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <random>
#include <utility>

namespace marquee
{

namespace
{

std::uint64_t random_seed()
{
    std::random_device device;
    return (std::uint64_t(device()) << 32U) | device();
}

/// The finalizer of splitmix64.
std::uint64_t mix(std::uint64_t x) noexcept
{
    x = (x ^ (x >> 30U)) * 0xbf58476d1ce4e5b9U;
    x = (x ^ (x >> 27U)) * 0x94d049bb133111ebU;
    return x ^ (x >> 31U);
}

/// Whole seconds, rounded up: a client that waits as long is not too early.
std::int64_t seconds(std::chrono::nanoseconds time) { return std::chrono::ceil<std::chrono::seconds>(time).count(); }

} // namespace

result<rate> rate::parse(std::string_view text)
{
    const auto wrong =
        fail(errc::bad_request, "a rate is R or R:BURST, R from 0.001 to 1000000 a second, BURST from 1 to 1000000");
    const auto colon = text.find(':');
    const auto number = text.substr(0, colon);
    double per_second = 0;
    const auto [stop, problem] =
        std::from_chars(number.data(), number.data() + number.size(), per_second, std::chars_format::fixed);
    if (problem != std::errc() || stop != number.data() + number.size() || !(per_second >= 0.001 && per_second <= 1e6))
        return wrong;
    rate parsed{std::chrono::nanoseconds(std::llround(1e9 / per_second)),
                std::max<std::int64_t>(1, std::llround(per_second))};
    if (colon == std::string_view::npos)
        return parsed;
    const auto burst = parse_number<std::uint32_t>(text.substr(colon + 1));
    if (!burst || *burst < 1 || *burst > 1'000'000)
        return wrong;
    parsed.burst = *burst;
    return parsed;
}

std::size_t rate_limiter::hash::operator()(const key& of) const noexcept
{
    std::uint64_t halves[2];
    std::memcpy(halves, of.data(), sizeof halves);
    return mix(mix(halves[0] ^ seed) + halves[1]);
}

rate_limiter::rate_limiter(const rate& allowed, std::size_t places)
    : rate_(allowed),
      places_(std::max<std::size_t>(1, places / std::tuple_size_v<decltype(shards_)>)), hash_{random_seed()}
{
    for (auto& each : shards_)
        each = std::make_unique<shard>(hash_);
}

rate_limiter::verdict rate_limiter::take(const key& client, clock::time_point now)
{
    auto& in = *shards_[hash_(client) >> 60U];
    const std::lock_guard lock(in.mutex);
    const auto place = in.places.find(client);
    // A bucket is stored as the time at which it will be full: each request adds one interval.
    const auto full_at = std::max(now, place != in.places.end() ? place->second->first : in.newcomers);
    const auto then = full_at + rate_.interval;
    const auto most = now + rate_.interval * rate_.burst;
    if (then > most)
        return {false, 0, then - most};
    if (place == in.places.end())
    {
        remember(in, client, then, now);
    }
    else
    {
        auto node = in.order.extract(place->second);
        node.key() = then;
        place->second = in.order.insert(std::move(node));
    }
    return {true, (most - then) / rate_.interval, then - now};
}

void rate_limiter::remember(shard& in, const key& client, clock::time_point full, clock::time_point now)
{
    const auto forget_first = [&]
    {
        in.places.erase(in.order.begin()->second);
        in.order.erase(in.order.begin());
    };
    for (int i = 0; i < 2 && !in.order.empty() && in.order.begin()->first <= now; ++i)
        forget_first(); // two for each one added: after a flood the table shrinks
    if (in.places.size() >= places_)
    {
        in.newcomers = std::max(in.newcomers, in.order.begin()->first);
        forget_first();
    }
    in.places.emplace(client, in.order.emplace(full, client));
}

std::size_t rate_limiter::buckets() const
{
    std::size_t all = 0;
    for (const auto& each : shards_)
    {
        const std::lock_guard lock(each->mutex);
        all += each->places.size();
    }
    return all;
}

rate_limiter::key user_key(std::string_view user)
{
    std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
    SHA256(reinterpret_cast<const unsigned char*>(user.data()), user.size(), digest.data());
    rate_limiter::key shortened{};
    std::copy_n(digest.begin(), shortened.size(), shortened.begin());
    return shortened;
}

namespace
{

std::shared_ptr<rate_limiter> limiter_of(const std::optional<rate>& allowed,
                                         const std::shared_ptr<rate_limiter>& before)
{
    if (!allowed)
        return nullptr;
    return before && before->allowed() == *allowed ? before : std::make_shared<rate_limiter>(*allowed);
}

} // namespace

rate_limits::rate_limits(const rate_settings& settings, const rate_limits* before)
    : address(limiter_of(settings.address, before != nullptr ? before->address : nullptr)),
      user(limiter_of(settings.user, before != nullptr ? before->user : nullptr)),
      trusted_proxies(settings.trusted_proxies)
{
}

boost::system::result<void, request_failure> rate_check::count_address(const http_request& request)
{
    if (limits_ == nullptr || !limits_->address)
        return {};
    const auto client = client_of(request.peer, request.fields, limits_->trusted_proxies);
    return count("address", *limits_->address, client.counted().raw());
}

boost::system::result<void, request_failure> rate_check::count_user(std::string_view user)
{
    if (limits_ == nullptr || !limits_->user)
        return {};
    return count("user", *limits_->user, user_key(user));
}

boost::system::result<void, request_failure> rate_check::count(const char* policy, rate_limiter& by,
                                                               const rate_limiter::key& client)
{
    const auto& allowed = by.allowed();
    const auto outcome = by.take(client);
    const auto wait = std::max<std::int64_t>(1, seconds(outcome.wait));
    const auto named = std::string(policies_.empty() ? "" : ", ") + '"' + policy + "\";";
    policies_ += named + "q=" + std::to_string(allowed.burst) +
                 ";w=" + std::to_string(std::max<std::int64_t>(1, seconds(allowed.interval * allowed.burst)));
    state_ += named + "r=" + std::to_string(outcome.left) + ";t=" + std::to_string(wait);
    if (outcome.allowed)
        return {};
    request_failure refused(
        fail(errc::rate_limited, std::string("The rate allowed for this ") + policy + " is exceeded."));
    refused.fields.add("Retry-After", std::to_string(wait));
    return refused;
}

void rate_check::describe(http_fields& fields) const
{
    if (policies_.empty())
        return;
    fields.add("RateLimit-Policy", policies_);
    fields.add("RateLimit", state_);
}

} // namespace marquee
