// Counts that come by themselves: to whom, and when.
#include "services/reporting/counts_publisher.hpp"
#include "tests/integration/reporting/reporting_fixture.hpp"

using namespace marquee;
using namespace marquee::test;

namespace
{

/// A message that asks for its counts.
stored_message asking(const std::string& inbox, const std::string& instance, std::chrono::nanoseconds at = 100s,
                      std::uint64_t pending = 0)
{
    stored_message m;
    m.subject = "events";
    m.data = "a:u";
    m.timestamp = at;
    m.pending = pending;
    if (!inbox.empty())
        m.headers.set(names::header_counts_to, inbox);
    if (!instance.empty())
        m.headers.set(names::header_counts_from, instance);
    return m;
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(counts_publisher_, reporting_fixture)

BOOST_AUTO_TEST_CASE(counts_are_wanted_of_a_fresh_message_that_names_this_instance_and_an_inbox)
{
    const std::string inbox = hand->new_inbox();
    const struct
    {
        const char* what;
        stored_message m;
        bool serving;
        std::chrono::nanoseconds newest;
        bool wanted;
    } rows[] = {
        {"all as it should be", asking(inbox, "ME"), true, 100s, true},
        {"two seconds old", asking(inbox, "ME"), true, 102s, true},
        {"older", asking(inbox, "ME"), true, 102s + 1ns, false},
        {"stream time has run backwards", asking(inbox, "ME"), true, 50s, true},
        {"a thousand messages are pending", asking(inbox, "ME", 100s, 1000), true, 100s, true},
        {"more", asking(inbox, "ME", 100s, 1001), true, 100s, false},
        {"not serving", asking(inbox, "ME"), false, 100s, false},
        {"another instance", asking(inbox, "OTHER"), true, 100s, false},
        {"no instance", asking(inbox, ""), true, 100s, false},
        {"no inbox", asking("", "ME"), true, 100s, false},
        {"a subject of somebody", asking("victim", "ME"), true, 100s, false},
        {"a subject of JetStream", asking("$JS.API.STREAM.DELETE.EVENTS", "ME"), true, 100s, false},
        {"a subject that holds a protocol line", asking(inbox + " x\r\nPUB y 0", "ME"), true, 100s, false},
        {"every inbox", asking("_INBOX.>", "ME"), true, 100s, false},
    };
    for (const auto& row : rows)
        BOOST_TEST_CONTEXT(row.what)
        {
            counts_publisher publisher(*hand);
            publisher.set_instance("ME");
            publisher.begin(row.serving, row.newest);
            BOOST_TEST(publisher.wants(row.m) == row.wanted);
        }
}

BOOST_AUTO_TEST_CASE(one_message_from_the_future_does_not_end_the_counts_of_those_after_it)
{
    counts_publisher publisher(*hand);
    publisher.set_instance("ME");
    publisher.begin(true, std::chrono::hours(1000));
    publisher.begin(true, 100s);
    BOOST_TEST(publisher.wants(asking(hand->new_inbox(), "ME")));
}

BOOST_AUTO_TEST_CASE(nothing_is_wanted_before_the_instance_has_an_id)
{
    counts_publisher publisher(*hand);
    publisher.begin(true, 100s);
    BOOST_TEST(!publisher.wants(asking(hand->new_inbox(), "")));
}

BOOST_AUTO_TEST_CASE(the_named_instance_publishes_once_while_it_serves_and_its_replies_say_who_it_is)
{
    make_stream();
    auto reporting = launch();
    require_caught_up(reporting);
    const auto reply = ask("views", "a", "u");
    BOOST_REQUIRE(reply.has_value());
    const std::string instance(reply->headers.get(names::header_instance));
    BOOST_TEST(!instance.empty());

    std::vector<message> came;
    const auto inbox = hand->new_inbox();
    const auto listening = hand->subscribe(inbox, {}, [&](message m) { came.push_back(std::move(m)); }).value();
    const auto publish = [&](const std::string& from, const std::string& to)
    {
        header_list headers;
        headers.set(names::header_counts_from, from);
        headers.set(names::header_counts_to, to);
        const auto stored = wait(
            hand->requests().request(subjects::events(), "a:u\nno event\na:v", headers, deadline::in(20s)).receive());
        BOOST_REQUIRE(stored.has_value());
    };
    publish("OTHER", inbox);
    publish(instance, "victim");
    publish(instance, inbox);
    until([&] { return !came.empty(); });
    BOOST_TEST(came[0].data == "5 3\nbad_request\n6 3\n");
    BOOST_TEST(came[0].headers.get(names::header_instance) == instance);
    BOOST_TEST(views("a") == 6U); // a request after it: nothing else was published before the reply
    BOOST_TEST(came.size() == 1U);

    // Counted again from the start, none are sent: the messages are old, and it does not serve yet.
    stop(reporting);
    auto again = launch("two");
    require_caught_up(again);
    BOOST_TEST(views("a") == 6U);
    BOOST_TEST(came.size() == 1U);
    stop(again);
}

BOOST_AUTO_TEST_SUITE_END()
