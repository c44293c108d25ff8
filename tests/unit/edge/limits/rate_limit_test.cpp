#include "edge/limits/rate_limit.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <atomic>
#include <random>
#include <thread>
#include <vector>

using namespace marquee;
using namespace std::chrono_literals;
using clock_type = rate_limiter::clock;

namespace
{

rate per_second(const std::string& text) { return rate::parse(text).value(); }

rate_limiter::key key_of(std::uint32_t number)
{
    rate_limiter::key key{};
    for (std::size_t i = 0; i < 4; ++i)
        key[i] = static_cast<std::uint8_t>(number >> (8 * i));
    return key;
}

} // namespace

BOOST_AUTO_TEST_SUITE(rate_limits_)

BOOST_AUTO_TEST_CASE(a_rate_is_a_number_and_perhaps_a_burst)
{
    const std::tuple<const char*, std::chrono::nanoseconds, std::int64_t> table[] = {
        {"1", 1s, 1},   {"10", 100ms, 10},     {"10:50", 100ms, 50},
        {"0.5", 2s, 1}, {"0.001:3", 1000s, 3}, {"1000000:1", 1us, 1}};
    for (const auto& [text, interval, burst] : table)
        BOOST_TEST_CONTEXT(text)
        {
            BOOST_TEST((per_second(text).interval == interval));
            BOOST_TEST(per_second(text).burst == burst);
        }
    for (const auto* text : {"", "0", "-1", "x", "1:", ":1", "1:0", "1:-1", "1:1.5", "1:2:3", "1e3", "0.0001",
                             "1000001", "nan", "inf", "1 ", "1:1000001", "0x10", "1/s"})
        BOOST_TEST_CONTEXT(text) { BOOST_TEST((rate::parse(text).error() == errc::bad_request)); }
}

BOOST_AUTO_TEST_CASE(a_bucket_gives_its_burst_and_then_its_rate)
{
    rate_limiter limiter(per_second("10:3"));
    const auto start = clock_type::now();
    const auto client = key_of(1);
    for (std::int64_t left = 2; left >= 0; --left)
    {
        const auto said = limiter.take(client, start);
        BOOST_TEST(said.allowed);
        BOOST_TEST(said.left == left);
        BOOST_TEST((said.wait == (3 - left) * 100ms)); // until it is full
    }
    auto said = limiter.take(client, start);
    BOOST_TEST(!said.allowed);
    BOOST_TEST((said.wait == 100ms));
    BOOST_TEST(limiter.take(key_of(2), start).allowed); // another's bucket
    said = limiter.take(client, start + 99ms);
    BOOST_TEST(!said.allowed); // refused ones have cost nothing
    BOOST_TEST((said.wait == 1ms));
    BOOST_TEST(limiter.take(client, start + 100ms).allowed);
    BOOST_TEST(!limiter.take(client, start + 100ms).allowed);
    BOOST_TEST(limiter.take(client, start + 1h).left == 2); // never more than the burst
}

BOOST_AUTO_TEST_CASE(no_client_gets_more_than_its_rate_however_many_others_there_are)
{
    // Far more clients than places, some hot, some seen once; each one's requests are counted
    // against what a bucket of its own would allow.
    const auto allowed = per_second("2:5");
    rate_limiter limiter(allowed, 64);
    std::mt19937 random(7);
    const auto start = clock_type::now();
    std::map<std::uint32_t, std::vector<clock_type::time_point>> taken;
    for (int i = 0; i < 200'000; ++i)
    {
        const auto now = start + i * 100us; // 20 seconds
        const std::uint32_t client = random() % 4 == 0 ? random() % 8 : 1000 + random() % 5000;
        if (limiter.take(key_of(client), now).allowed)
            taken[client].push_back(now);
        BOOST_TEST_REQUIRE(limiter.buckets() <= 64U);
    }
    for (const auto& [client, times] : taken)
        for (std::size_t from = 0; from < times.size(); ++from)
            for (std::size_t to = from; to < times.size(); ++to)
            {
                const auto most = allowed.burst + (times[to] - times[from]) / allowed.interval;
                if (static_cast<std::int64_t>(to - from + 1) > most)
                    BOOST_FAIL("client " << client << " got " << to - from + 1 << " instead of " << most);
            }
}

BOOST_AUTO_TEST_CASE(a_hot_client_stays_refused_through_a_flood_of_others)
{
    rate_limiter limiter(per_second("0.001:2"), 32);
    const auto now = clock_type::now();
    const auto hot = key_of(0);
    BOOST_TEST(limiter.take(hot, now).allowed);
    BOOST_TEST(limiter.take(hot, now).allowed);
    for (std::uint32_t other = 1; other < 10'000; ++other)
    {
        (void)limiter.take(key_of(other), now);
        BOOST_TEST_REQUIRE(!limiter.take(hot, now).allowed);
    }
    BOOST_TEST(limiter.buckets() <= 32U);
}

BOOST_AUTO_TEST_CASE(buckets_that_are_full_again_are_removed)
{
    rate_limiter limiter(per_second("1000"), 1024);
    const auto now = clock_type::now();
    for (std::uint32_t each = 0; each < 800; ++each)
        BOOST_TEST(limiter.take(key_of(each), now).allowed);
    const auto before = limiter.buckets();
    for (std::uint32_t each = 10'000; each < 10'400; ++each)
        BOOST_TEST(limiter.take(key_of(each), now + 1s).left == 999);
    BOOST_TEST(limiter.buckets() < before);
}

BOOST_AUTO_TEST_CASE(threads_share_buckets_exactly)
{
    rate_limiter limiter(per_second("0.001:1000"));
    std::atomic<int> allowed = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i)
        threads.emplace_back(
            [&]
            {
                for (std::uint32_t each = 0; each < 2000; ++each)
                    allowed += limiter.take(key_of(each % 2)).allowed ? 1 : 0;
            });
    for (auto& each : threads)
        each.join();
    BOOST_TEST(allowed == 2000); // two clients with 1000 each
}

BOOST_AUTO_TEST_CASE(each_user_has_its_own_key)
{
    BOOST_TEST((user_key("a") != user_key("b")));
    BOOST_TEST((user_key(std::string(128, 'x') + "1") != user_key(std::string(128, 'x') + "2")));
    BOOST_TEST((user_key("a") == user_key("a")));
}

BOOST_AUTO_TEST_SUITE_END()
