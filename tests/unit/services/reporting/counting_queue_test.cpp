// What is counted at once.
#include "services/reporting/counting_queue.hpp"

#include "tests/unit/services/kit.hpp"

using namespace marquee;
using namespace marquee::test;

BOOST_AUTO_TEST_SUITE(counting_queue_)

BOOST_AUTO_TEST_CASE(a_part_has_about_so_many_events_and_ends_with_a_correction)
{
    const auto admin = [](std::uint64_t sequence)
    {
        auto m = stored(sequence, R"({"erase":"u"})");
        m.subject = "events.admin";
        return m;
    };
    counting_queue queue;
    BOOST_TEST(queue.empty());
    BOOST_TEST(queue.take(10).empty());
    queue.add({stored(1, "a:u"), stored(2, "a:u\na:v\na:w"), stored(3, "a:u"), admin(4), admin(5)});
    queue.add({stored(6, "a:u")});
    BOOST_TEST(queue.events() == 8U);
    const auto next = [&](std::size_t events)
    {
        std::string sequences;
        for (const auto& each : queue.take(events))
            sequences += std::to_string(each.sequence);
        return sequences;
    };
    BOOST_TEST(next(2) == "12");
    queue.add({stored(7, "a:u")});
    BOOST_TEST(next(100) == "34");
    BOOST_TEST(next(100) == "5");
    BOOST_TEST(next(100) == "6");
    BOOST_TEST(next(100) == "7");
    BOOST_TEST(queue.empty());
    BOOST_TEST(queue.events() == 0U);
    queue.add({stored(8, "a:u"), admin(9), stored(10, "a:u")});
    const auto part = queue.take(100);
    queue.clear();
    BOOST_TEST(queue.empty());
    BOOST_TEST(part.back().sequence == 9U);
}

BOOST_AUTO_TEST_SUITE_END()
