// Slow connections of every kind, with normal plays among them.
#include "tests/end_to_end/load/endurance.hpp"
#include "tests/support/slow_clients.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <optional>

using namespace marquee::test;
using namespace std::chrono_literals;

namespace
{

const std::size_t connections = is_full() ? 10'000 : 300;
const int waves = is_full() ? 2 : 1; // few connections leave less than the allocator varies by
constexpr double most_bytes_each = 10 * 1024;

marquee_system::settings as_shipped_or_quicker()
{
    marquee_system::settings with;
    with.extra["edge"] = {"--max-connections", "15000", "--max-requests-per-connection",
                          "0"}; // the connections of the plays stay open
    if (!is_full())
        with.extra["edge"].insert(with.extra["edge"].end(), {"--header-timeout", "5s", "--body-timeout", "5s",
                                                             "--write-timeout", "5s", "--idle-timeout", "5s"});
    return with;
}

/// Plays at a steady rate, and the phases in which their times are measured.
class observed_plays
{
public:
    explicit observed_plays(const marquee_system& system) : stream_(std::in_place, at_ease(system))
    {
        wait(2 * a_second);
    }

    /// Adds a few phases from now on.
    std::vector<float> observe()
    {
        std::vector<float> phases;
        for (int i = 0; i < phases_at_once; ++i)
        {
            phases.push_back(stream_->now());
            wait(phase_plays);
        }
        return phases;
    }

    void finish()
    {
        stream_->stop();
        all_ = stream_->finish();
        stream_.reset(); // closes its connections
        BOOST_TEST(count(all_, is_played) == all_.size(), by_status(all_));
    }

    /// The p99 of each phase, the least first, after finish().
    [[nodiscard]] std::vector<double> p99s_ms(const std::vector<float>& phases) const
    {
        std::vector<double> each;
        for (const float begin : phases)
        {
            const float end = begin + static_cast<float>(phase_plays) / a_second;
            each.push_back(took_ms(
                all_, [=](const play_outcome& one) { return one.due >= begin && one.due < end; }, 0.99));
        }
        std::sort(each.begin(), each.end());
        return each;
    }

private:
    static constexpr std::uint64_t a_second = 500;
    static inline const int phases_at_once = is_full() ? 12 : 4; ///< shorter in all than the slow clients' timeouts
    static inline const std::uint64_t phase_plays = is_full() ? a_second / 2 : a_second / 4;

    static play_stream_settings at_ease(const marquee_system& system)
    {
        play_stream_settings with;
        with.port = system.port();
        with.rate = a_second;
        return with;
    }

    void wait(std::uint64_t plays) { BOOST_TEST_REQUIRE(stream_->wait_for_answers(stream_->answered() + plays)); }

    std::optional<play_stream> stream_; ///< until finish()
    outcomes all_;
};

/// The usage of the edge once it has about so many descriptors: the connection of the last request
/// may still be open.
usage usage_with(marquee_system& system, std::size_t descriptors)
{
    const auto end = std::chrono::steady_clock::now() + 60s;
    auto now = usage_of(system.at("edge").pid());
    while ((now.descriptors > descriptors + 1 || now.descriptors + 1 < descriptors) &&
           std::chrono::steady_clock::now() < end)
        now = usage_of(system.at("edge").pid());
    BOOST_TEST(now.descriptors <= descriptors + 1);
    BOOST_TEST(now.descriptors + 1 >= descriptors);
    return now;
}

} // namespace

BOOST_AUTO_TEST_SUITE(slow_connections)

BOOST_AUTO_TEST_CASE(thousands_of_slow_connections_cost_little_and_are_closed_by_their_timeouts)
{
    marquee_system system(as_shipped_or_quicker());
    const http_call put{
        "POST", "/content/asset/long", {}, R"({"title":"T","genre":"g","summary":")" + std::string(16000, 's') + "\"}"};
    BOOST_TEST(system.call_as_admin(put).status == 200);
    const auto alone = usage_without_clients(system)["edge"];
    observed_plays plays(system);
    const auto before = usage_of(system.at("edge").pid());
    std::vector<float> quiet;
    std::vector<float> among_slow;
    long first_wave = 0;
    for (int wave = 1; wave <= waves; ++wave)
    {
        const auto append = [](std::vector<float>& to, const std::vector<float>& phases)
        { to.insert(to.end(), phases.begin(), phases.end()); };
        append(quiet, plays.observe());
        slow_clients slow(system.port(), connections, "/content/asset/long");
        const auto held = usage_with(system, before.descriptors + connections);
        const auto each =
            1024.0 * static_cast<double>(held.resident_kib - before.resident_kib) / static_cast<double>(connections);
        append(among_slow, plays.observe());
        const auto left = slow.open();
        BOOST_TEST(slow.wait_until_closed(is_full() ? 180s : 60s), slow.open() << " are still open");
        const auto after = usage_with(system, before.descriptors);
        BOOST_TEST(after.threads == before.threads);
        BOOST_TEST_MESSAGE("wave " << wave << " of " << connections << " (" << left
                                   << " open to the end of the phases): " << each << " bytes each; before " << before
                                   << "; with them " << held << "; after " << after);
        if (plain_memory && wave == 1)
            BOOST_TEST(each <= most_bytes_each);
        if (plain_memory && wave > 1)
            BOOST_TEST(held.resident_kib <= first_wave + first_wave / 10,
                       "memory was left over: " << first_wave << " KiB");
        first_wave = held.resident_kib;
    }
    plays.finish();
    // Printed and not tested: with ten thousand connections some phases have a stall of 5 to 30 ms,
    // whose cause is not known.
    const auto disturbed = plays.p99s_ms(among_slow);
    const auto undisturbed = plays.p99s_ms(quiet);
    const auto half = quiet.size() / 2;
    BOOST_TEST_MESSAGE("p99 of plays in " << quiet.size() << " phases, median (least to most): " << disturbed[half]
                                          << " ms (" << disturbed.front() << " to " << disturbed.back()
                                          << ") among them, " << undisturbed[half] << " ms (" << undisturbed.front()
                                          << " to " << undisturbed.back() << ") without, ratio "
                                          << disturbed[half] / undisturbed[half]);
    const auto alone_again = usage_without_clients(system)["edge"];
    BOOST_TEST(alone_again.descriptors <= alone.descriptors + 1); // the connection of this request
    if (is_full()) // the allocator returns memory that is unused for ten seconds
    {
        play_stream_settings with;
        with.port = system.port();
        with.rate = 500;
        with.time = 30s;
        (void)play_stream(with).finish();
        BOOST_TEST_MESSAGE("half a minute later: " << usage_without_clients(system)["edge"]);
    }
    check_that_plays_are_counted(system);
}

BOOST_AUTO_TEST_SUITE_END()
