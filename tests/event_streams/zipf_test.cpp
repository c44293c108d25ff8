// The generator writes the same on every machine.
#include "tools/replay/zipf.hpp"

#include <boost/test/unit_test.hpp>

#include <array>
#include <cstdlib>

using namespace marquee::replay;

BOOST_AUTO_TEST_SUITE(zipf)

BOOST_AUTO_TEST_CASE(the_random_numbers_are_splitmix64)
{
    random_numbers numbers(1234567); // the reference values of its authors
    for (const auto wanted : {6457827717110365317U, 3203168211198807973U, 9817491932198370423U, 4593380528125082431U})
        BOOST_TEST(numbers.next() == wanted);
}

BOOST_AUTO_TEST_CASE(rank_k_is_drawn_in_proportion_to_one_kth)
{
    random_numbers numbers(7);
    const zipf_ranks ranks(4);
    std::array<int, 5> drawn{};
    constexpr int draws = 100'000;
    for (int i = 0; i < draws; ++i)
        ++drawn.at(ranks.draw(numbers));
    BOOST_TEST(drawn[0] == 0);
    for (std::size_t rank = 1; rank <= 4; ++rank)
        BOOST_TEST(std::abs(drawn.at(rank) - draws * 12 / 25 / static_cast<int>(rank)) < 1000);
}

BOOST_AUTO_TEST_CASE(the_first_plays_are_these)
{
    zipf_plays plays({});
    BOOST_TEST(plays.next() == R"({"id":"zipf-1-0000001","asset":"10.5240/ZIPF-0145","user":"user00039@example.org",)"
                               R"("time":"2026-01-01T00:00:00.000Z"})");
    BOOST_TEST(plays.next() == R"({"id":"zipf-1-0000002","asset":"10.5240/ZIPF-0002","user":"user00318@example.org",)"
                               R"("time":"2026-01-01T00:00:00.010Z"})");
}

BOOST_AUTO_TEST_SUITE_END()
