#include "edge/upstream/retry_budget.hpp"

#include <boost/test/unit_test.hpp>

using marquee::retry_budget;

BOOST_AUTO_TEST_SUITE(retry_budgets)

BOOST_AUTO_TEST_CASE(ten_first_attempts_earn_one_retry_beyond_the_reserve)
{
    struct row
    {
        const char* name;
        int before;  ///< first attempts that were answered
        int silent;  ///< then first attempts without an answer: each requests a retry
        int granted; ///< retries
    };
    const row table[] = {
        {"a single retry", 0, 1, 1},
        {"the initial reserve", 0, 10, 10},
        {"one more, earned by the first ten", 0, 11, 11},
        {"then one in ten", 0, 12, 11},
        {"no answers", 0, 1000, 110},
        {"no answers for long", 0, 100'000, 10'010},
        {"no answers after ninety", 90, 50, 24},
        {"half of the requests in flight of a thread, after many answers", 10'000, 512, 512},
        {"the saved retries are limited", 1'000'000, 700, 569},
    };
    for (const auto& [name, before, silent, granted] : table)
    {
        retry_budget budget;
        for (int i = 0; i < before; ++i)
            budget.earn();
        int retries = 0;
        for (int i = 0; i < silent; ++i)
        {
            budget.earn();
            retries += budget.spend() ? 1 : 0;
        }
        BOOST_TEST(retries == granted, name << ": " << retries << " instead of " << granted);
        BOOST_TEST(retries <= (before + silent) / 10 + static_cast<int>(retry_budget::initial_retries));
    }
}

BOOST_AUTO_TEST_SUITE_END()
