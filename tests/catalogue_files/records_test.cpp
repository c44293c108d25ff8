#include "tools/catalogue/cells.hpp"
#include "tools/catalogue/raw_json.hpp"
#include "tools/catalogue/record_change.hpp"
#include "tools/catalogue/seen_ids.hpp"

#include <boost/test/unit_test.hpp>

#include <optional>
#include <string>
#include <tuple>
#include <vector>

using namespace marquee;
using namespace marquee::catalogue_files;

namespace
{

title_member cell(const std::string& name, const std::string& text, cell_kind kind = cell_kind::text)
{
    return {name, value_of_cell(text, kind, "|").value(), text, true};
}

title_member value(const std::string& name, const std::string& raw) { return {name, raw, {}, false}; }

struct change_row
{
    const char* why;
    std::optional<std::string> standing;
    std::vector<title_member> members;
    std::string body; ///< `equal`: nothing is put
};

const change_row changes[] = {
    {"a new record has the three texts first",
     {},
     {cell("year", "1999"), cell("title", "It"), cell("x", "")},
     R"({"title":"It","genre":"","summary":"","year":"1999"})"},
    {"nothing stands, and nothing is said", {}, {cell("title", ""), cell("x", "")}, "equal"},
    {"what is equal is not put",
     R"({"id":"5","title":"It","genre":"","summary":"","year":"1999"})",
     {cell("title", "It"), cell("year", "1999"), cell("genre", ""), cell("x", "")},
     "equal"},
    {"what the row does not have stays",
     R"({"id":"5","title":"It","genre":"g","summary":"s","a":[1, 2],"b":1.50})",
     {cell("title", "Is")},
     R"({"title":"Is","genre":"g","summary":"s","a":[1, 2],"b":1.50})"},
    {"an empty cell takes a member away",
     R"({"id":"5","title":"It","genre":"g","summary":"s","a":1,"b":2})",
     {cell("genre", ""), cell("a", "")},
     R"({"title":"It","genre":"","summary":"s","b":2})"},
    {"what an export writes for a value is equal to it",
     R"({"id":"5","title":"It","genre":"","summary":"","n":1999,"t":["a","b"],"o":{"x":1},"z":null,"e":"","l":[]})",
     {cell("n", "1999"), cell("t", "a|b"), cell("o", "{\"x\":1}"), cell("z", ""), cell("e", ""), cell("l", "")},
     "equal"},
    {"a type that is named is another value",
     R"({"id":"5","title":"It","genre":"","summary":"","n":"1999"})",
     {value("n", "1999")},
     R"({"title":"It","genre":"","summary":"","n":1999})"},
    {"JSON is equal however it is written",
     R"({"id":"5","title":"\u0049t","genre":"","summary":"","o":{"a":1,"b":[true]}})",
     {value("o", R"({ "b":[ true ],"a":1})"), value("title", "\"It\"")},
     "equal"},
};

} // namespace

BOOST_AUTO_TEST_SUITE(records)

BOOST_AUTO_TEST_CASE(a_row_changes_what_it_says_and_nothing_else)
{
    for (const auto& [why, standing, members, body] : changes)
    {
        title_row row;
        row.id = "5";
        row.members = members;
        const auto stands = standing ? std::optional<std::string_view>(*standing) : std::nullopt;
        const auto put = change_metadata(stands, row, "|");
        BOOST_TEST_CONTEXT(why)
        {
            BOOST_REQUIRE(put.has_value());
            BOOST_TEST(put->value_or("equal") == body);
        }
    }
}

