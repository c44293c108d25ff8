// What a program prints of its progress.
#include "broker/program/progress.hpp"

#include <boost/test/unit_test.hpp>

#include <limits>

using namespace marquee;

BOOST_AUTO_TEST_SUITE(progress)

BOOST_AUTO_TEST_CASE(it_says_count_share_rate_and_time_left)
{
    constexpr auto never = std::numeric_limits<double>::infinity();
    const progress_of rows{"rows", 1000};
    BOOST_TEST(progress_text({4550, 455, 1}, rows, 99.6, 0.2) == "4550 rows (45 %), 100/s, 1 s left");
    BOOST_TEST(progress_text({4550, 455, 1}, rows, 0, never) == "4550 rows (45 %), 0/s, waiting");
    BOOST_TEST(progress_text({0, 0, 1}, rows, 0, 0 * never) == "0 rows (0 %), 0/s, waiting");
    BOOST_TEST(progress_text({4550, 1001, 1}, rows, 5, 0) == "4550 rows (100 %), 5/s, 0 s left"); // it has grown
    BOOST_TEST(progress_text({4550, 455, 1}, {"events", 0}, 99.6, 0.2) == "4550 events, 100/s");
    BOOST_TEST(progress_text({4550, 455, 3}, {"events", 1000}, 5, 60) == "round 3, 4550 events (45 %), 5/s, 60 s left");
}

BOOST_AUTO_TEST_SUITE_END()
