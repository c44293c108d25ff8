// Places in the feed of views.
#include "schemas/live_place.hpp"

#include "tests/unit/schemas/kit.hpp"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <ostream>
#include <string>

using namespace marquee;

namespace
{

struct place_row
{
    const char* why;
    std::string text;
};

std::ostream& operator<<(std::ostream& out, const place_row& r) { return out << r.why; }

const place_row places[] = {
    {"an event", "01JDXAB-7-0"},
    {"a whole message", "01JDXAB-7"},
    {"before the first message", "0-0"},
    {"the greatest numbers", "0-18446744073709551615-18446744073709551614"},
    {"a long epoch", std::string(64, 'x') + "-1-1"},
};

const place_row no_places[] = {
    {"empty", ""},
    {"an epoch alone", "01JDXAB"},
    {"no epoch", "-7-0"},
    {"a character that no epoch has", "a.b-7-0"},
    {"an epoch that is too long", std::string(65, 'x') + "-1-1"},
    {"no sequence", "0--0"},
    {"no index", "0-7-"},
    {"a leading zero", "0-07-0"},
    {"a leading zero of the index", "0-7-00"},
    {"a sign", "0-+7-0"},
    {"a fourth part", "0-7-0-0"},
    {"a number that is too large", "0-18446744073709551616"},
    {"the index that stands for all", "0-1-18446744073709551615"},
    {"a line break", "0-7-0\n"},
};

} // namespace

BOOST_AUTO_TEST_SUITE(live_place_)

BOOST_DATA_TEST_CASE(a_place_comes_back, boost::unit_test::data::make(places), row)
{
    const auto place = live_place::parse(row.text);
    BOOST_TEST_REQUIRE(place.has_value());
    BOOST_TEST(place->text() == row.text);
}

BOOST_DATA_TEST_CASE(all_else_is_refused, boost::unit_test::data::make(no_places), row)
{
    BOOST_TEST(!live_place::parse(row.text).has_value());
}

BOOST_AUTO_TEST_CASE(a_whole_message_comes_after_each_of_its_events)
{
    BOOST_TEST((live_position{7, 5} < live_position{7}));
    BOOST_TEST((live_position{7} < live_position{8, 0}));
    BOOST_TEST((live_position{7, 0} < live_position{7, 1}));
}

BOOST_AUTO_TEST_CASE(the_epoch_is_what_can_stand_in_a_place)
{
    BOOST_TEST(live_epoch("01JDXAB") == "01JDXAB");
    BOOST_TEST(live_epoch("my-stream.7") == "mystream7");
    BOOST_TEST(live_epoch("") == "0");
    BOOST_TEST(live_epoch("--") == "0");
    BOOST_TEST(live_epoch(std::string(100, 'x')).size() == 64U);
}

BOOST_AUTO_TEST_CASE(no_id_on_either_side_says_nothing)
{
    BOOST_TEST(may_be_same_epoch("A", "A"));
    BOOST_TEST(may_be_same_epoch("A", "0"));
    BOOST_TEST(may_be_same_epoch("0", "A"));
    BOOST_TEST(!may_be_same_epoch("A", "B"));
}

BOOST_AUTO_TEST_SUITE_END()
