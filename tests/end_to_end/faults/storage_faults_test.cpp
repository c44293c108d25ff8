// A full stream and full disks: plays are answered, no acknowledged view is lost, and free space
// suffices for recovery.
#include "tests/support/blocking_nats.hpp"
#include "tests/support/disk.hpp"
#include "tests/support/marquee_system.hpp"

#include <boost/json/serialize.hpp>
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <csignal>
#include <fstream>

using namespace marquee;
using namespace marquee::test;
using namespace std::chrono_literals;

namespace
{

constexpr const char* no_mount = "skipped: mounting is not permitted here";
constexpr auto fast = 1500ms; ///< statistics may take half a second; the rest is for a slow machine
constexpr auto recovery = 5s;

const auto stream_update = subject::of({"$JS", "API", "STREAM", "UPDATE", "EVENTS"});
const auto stream_info = subject::of({"$JS", "API", "STREAM", "INFO", "EVENTS"});
const auto stream_purge = subject::of({"$JS", "API", "STREAM", "PURGE", "EVENTS"});

/// Plays, and counts the acknowledgements.
struct player
{
    /// Waits until the edge finds every service.
    explicit player(const marquee_system& on) : marquee(on)
    {
        for (const auto* target : {"/content/asset/123", "/events/top"})
            BOOST_TEST_REQUIRE(marquee.call_until(200, {"GET", target}).status == 200);
    }

    const marquee_system& marquee;
    std::uint64_t tried = 0;
    std::uint64_t acknowledged = 0; ///< the answer says that the view is stored

    /// What is degraded: "", "events" or "reporting".
    std::string play()
    {
        const auto started = std::chrono::steady_clock::now();
        ++tried;
        const auto answer = marquee.call({"POST", "/play/asset/123/user/" + std::to_string(tried % 50)});
        const auto took = std::chrono::steady_clock::now() - started;
        BOOST_REQUIRE_MESSAGE(answer.status == 200, answer.body);
        BOOST_TEST(answer.text("title") == "It");
        const auto body = answer.json().as_object();
        const std::string degraded(body.contains("degraded") ? body.at("degraded").at(0).as_string().c_str() : "");
        BOOST_TEST(body.at("assetviews").is_null() == !degraded.empty());
        if (!degraded.empty())
            BOOST_TEST((took < fast), degraded << " after " << std::chrono::duration<double>(took).count() << " s");
        acknowledged += degraded == "events" ? 0 : 1;
        return degraded;
    }

    /// Plays until one is degraded, at most so many.
    std::string play_until_degraded(int most)
    {
        for (int i = 0; i < most; ++i)
            if (auto degraded = play(); !degraded.empty())
                return degraded;
        return {};
    }

    /// Plays until one has its counts, and prints after how long.
    void require_recovery()
    {
        const auto started = std::chrono::steady_clock::now();
        while (!play().empty())
            BOOST_REQUIRE((std::chrono::steady_clock::now() < started + 4 * recovery));
        const std::chrono::duration<double> took = std::chrono::steady_clock::now() - started;
        BOOST_TEST_MESSAGE("a whole answer again after " << took.count() << " s");
        BOOST_TEST((took < recovery));
        for (int i = 0; i < 20; ++i)
            BOOST_TEST(play() == "");
    }

    std::uint64_t views()
    {
        return static_cast<std::uint64_t>(marquee.call({"GET", "/events/asset/123"}).number("views"));
    }

    /// Checks that every acknowledged view is counted, and none that was not attempted.
    void require_exact()
    {
        BOOST_TEST(play() == "");
        const auto counted = views();
        BOOST_TEST_MESSAGE("tried " << tried << ", acknowledged " << acknowledged << ", counted " << counted);
        BOOST_TEST(counted >= acknowledged);
        BOOST_TEST(counted <= tried);
    }
};

/// Stores large events to fill a disk; false when one was refused.
bool store_ballast(blocking_nats& nats, std::size_t events, std::size_t bytes)
{
    const auto to = subjects::events();
    std::vector<pending_reply> acks;
    for (std::size_t i = 0; i < events; ++i)
        acks.push_back(nats.send(to, std::string(bytes, '.')));
    bool all = true;
    for (auto& ack : acks)
    {
        const auto reply = nats.wait(ack.receive());
        all = all && reply.has_value() && reply->data.find("\"error\"") == std::string::npos;
    }
    return all;
}

} // namespace

BOOST_AUTO_TEST_SUITE(storage_faults)

