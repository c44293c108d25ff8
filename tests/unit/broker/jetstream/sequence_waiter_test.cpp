#include "broker/jetstream/sequence_waiter.hpp"
#include "tests/support/run_coro.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/test/unit_test.hpp>

#include <map>
#include <string>

using namespace marquee;
using namespace marquee::test;
using namespace std::chrono_literals;

namespace
{

/// The stable name of a wait's error, or "ok".
template <class T>
std::string code_of(const result<T>& r)
{
    return r.has_error() ? std::string(name_of(r.error().code)) : "ok";
}

struct waiter_fixture
{
    asio::io_context io{1};
    sequence_waiter waiter{io.get_executor(), 3};
    std::map<std::string, std::string> ended; ///< by name: how the wait ended

    void begin(const std::string& name, std::uint64_t sequence, deadline until = deadline::in(20s))
    {
        asio::co_spawn(io, wait(name, sequence, until),
                       [](const std::exception_ptr& e)
                       {
                           if (e)
                               std::rethrow_exception(e);
                       });
        poll();
    }

    asio::awaitable<void> wait(std::string name, std::uint64_t sequence, deadline until)
    {
        auto waiting = waiter.wait(sequence, until);
        const auto outcome = co_await std::move(waiting);
        ended[name] = code_of(outcome);
    }

    void poll()
    {
        io.restart();
        io.poll();
    }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(sequence_waiter_waits, waiter_fixture)

BOOST_AUTO_TEST_CASE(what_is_counted_already_is_not_waited_for)
{
    waiter.applied(7);
    begin("now", 7);
    begin("anything", 0);
    BOOST_TEST(ended["now"] == "ok");
    BOOST_TEST(ended["anything"] == "ok");
    BOOST_TEST(waiter.waiting() == 0u);
}

BOOST_AUTO_TEST_CASE(a_batch_wakes_all_up_to_its_last_sequence_and_no_other)
{
    begin("five", 5);
    begin("six", 6);
    begin("seven", 7);
    BOOST_TEST(ended.empty());
    waiter.applied(6);
    poll();
    BOOST_TEST(ended.size() == 2u);
    BOOST_TEST(ended["five"] == "ok");
    BOOST_TEST(ended["six"] == "ok");
    BOOST_TEST(waiter.waiting() == 1u);
    waiter.applied(7);
    poll();
    BOOST_TEST(ended["seven"] == "ok");
}

BOOST_AUTO_TEST_CASE(an_applied_sequence_that_moves_back_is_waited_for_again)
{
    waiter.applied(9);
    BOOST_TEST(waiter.reached(9));
    waiter.applied(5); // nothing after it was written
    BOOST_TEST(!waiter.reached(6));
    begin("six", 6);
    begin("five", 5);
    BOOST_TEST(ended.size() == 1U);
    BOOST_TEST(ended["five"] == "ok");
    waiter.applied(6);
    poll();
    BOOST_TEST(ended["six"] == "ok");
}

BOOST_AUTO_TEST_CASE(the_deadline_ends_a_wait)
{
    const auto before = deadline::clock::now();
    begin("short", 5, deadline::in(30ms));
    begin("long", 5);
    io.restart();
    io.run_one_for(10s);
    while (ended.empty() && io.run_one_for(10s) > 0)
        ;
    BOOST_TEST((deadline::clock::now() - before >= 29ms));
    BOOST_TEST((deadline::clock::now() - before < 10s));
    BOOST_TEST(ended["short"] == "timeout");
    BOOST_TEST(ended.count("long") == 0u);
    waiter.applied(5);
    poll();
    BOOST_TEST(ended["long"] == "ok");
}

BOOST_AUTO_TEST_CASE(a_deadline_that_has_passed_ends_the_wait_at_once)
{
    begin("late", 5, deadline::in(-1s));
    poll();
    BOOST_TEST(ended["late"] == "timeout");
}

BOOST_AUTO_TEST_CASE(too_many_waits_are_refused_until_one_ends)
{
    for (const auto* name : {"a", "b", "c", "d"})
        begin(name, 5);
    BOOST_TEST(ended.size() == 1u);
    BOOST_TEST(ended["d"] == "overloaded");
    waiter.applied(5);
    poll();
    begin("e", 6);
    BOOST_TEST(ended.count("e") == 0u);
    waiter.applied(6);
    poll();
    BOOST_TEST(ended["e"] == "ok");
}

BOOST_AUTO_TEST_CASE(a_stop_ends_pending_and_later_waits)
{
    begin("before", 5);
    waiter.stop();
    poll();
    BOOST_TEST(ended["before"] == "stopping");
    begin("after", 5);
    BOOST_TEST(ended["after"] == "stopping");
}

BOOST_AUTO_TEST_CASE(a_wait_survives_its_waiter)
{
    auto gone = std::make_unique<sequence_waiter>(io.get_executor(), 3);
    std::string outcome;
    asio::co_spawn(
        io,
        [&]() -> asio::awaitable<void>
        {
            auto waiting = gone->wait(5, deadline::in(20s));
            const auto ended_with = co_await std::move(waiting);
            outcome = code_of(ended_with);
        },
        [](const std::exception_ptr&) {});
    poll();
    gone.reset();
    poll();
    BOOST_TEST(outcome == "stopping");
}

BOOST_AUTO_TEST_SUITE_END()
