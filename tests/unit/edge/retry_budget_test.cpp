#include "edge/retry_budget.hpp"

#include <boost/test/unit_test.hpp>

using marquee::retry_budget;

BOOST_AUTO_TEST_SUITE(retry_budgets)

BOOST_AUTO_TEST_CASE(ten_first_questions_pay_for_a_second_one_beyond_the_reserve)
{
    struct row
    {
        const char* name;
        int before;  ///< first questions that were answered
        int silent;  ///< and then those that were not: each would like a second
        int granted; ///< seconds
    };
    const row table[] = {
        {"one alone", 0, 1, 1},
        {"the reserve of a quiet system", 0, 10, 10},
        {"and one that the first ten earned", 0, 11, 11},
        {"from then on every tenth", 0, 12, 11},
        {"everything silent", 0, 1000, 110},
        {"everything silent for long", 0, 100'000, 10'010},
        {"silence after ninety answers", 90, 50, 24},
        {"half of what a thread has under way, after many answers", 10'000, 512, 512},
        {"no more than that is kept", 1'000'000, 700, 569},
    };
    for (const auto& [name, before, silent, granted] : table)
    {
        retry_budget budget;
        for (int i = 0; i < before; ++i)
            budget.earn();
        int seconds = 0;
        for (int i = 0; i < silent; ++i)
        {
            budget.earn();
            seconds += budget.spend() ? 1 : 0;
        }
        BOOST_TEST(seconds == granted, name << ": " << seconds << " instead of " << granted);
        BOOST_TEST(seconds <= (before + silent) / 10 + static_cast<int>(retry_budget::reserve));
    }
}

BOOST_AUTO_TEST_SUITE_END()
