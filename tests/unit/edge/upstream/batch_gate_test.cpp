// Whether views may travel together: old instances of reporting close the gate.
#include "edge/upstream/batch_gate.hpp"
#include "schemas/json.hpp"
#include "tests/support/captured_log.hpp"

#include <boost/test/unit_test.hpp>

using namespace marquee;
using namespace std::chrono_literals;

namespace
{

using clock_type = batch_gate::clock;

boost::json::object info(const std::string& text) { return read_object(text).value(); }

const auto current = info(R"({"id":"NEW","version":"2.0.0","metadata":{"event_lines":"yes","host":"a"}})");
const auto old_one = info(R"({"id":"OLD","version":"1.0.0","metadata":{"host":"a"}})");

} // namespace

BOOST_AUTO_TEST_SUITE(batch_gate_)

BOOST_AUTO_TEST_CASE(it_is_closed_until_it_has_looked_with_the_link_up)
{
    batch_gate gate;
    const auto now = clock_type::now();
    BOOST_TEST(!gate.open(now));
    gate.looked(false);
    BOOST_TEST(!gate.open(now));
    gate.add(current, now);
    gate.looked(true);
    BOOST_TEST(gate.open(now));
    BOOST_TEST(gate.old_instances().empty());
    gate.looked(false); // the link was lost: who has come meanwhile is not known
    BOOST_TEST(!gate.open(now));
}

BOOST_AUTO_TEST_CASE(an_instance_that_does_not_count_lines_closes_it_for_an_hour)
{
    for (const auto* text : {R"({"id":"OLD","version":"1.0.0"})", R"({"id":"OLD","metadata":{}})", "{}",
                             R"({"id":"OLD","metadata":{"event_lines":"no"}})", R"({"id":5,"metadata":["yes"]})",
                             R"({"metadata":{"event_lines":true}})"})
        BOOST_TEST_CONTEXT(text)
        {
            batch_gate gate;
            const auto now = clock_type::now();
            gate.add(current, now);
            gate.add(info(text), now);
            gate.looked(true);
            BOOST_TEST(!gate.open(now));
            BOOST_TEST(gate.old_instances().size() == 1U);
            gate.add(current, now + 1s);
            gate.looked(true);
            BOOST_TEST(gate.old_instances().empty());
            BOOST_TEST(!gate.open(now + 59min));
            BOOST_TEST(gate.open(now + 1h));
        }
}

BOOST_AUTO_TEST_CASE(an_old_instance_is_named_once_in_the_log_and_again_when_it_comes_back)
{
    test::captured_log log;
    batch_gate gate;
    const auto now = clock_type::now();
    for (int look = 0; look < 3; ++look)
    {
        gate.add(old_one, now);
        gate.add(old_one, now); // it answers twice
        gate.looked(true);
        BOOST_TEST(gate.old_instances() == std::vector<std::string>{"OLD 1.0.0"}, boost::test_tools::per_element());
    }
    gate.looked(true);
    gate.add(old_one, now);
    const auto text = log.text();
    std::size_t lines = 0;
    for (std::size_t at = 0; (at = text.find("instance=\"OLD 1.0.0\"", at)) != std::string::npos; ++at)
        ++lines;
    BOOST_TEST(lines == 2U);
}

BOOST_AUTO_TEST_SUITE_END()
