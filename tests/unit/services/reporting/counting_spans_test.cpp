// Which counted messages have spans, and how many links these have.
#include "services/reporting/counting_spans.hpp"

#include "tests/support/span_list.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

using namespace marquee;
using namespace std::chrono_literals;

namespace
{

/// A message of so many events, each with a context of its own.
stored_message traced_views(std::size_t events)
{
    stored_message made;
    made.subject = "events";
    for (std::size_t i = 0; i < events; ++i)
    {
        auto context = make_trace();
        context.sampled = true;
        made.data += R"({"id":"e)" + std::to_string(i) +
                     R"(","asset":"a","user":"u","time":"2026-01-31T09:30:00Z","trace":")" +
                     format_traceparent(context) + "\"}\n";
    }
    made.sequence = 7;
    made.timestamp = std::chrono::system_clock::now().time_since_epoch();
    return made;
}

/// The numbers of links of the spans of a message, in order.
std::vector<std::size_t> links_of(const stored_message& m)
{
    span_list spans;
    record_counting({&m, 1}, span_record::clock::now());
    std::vector<std::size_t> all;
    for (const auto& each : spans.take())
        all.push_back(each->links.size());
    std::sort(all.begin(), all.end());
    return all;
}

using numbers = std::vector<std::size_t>;

} // namespace

BOOST_AUTO_TEST_SUITE(counting_spans)

BOOST_AUTO_TEST_CASE(each_traced_event_of_an_edges_message_has_its_link)
{
    BOOST_TEST(links_of(traced_views(1)) == numbers{1}, boost::test_tools::per_element());
    BOOST_TEST(links_of(traced_views(128)) == numbers{128}, boost::test_tools::per_element());
    BOOST_TEST(links_of(traced_views(200)) == (numbers{72, 128}), boost::test_tools::per_element());
    BOOST_TEST(links_of(traced_views(256)) == (numbers{128, 128}), boost::test_tools::per_element());
    span_list spans;
    const auto m = traced_views(200);
    record_counting({&m, 1}, span_record::clock::now());
    std::set<std::string> linked;
    for (const auto& each : spans.take())
    {
        for (const auto& to : each->links)
            linked.insert(span_id_text(to));
        const auto count = std::find_if(each->attributes.begin(), each->attributes.end(),
                                        [](const auto& one) { return one.first == "messaging.batch.message_count"; });
        BOOST_TEST_REQUIRE((count != each->attributes.end()));
        BOOST_TEST(std::get<std::int64_t>(count->second) == 200);
    }
    BOOST_TEST(linked.size() == 200U);
}

BOOST_AUTO_TEST_CASE(a_message_of_thousands_of_events_has_two_spans)
{
    BOOST_TEST(links_of(traced_views(5000)) == (numbers{128, 128}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(what_is_old_or_behind_or_not_traced_has_no_span)
{
    auto old = traced_views(1);
    old.timestamp -= 61s;
    BOOST_TEST(links_of(old).empty());
    auto behind = traced_views(1);
    behind.pending = 1001;
    BOOST_TEST(links_of(behind).empty());
    auto correction = traced_views(1);
    correction.subject = "events.admin";
    BOOST_TEST(links_of(correction).empty());
    BOOST_TEST(links_of(traced_views(0)).empty());
    const auto m = traced_views(1);
    record_counting({&m, 1}, span_record::clock::now()); // nobody exports
}

BOOST_AUTO_TEST_SUITE_END()
