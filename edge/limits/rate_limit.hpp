// Rate limits by token bucket, and the RateLimit fields of answers.
#pragma once

#include "edge/http/client_address.hpp"
#include "edge/http/http.hpp"
#include "edge/http/status.hpp"

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

    /// Reads `R` or `R:BURST`: R requests per second, 0.001 to 1000000; without BURST it is R, and
    /// at least 1. Fails with bad_request; the detail continues the name of an option.
    [[nodiscard]] static result<rate> parse(std::string_view text);

    friend bool operator==(const rate&, const rate&) = default;
};

/// The buckets of all clients, for all threads of the process. Exact across threads: each bucket is
/// behind a mutex, and time is kept to the nanosecond.
///
/// Memory is bounded by `places` buckets. A bucket that is full again is removed, because a new one
/// says the same. When all places are taken by others, the fullest bucket is removed, and new
/// clients start from then on with a bucket no fuller than that one was. So a client whose bucket
/// was removed never gets more than its rate. New clients notice only under more than `places`
/// times the rate, from that many addresses.
class rate_limiter
{
public:
    using clock = std::chrono::steady_clock;
    using key = std::array<std::uint8_t, 16>;

    struct verdict
    {
        bool allowed;
        std::int64_t left;             ///< requests that would be allowed now
        std::chrono::nanoseconds wait; ///< where refused, until one is allowed; else until the bucket is full
    };

    explicit rate_limiter(const rate& allowed, std::size_t places = 65536);

    /// Takes one request out of the client's bucket; a refused one takes nothing. Thread-safe.
    [[nodiscard]] verdict take(const key& client, clock::time_point now = clock::now());

    [[nodiscard]] const rate& allowed() const noexcept { return rate_; }
    [[nodiscard]] std::size_t buckets() const; ///< that are stored. Thread-safe

private:
    struct hash
    {
        std::uint64_t seed;
        std::size_t operator()(const key& of) const noexcept;
    };
    /// Buckets by the time at which they are full again: the fullest first.
    using by_time = std::multimap<clock::time_point, key>;
    struct shard
    {
        explicit shard(const hash& by) : places(0, by) {}
        std::mutex mutex;
        by_time order;
        std::unordered_map<key, by_time::iterator, hash> places;
        clock::time_point newcomers; ///< when buckets of new clients are full, unless that is past
    };

    void remember(shard& in, const key& client, clock::time_point full, clock::time_point now);

    rate rate_;
    std::size_t places_; ///< per shard
    hash hash_;
    std::array<std::unique_ptr<shard>, 16> shards_;
};

/// The key of a user: a part of its SHA-256, so that two users cannot be made to share a bucket.
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
    /// With `before` the buckets of a rate that has not changed are those of before, for both.
    explicit rate_limits(const rate_settings& settings, const rate_limits* before = nullptr);

    std::shared_ptr<rate_limiter> address; ///< null: no limit
    std::shared_ptr<rate_limiter> user;
    network_list trusted_proxies;
};

/// Applies the limits to one request, and describes them in its answer. Not thread-safe.
class rate_check
{
public:
    /// `limits` exist while the members that count are called; null: no limits.
    explicit rate_check(rate_limits* limits) noexcept : limits_(limits) {}

    /// Counts a request for its address. Fails with rate_limited.
    [[nodiscard]] boost::system::result<void, request_failure> count_address(const http_request& request);

    /// Counts the request for the user that it names. Fails with rate_limited.
    [[nodiscard]] boost::system::result<void, request_failure> count_user(std::string_view user);

    /// Adds RateLimit and RateLimit-Policy (draft-ietf-httpapi-ratelimit-headers) where something
    /// was counted.
    void describe(http_fields& fields) const;

private:
    boost::system::result<void, request_failure> count(const char* policy, rate_limiter& by,
                                                       const rate_limiter::key& client);

    rate_limits* limits_;
    std::string state_;
    std::string policies_;
};

} // namespace marquee
