#include "edge/http/csv.hpp"

#include <boost/test/unit_test.hpp>

using namespace marquee;

BOOST_AUTO_TEST_SUITE(csv)

BOOST_AUTO_TEST_CASE(an_id_is_one_cell_and_never_a_formula)
{
    const std::pair<std::string, std::string> rows[] = {
        {"123", "123"},
        {"10.5240/7791-8534", "10.5240/7791-8534"},
        {"Amélie", "Amélie"},
        {"two words", "\"two words\""},
        {"a,b", "\"a,b\""},
        {"a;b", "\"a;b\""},
        {"say \"hi\"", "\"say \"\"hi\"\"\""},
        {"=1+1", "\"'=1+1\""},
        {"=cmd|' /C calc'!A0", "\"'=cmd|' /C calc'!A0\""},
        {"+49", "\"'+49\""},
        {"-1", "\"'-1\""},
        {"@user", "\"'@user\""},
        {"'=1", "\"''=1\""},
        {"'", "\"''\""},
        {"rock 'n' roll", "\"rock 'n' roll\""},
        {"\xEF\xBC\x9D"
         "1",
         "\"'\xEF\xBC\x9D"
         "1\""},
        {"a=b", "a=b"},
    };
    for (const auto& [id, cell] : rows)
    {
        std::string text = "before,";
        append_csv_id(text, id);
        BOOST_TEST(text == "before," + cell);
    }
}

BOOST_AUTO_TEST_SUITE_END()
