#include "services/reporting/option_values.hpp"

#include <boost/lexical_cast.hpp>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <optional>
#include <vector>

using namespace marquee;

namespace
{

struct rule
{
    const char* text;
    std::optional<std::int64_t> value;
};

std::ostream& operator<<(std::ostream& out, const rule& r) { return out << '"' << r.text << '"'; }

/// As Boost.Program_options reads a value.
template <class T>
std::optional<T> read(const char* text)
{
    T value;
    if (!boost::conversion::try_lexical_convert(text, value))
        return std::nullopt;
    return value;
}

const std::vector<rule> durations = {
    {"0", 0},
    {"500ms", 500'000'000},
    {"90s", 90'000'000'000},
    {"15m", 900'000'000'000},
    {"24h", 86'400'000'000'000},
    {"7d", 604'800'000'000'000},
    {"", {}},
    {"24", 24'000'000'000},
    {"h", {}},
    {"-1h", {}},
    {"1.5h", {}},
    {"1 h", {}},
    {"1hour", {}},
    {"999999999d", {}},
    {"0h", 0},
};

const std::vector<rule> sizes = {
    {"1", 1},
    {"1000000", 1'000'000},
    {"512K", 524'288},
    {"64M", 67'108'864},
    {"10G", 10'737'418'240},
    {"0", {}},
    {"-1", {}},
    {"", {}},
    {"1T", {}},
    {"10GB", {}},
    {"9999999999999999999", {}},
    {"9999999999999G", {}},
};

const std::vector<rule> replicas = {{"1", 1},  {"3", 3},   {"5", 5},  {"0", {}},
                                    {"6", {}}, {"-1", {}}, {"x", {}}, {"3x", {}}};

} // namespace

BOOST_AUTO_TEST_SUITE(option_values)

BOOST_DATA_TEST_CASE(a_duration_is_a_number_and_a_unit_or_a_number_of_seconds, boost::unit_test::data::make(durations),
                     r)
{
    const auto value = read<duration_option>(r.text);
    BOOST_REQUIRE(value.has_value() == r.value.has_value());
    if (value)
        BOOST_TEST(value->value.count() == *r.value);
}

BOOST_DATA_TEST_CASE(a_size_is_a_number_and_perhaps_a_unit, boost::unit_test::data::make(sizes), r)
{
    const auto value = read<size_option>(r.text);
    BOOST_REQUIRE(value.has_value() == r.value.has_value());
    if (value)
        BOOST_TEST(value->value == *r.value);
}

BOOST_DATA_TEST_CASE(there_are_one_to_five_replicas, boost::unit_test::data::make(replicas), r)
{
    const auto value = read<replicas_option>(r.text);
    BOOST_REQUIRE(value.has_value() == r.value.has_value());
    if (value)
        BOOST_TEST(value->value == *r.value);
}

BOOST_AUTO_TEST_CASE(a_duration_is_shown_in_its_largest_whole_unit)
{
    for (const auto* text : {"500ms", "90s", "15m", "1h", "1d", "7d", "0ms"})
    {
        const auto value = read<duration_option>(text);
        BOOST_REQUIRE(value.has_value());
        BOOST_TEST(boost::lexical_cast<std::string>(*value) == text);
    }
}

BOOST_AUTO_TEST_SUITE_END()