BOOST_AUTO_TEST_CASE(a_full_stream_degrades_plays_until_it_may_grow_or_is_purged)
{
    marquee_system::settings with;
    with.extra["reporting"] = {"--max-bytes", "16K"};
    marquee_system marquee(with);
    player viewer(marquee);
    blocking_nats nats(marquee.broker().url());

    BOOST_TEST_REQUIRE(viewer.play_until_degraded(500) == "events");
    for (int i = 0; i < 10; ++i)
        BOOST_TEST(viewer.play() == "events");
    BOOST_TEST(viewer.views() == viewer.acknowledged); // what was refused is not counted
    auto config = nats.api(stream_info).at("config").as_object();
    BOOST_TEST(nats.api(stream_info).at("state").at("messages") == viewer.acknowledged);
    config["max_bytes"] = 32 * 1024;
    nats.api(stream_update, boost::json::serialize(config));
    viewer.require_recovery();

    BOOST_REQUIRE(viewer.play_until_degraded(500) == "events");
    nats.api(stream_purge, R"({"keep":3})");
    viewer.require_recovery();
    viewer.require_exact();
    BOOST_TEST(viewer.views() == viewer.acknowledged);
    for (const auto* name : {"metadata", "cdnurl", "reporting", "edge"})
        BOOST_TEST(marquee.at(name).running());
}

BOOST_AUTO_TEST_CASE(a_full_disk_of_the_broker_degrades_plays_until_there_is_room)
{
    marquee_system::settings with;
    with.start = {};
    marquee_system marquee(with);
    marquee.broker().stop();
    const auto store = disk::in_memory(marquee.broker().store(), 96 << 20);
    if (!store)
    {
        BOOST_TEST_MESSAGE(no_mount);
        return;
    }
    marquee.broker().restart();
    for (const auto* name : {"metadata", "cdnurl", "reporting", "edge"})
        marquee.start(name);
    player viewer(marquee);
    blocking_nats nats(marquee.broker().url());
    for (int i = 0; i < 20; ++i)
        BOOST_TEST(viewer.play() == "");

    for (int round = 0; round < 2; ++round)
    {
        store->fill(round == 0 ? 0 : 64 << 10); // at once, and in the middle of writing
        (void)store_ballast(nats, 64, 4096);
        BOOST_REQUIRE(viewer.play_until_degraded(2000) == "events");
        for (int i = 0; i < 5; ++i)
            (void)viewer.play(); // a small one may still fit
        store->free_again();
        viewer.require_recovery();
    }
    viewer.require_exact();
    for (const auto* name : {"metadata", "cdnurl", "reporting", "edge"})
        BOOST_TEST(marquee.at(name).running());

    // The store is intact: restarts of the broker and of reporting lose nothing.
    marquee.stop("reporting");
    marquee.broker().kill();
    marquee.broker().restart();
    BOOST_TEST_REQUIRE(marquee.call_until(200, {"GET", "/content/asset/123"}).status == 200);
    marquee.launch("reporting-2"); // with an empty database
    BOOST_TEST_REQUIRE(marquee.at("reporting-2").wait_for_line("caught up", 60s).has_value());
    viewer.require_recovery();
    viewer.require_exact();
    marquee.stop("reporting-2");
}

BOOST_AUTO_TEST_CASE(a_full_disk_of_reporting_degrades_plays_until_there_is_room_and_no_count_is_wrong)
{
    marquee_system::settings with;
    with.start = {"metadata", "cdnurl", "edge"};
    marquee_system marquee(with);
    const auto databases = disk::in_memory(marquee.folder(), 48 << 20);
    if (!databases)
    {
        BOOST_TEST_MESSAGE(no_mount);
        return;
    }
    marquee.start("reporting");
    player viewer(marquee);
    blocking_nats nats(marquee.broker().url());
    for (int i = 0; i < 20; ++i)
        BOOST_TEST(viewer.play() == "");

    databases->fill(0);
    std::vector<pending_reply> acks;
    const auto to = subjects::events();
    for (int i = 0; i < 3000; ++i) // more than the database's last pages hold
        acks.push_back(nats.send(to, "other-" + std::to_string(i) + ":u-" + std::to_string(i)));
    for (auto& ack : acks)
        BOOST_REQUIRE(nats.wait(ack.receive()).has_value());
    const auto told = marquee.at("reporting").wait_for_line("disk is full", 30s);
    BOOST_REQUIRE_MESSAGE(told, marquee.at("reporting").output());
    BOOST_TEST(told->find(" error ") != std::string::npos, *told);
    BOOST_TEST(told->find(marquee.database().string()) != std::string::npos, *told);
    // Stored, counted later; also while it retries, which it does every second.
    for (const auto end = std::chrono::steady_clock::now() + 2200ms; std::chrono::steady_clock::now() < end;)
        BOOST_TEST_REQUIRE(viewer.play() == "reporting");

    auto& second = marquee.launch("reporting-2"); // starts on the full disk
    BOOST_TEST(second.wait(30s).value_or(-1) == 1, second.output());
    BOOST_TEST(second.output().find(marquee.database("reporting-2").string()) != std::string::npos, second.output());

    databases->free_again();
    viewer.require_recovery();
    viewer.require_exact();
    BOOST_TEST(viewer.views() == viewer.acknowledged);
    marquee.start("reporting-2");
    BOOST_TEST(marquee.stop("reporting") == 0);
    viewer.require_recovery();
    BOOST_TEST(viewer.views() == viewer.acknowledged);
    BOOST_TEST(marquee.call({"GET", "/events/asset/other-2999"}).number("views") == 1);
    BOOST_TEST(marquee.stop("reporting-2") == 0);
}

BOOST_AUTO_TEST_SUITE_END()
