// What reporting is asked for, for live streams.
#include "edge/upstream/live_source.hpp"

#include "schemas/base32_sha256.hpp"
#include "tests/support/fake_requester.hpp"
#include "tests/support/run_coro.hpp"

#include <boost/test/unit_test.hpp>

using namespace marquee;
using namespace marquee::test;
using namespace std::chrono_literals;

namespace
{

constexpr auto live_subject = "reporting.live";

live_source::settings fast()
{
    live_source::settings with;
    with.flush = 1ms;
    with.pause = 1ms;
    with.first_retry = 1ms;
    with.last_retry = 5ms;
    with.heartbeat_part = 5ms;
    return with;
}

struct source_fixture
{
    asio::io_context io{1};
    fake_requester nats{io.get_executor()};
    worker_metrics counted{std::span<const route_label>()};
    service_client services{nats, nats, counted};
    std::shared_ptr<live_hub> hub = std::make_shared<live_hub>(counted.live());
    live_source source{io, *hub, services, fast()};

    /// Its coroutines end with the last client.
    ~source_fixture()
    {
        io.restart();
        io.run_for(2s);
    }

    std::shared_ptr<live_client> add(live_filter filter, const std::string& after)
    {
        return hub->add(std::move(filter), live_place::parse(after), nullptr);
    }

    void script(const std::string& reply) { nats.script_json(live_subject, reply); }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(live_source_, source_fixture)

BOOST_AUTO_TEST_CASE(a_client_that_catches_up_gets_what_its_filter_takes)
{
    script(R"({"views":[],"next":"E-100"})");
    script(R"({"views":[{"id":"E-2-0","asset":"a","user":"u","time":"2026-01-31T09:30:00Z"},)"
           R"({"id":"E-3-0","asset":"b","user":"u","time":"2026-01-31T09:30:00Z"},)"
           R"({"id":"E-4-0","asset":"a","user":"v","time":"2026-01-31T09:30:00Z"}],"next":"E-4-0"})");
    {
        const auto client = add({"a", {}, false}, "E-1");
        run_until(io, [&] { return nats.seen.size() >= 2; });
        BOOST_TEST(nats.seen[0].payload == R"({"limit":1000})");
        BOOST_TEST(nats.seen[1].payload == R"({"after":"E-1","limit":1000})");
        run_until(io, [&] { return !client->has_taken_all(); });
        const auto text = client->next();
        BOOST_TEST(text.find("E-2-0") != std::string::npos);
        BOOST_TEST(text.find("E-3-0") == std::string::npos); // of another asset
        BOOST_TEST(text.find("E-4-0") != std::string::npos);
        BOOST_TEST(text.find("user") == std::string::npos); // it may not know
    }
}

BOOST_AUTO_TEST_CASE(who_catches_up_is_named_what_its_filter_may_name)
{
    const std::string reply = R"({"views":[{"id":"E-2-0","asset":"a","user":"u","time":"2026-01-31T09:30:00Z"},)"
                              R"({"id":"E-3-0","asset":"b","user":"v","time":"2026-01-31T09:30:00Z"}],"next":"E-3-0"})";
    script(R"({"views":[],"next":"E-100"})");
    script(reply);
    script(reply);
    const auto self = add({{}, "u", true}, "E-1");
    const auto anybody = add({{}, {}, false}, "E-1");
    run_until(io, [&] { return !self->has_taken_all() && !anybody->has_taken_all(); });
    const auto own = self->next();
    BOOST_TEST(own.find("\"user\":\"u\"") != std::string::npos);
    BOOST_TEST(own.find("E-3-0") == std::string::npos);
    const auto all = anybody->next();
    BOOST_TEST(all.find("E-2-0") != std::string::npos);
    BOOST_TEST(all.find("E-3-0") != std::string::npos);
    BOOST_TEST(all.find("user") == std::string::npos);
}

/// After a restart reporting knows hashes of those who were erased before.
BOOST_AUTO_TEST_CASE(views_of_users_who_are_erased_leave_the_ring_also_where_a_hash_is_all_that_is_known)
{
    const auto view = [](const std::string& place, const std::string& user)
    {
        return R"({"id":")" + place + R"(","asset":"a","user":")" + user +
               R"(","time":"2026-01-31T09:30:00Z","assetviews":1,"userviews":1})";
    };
    script(R"({"views":[],"next":"E-1"})");
    script(R"({"views":[)" + view("E-2-0", "u") + ',' + view("E-3-0", "v") + ',' + view("E-5-0", "u") +
           R"(],"next":"E-5"})");
    script(R"({"views":[)" + view("E-6-0", "v") + R"(],"next":"E-6","erased_before":[{"hash":")" + base32_sha256("u") +
           R"(","sequence":4}]})");
    const auto client = add({{}, {}, true}, "E-1");
    run_until(io, [&] { return hub->next() && hub->next()->text() == "E-6"; });
    const auto late = add({{}, {}, true}, "E-1");
    std::string text;
    run_until(io,
              [&]
              {
                  text += late->next();
                  return text.find("E-6-0") != std::string::npos;
              });
    BOOST_TEST(text.find("E-2-0") == std::string::npos);
    BOOST_TEST(text.find("E-3-0") != std::string::npos);
    BOOST_TEST(text.find("E-5-0") != std::string::npos); // of a new user
}

BOOST_AUTO_TEST_SUITE_END()
