#include "services/metadata/folding.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

using namespace marquee;

namespace
{

struct fold_row
{
    const char* what;
    std::string text;
    std::string folded;
};

const fold_row folds[] = {
    {"nothing", "", ""},
    {"ASCII", "The Thing (1982)", "the thing (1982)"},
    {"accents", "Été À la carte", "ete a la carte"},
    {"accents written apart", "E\u0301te\u0301", "ete"},
    {"capital letters of other scripts", "ΑΛΦΑ Война", "αλφα воина"},
    {"a sigma at the end of a word", "ΟΔΟΣ οδός", "οδοσ οδοσ"},
    {"a letter that is two", "Straße ﬁlm Ǆ", "strasse film dz"},
    {"letters with a stroke", "Łódź Smørrebrød Đorđe", "lodz smorrebrod dorde"},
    {"ligatures of words", "Œuvre Ætna Þór", "oeuvre aetna thor"},
    {"both kinds of i", "İstanbul ısı", "istanbul isi"},
    {"wide and circled forms", "ＦＩＬＭ ②", "film 2"},
    {"a soft hyphen, joiners and marks of direction", "a\u00ADb\u200Dc\u200Ed\u202Ee\u2066f", "abcdef"},
    {"a byte order mark inside", "a\uFEFFb", "ab"},
    {"points of Hebrew and Arabic", "שָׁלוֹם مُحَمَّد", "שלום محمد"},
    {"vowel signs of Devanagari stay", "हिन्दी", "हिन्दी"},
    {"vowels of Thai stay", "ผู้หญิง", "ผู้หญิง"},
    {"voicing marks of kana stay", "が", "か\u3099"},
    {"Hangul is taken apart", "한", "\u1112\u1161\u11AB"},
    {"emoji", "😀", "😀"},
    {"a non-character", "a\uFFFE", "a\uFFFE"},
};

struct words_row
{
    const char* text; ///< folded
    std::vector<std::string> words;
    std::vector<std::string> indexed;
    const char* key;
};

const words_row rows[] = {
    {"", {}, {}, ""},
    {" ?! ", {}, {}, ""},
    {"the thing", {"the", "thing"}, {"the", "thing"}, "the thing"},
    {"spider-man: no way",
     {"spider", "man", "no", "way"},
     {"spider", "man", "spiderman", "no", "way"},
     "spider man no way"},
    {"l'ete", {"l", "ete"}, {"l", "ete", "lete"}, "l ete"},
    {"m*a*s*h", {"m", "a", "s", "h"}, {"m", "a", "s", "h", "mash"}, "m a s h"},
    {"(500) days", {"500", "days"}, {"500", "days"}, "500 days"},
    {"  wall·e  ", {"wall", "e"}, {"wall", "e", "walle"}, "wall e"},
    {"千と千尋", {"千", "と", "千", "尋"}, {"千", "と", "千", "尋"}, "千と千尋"},
    {"か\u3099x", {"か\u3099", "x"}, {"か\u3099", "x"}, "か\u3099x"},
    {"2046年 b", {"2046", "年", "b"}, {"2046", "年", "b"}, "2046年 b"},
    {"हिन्दी", {"हिन्दी"}, {"हिन्दी"}, "हिन्दी"},
    {"a\u2003b\tc\nd", {"a", "b", "c", "d"}, {"a", "b", "c", "d"}, "a b c d"},
    {"♥ 😀", {}, {}, ""},
};

} // namespace

BOOST_AUTO_TEST_SUITE(folding)

BOOST_AUTO_TEST_CASE(case_accents_and_forms_of_a_character_do_not_count)
{
    for (const auto& row : folds)
        BOOST_TEST_CONTEXT(row.what)
        {
            BOOST_TEST(fold(row.text) == row.folded);
            BOOST_TEST(fold(row.folded) == row.folded); // folding twice changes nothing
        }
}

BOOST_AUTO_TEST_CASE(a_text_is_split_into_words)
{
    for (const auto& row : rows)
        BOOST_TEST_CONTEXT(row.text)
        {
            BOOST_TEST(words_of(row.text) == row.words, boost::test_tools::per_element());
            BOOST_TEST(indexed_words_of(row.text) == row.indexed, boost::test_tools::per_element());
            BOOST_TEST(sort_key_of(row.text, 256) == row.key);
        }
}

BOOST_AUTO_TEST_CASE(a_sort_key_ends_with_a_whole_character)
{
    BOOST_TEST(sort_key_of("abc def", 5) == "abc d");
    BOOST_TEST(sort_key_of("abc def", 4) == "abc");
    BOOST_TEST(sort_key_of("ab千x", 4) == "ab"); // what follows is left out too
    std::string longest;
    while (longest.size() < 1000)
        longest += "ﷺ";
    BOOST_TEST(sort_key_of(fold(longest), 256).size() <= 256u);
}

BOOST_AUTO_TEST_CASE(what_is_no_utf_8_and_floods_of_accents_are_folded_too)
{
    BOOST_TEST(!fold("a\xff\xed\xa0\x80z").empty());
    std::string flood = "a";
    for (int i = 0; i < 500; ++i)
        flood += i % 2 == 0 ? "\u0301" : "\u0323";
    BOOST_TEST(fold(flood + "b") == "ab");
    BOOST_TEST(words_of(fold("\u0301\u0301 x")) == std::vector<std::string>{"x"}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()