BOOST_AUTO_TEST_CASE(what_no_service_takes_is_refused_with_its_member)
{
    title_row row;
    row.members = {cell("genre", "g")};
    const auto untitled = change_metadata({}, row, "|");
    BOOST_TEST(untitled.error().field == "title");
    row.members = {cell("title", std::string(1025, 'x'))};
    BOOST_TEST(change_metadata({}, row, "|").error().field == "title");
    row.members = {value("title", "7")};
    BOOST_TEST(change_metadata({}, row, "|").error().field == "title");
    row.url = std::string(4097, 'x');
    BOOST_TEST(change_url({}, row).error().field == "url");
    row.url = "p";
    BOOST_TEST(change_url({}, row).value().value() == "{\"url\":\"p\"}");
    BOOST_TEST(!change_url("{\"id\":\"5\",\"url\":\"\\u0070\"}", row).value().has_value());
    BOOST_TEST(change_url("{\"id\":\"5\",\"url\":\"q\"}", row).value().has_value());
}

BOOST_AUTO_TEST_CASE(a_cell_of_a_value_is_that_value_again_where_its_type_is_known)
{
    const std::tuple<std::string, std::string, cell_kind> rows[] = {
        {R"("a")", "a", cell_kind::text},
        {R"("a\"\u00e9\n")", "a\"é\n", cell_kind::text},
        {"1.50", "1.50", cell_kind::json},
        {"true", "true", cell_kind::json},
        {R"({"a": [1]})", R"({"a": [1]})", cell_kind::json},
        {R"(["a","b"])", "a|b", cell_kind::list},
        {R"(["a"])", "a", cell_kind::list},
        {R"(["a","","b"])", "a||b", cell_kind::list},
        {R"(["",""])", "|", cell_kind::list},
        {R"([""])", R"([""])", cell_kind::list},
        {R"(["a|b"])", R"(["a|b"])", cell_kind::list},
        {R"(["[a"])", R"(["[a"])", cell_kind::list},
        {R"(["a",1])", R"(["a",1])", cell_kind::list},
    };
    for (const auto& [raw, text, kind] : rows)
    {
        BOOST_TEST(cell_of_value(raw, "|") == text);
        BOOST_TEST(is_same_value(value_of_cell(text, kind, "|").value(), raw), raw);
    }
    for (const char* nothing : {"", "null", "[]", "\"\""})
        BOOST_TEST(cell_of_value(nothing, "|") == "");
}

BOOST_AUTO_TEST_CASE(the_parts_of_json_are_found_as_they_are_written)
{
    const auto members =
        members_of_object(" { \"a\" : \"}\\\"\" ,\"b\":[1,{\"c\":\"]\"}] , \"\\u0063\":-1e3 } ").value();
    BOOST_REQUIRE(members.size() == 3);
    BOOST_TEST(members[0].name == "a");
    BOOST_TEST(members[0].value == "\"}\\\"\"");
    BOOST_TEST(members[1].value == "[1,{\"c\":\"]\"}]");
    BOOST_TEST(members[2].name == "c");
    BOOST_TEST(members[2].value == "-1e3");
    BOOST_TEST(members_of_object("{}").value().empty());
    BOOST_TEST(elements_of_array(" [ ] ").value().empty());
    BOOST_TEST(elements_of_array("[ 1 , \"a,]\" , [2] ]").value().size() == 3);
    for (const char* bad : {"", "[", "{", "[]", "1", "{\"a\":}", "{\"a\":1}x"})
        BOOST_TEST(!members_of_object(bad).has_value());
}

BOOST_AUTO_TEST_CASE(ids_are_found_again_in_memory_and_in_the_temporary_file)
{
    for (const std::size_t memory : {std::size_t(1) << 24, std::size_t(64) << 10})
    {
        seen_ids seen(memory);
        constexpr std::uint64_t count = 20'000;
        for (std::uint64_t i = 1; i <= count; ++i)
            BOOST_REQUIRE(!seen.insert("id " + std::to_string(i), i).value().has_value());
        BOOST_TEST(seen.size() == count);
        for (std::uint64_t i = 1; i <= count; ++i)
            BOOST_REQUIRE(seen.insert("id " + std::to_string(i), 7'000'000).value().value() == i);
        BOOST_TEST(seen.find("id 77").value().value() == 77);
        BOOST_TEST(!seen.find("id 0").value().has_value());
        BOOST_TEST(seen.size() == count);
    }
}

BOOST_AUTO_TEST_SUITE_END()
