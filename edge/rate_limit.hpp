// Token buckets: how many requests a client may make, and what it is told about it.
#pragma once

#include "edge/client_address.hpp"
#include "edge/http.hpp"
#include "edge/status.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace marquee
{

/// A bucket holds `burst` requests at most and gains one every `interval`.
struct rate
{
    std::chrono::nanoseconds interval;
    std::int64_t burst;

    /// `R` or `R:BURST`: R requests a second, 0.001 to 1000000; without BURST a second's worth, and at least one. Fails with bad_request.
    [[nodiscard]] static result<rate> parse(std::string_view text);
};

/// The buckets of all clients. Exact across threads: one bucket is one place behind one mutex, and time is kept to the nanosecond.
///
/// Memory is bounded: at most `places` buckets are remembered. One that is full again says no more than one that never was, and goes. When all
/// places are taken by others, the fullest goes, and how full it was is remembered as the most any newcomer finds. So whoever is forgotten comes
/// back to a bucket no fuller than the one it left, and nobody ever gets more than its rate. It takes more than `places` times
/// the rate, from that many addresses, for newcomers to notice.
class rate_limiter
{
public:
    using clock = std::chrono::steady_clock;
    using key = std::array<std::uint8_t, 16>;

    struct verdict
    {
        bool allowed;
        std::int64_t left;             ///< requests that would be allowed now
        std::chrono::nanoseconds wait; ///< refused: until one is allowed; else until the bucket is full
    };

    explicit rate_limiter(const rate& allowed, std::size_t places = 65536);

    /// Takes one request out of the client's bucket. Refused ones cost nothing. Thread-safe.
    [[nodiscard]] verdict take(const key& client, clock::time_point now = clock::now());

    [[nodiscard]] const rate& allowed() const noexcept { return rate_; }
    [[nodiscard]] std::size_t remembered() const; ///< buckets. Thread-safe

private:
    struct hash
    {
        std::uint64_t seed;
        std::size_t operator()(const key& of) const noexcept;
    };
    /// Buckets by the time at which they are full: the fullest first.
    using by_time = std::multimap<clock::time_point, key>;
    struct shard
    {
        explicit shard(const hash& by) : places(0, by) {}
        std::mutex mutex;
        by_time order;
        std::unordered_map<key, by_time::iterator, hash> places;
        clock::time_point newcomers; ///< their buckets are full at this time, or now
    };

    void remember(shard& in, const key& client, clock::time_point full, clock::time_point now);

    rate rate_;
    std::size_t places_; ///< of a shard
    hash hash_;
    std::array<std::unique_ptr<shard>, 16> shards_;
};

/// The key of a user. SHA-256 keeps it short, and nobody can make two users share a bucket.
[[nodiscard]] rate_limiter::key user_key(std::string_view user);

struct rate_settings
{
    std::optional<rate> address;
    std::optional<rate> user;
    network_list trusted_proxies;
};

/// The limits of an edge, for all its threads.
struct rate_limits
{
    explicit rate_limits(const rate_settings& settings);

    std::optional<rate_limiter> address;
    std::optional<rate_limiter> user;
    network_list trusted_proxies;
};

/// What the limits say about one request. Lives as long as it is answered.
class rate_tally
{
public:
    explicit rate_tally(rate_limits* limits) noexcept : limits_(limits) {} ///< nullptr: no limits

    /// Counts a request for its address. Health, metrics and what browsers ask beforehand are never counted. Fails with rate_limited.
    [[nodiscard]] boost::system::result<void, request_failure> count_address(const http_request& request);

    /// Counts it for the user it names. Fails with rate_limited.
    [[nodiscard]] boost::system::result<void, request_failure> count_user(std::string_view user);

    /// Adds RateLimit and RateLimit-Policy (draft-ietf-httpapi-ratelimit-headers) where something was counted.
    void describe(http_fields& fields) const;

private:
    boost::system::result<void, request_failure> count(const char* policy, rate_limiter& by, const rate_limiter::key& client);

    rate_limits* limits_;
    std::string state_;
    std::string policies_;
};

} // namespace marquee
