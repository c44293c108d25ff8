#include "tools/catalogue/csv_rows.hpp"
#include "tools/catalogue/csv_text.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

using namespace marquee;
using namespace marquee::catalogue_files;

namespace
{

/// Each row as `LINE:[field][field]`, or `LINE!fault`.
std::vector<std::string> rows_of(const std::string& text, std::size_t piece)
{
    csv_rows rows(text_source(text, piece), ',');
    std::vector<std::string> found;
    for (csv_row row; rows.next(row, true).value() == read_outcome::found;)
    {
        auto one = std::to_string(row.line) + (row.fault.empty() ? ":" : "!" + row.fault);
        for (const auto& field : row.fields)
            if (row.fault.empty())
                one += '[' + field + ']';
        found.push_back(one);
    }
    BOOST_TEST(rows.bytes_read() == text.size());
    return found;
}

const std::string within = "a quote within a field that does not begin with one";
const std::string after = "text after a closing quote; within quotes a quote is written twice";

struct table_row
{
    const char* why;
    std::string text;
    std::vector<std::string> rows;
};

const table_row table[] = {
    {"nothing", "", {}},
    {"blank lines are no rows", "\n\r\n\r\n\n", {}},
    {"rows end with LF", "a,b\nc,d\n", {"1:[a][b]", "2:[c][d]"}},
    {"rows end with CR LF", "a,b\r\nc,d\r\n", {"1:[a][b]", "2:[c][d]"}},
    {"rows end with CR", "a,b\rc,d\r", {"1:[a][b]", "2:[c][d]"}},
    {"the last row has no end", "a,b\nc,d", {"1:[a][b]", "2:[c][d]"}},
    {"blank lines count as lines", "a\n\n\nb\r\n\r\nc\r\rd", {"1:[a]", "4:[b]", "6:[c]", "8:[d]"}},
    {"fields are empty", ",\n,,\n\"\"\n\"\",", {"1:[][]", "2:[][][]", "3:[]", "4:[][]"}},
    {"spaces are part of a field", " a , b\t\n  \n", {"1:[ a ][ b\t]", "2:[  ]"}},
    {"a field in quotes", "\"a,b\",\"c\"\"d\",\"\"\"\"\n", {"1:[a,b][c\"d][\"]"}},
    {"line breaks in quotes", "\"a\nb\r\nc\rd\",e\nf\n", {"1:[a\nb\r\nc\rd][e]", "5:[f]"}},
    {"a byte of zero", std::string("a\0b,c\n", 6), {std::string("1:[a\0b][c]", 10)}},
    {"bytes that are no UTF-8", "\xFF,\xE9\n", {"1:[\xFF][\xE9]"}},
    {"a quote within a field", "a\nb\"c,\"d\ne\n", {"1:[a]", "2!" + within, "3:[e]"}},
    {"a quote within a field, at the end", "a\nb\"c", {"1:[a]", "2!" + within}},
    {"text after a quote", "\"a\"b,c\nd\n", {"1!" + after, "2:[d]"}},
    {"a space after a quote", "\"a\" ,c\nd\n", {"1!" + after, "2:[d]"}},
    {"text after a quote on a later line", "x\n\"a\nb\"c,\n\"d\"\n", {"1:[x]", "2!" + after, "4:[d]"}},
    {"a quote that is never closed", "a\nb,\"c\nd\n\n", {"1:[a]", "2!the quote of line 2 is never closed"}},
    {"a second quote that is never closed", "\"a\n\",\"c\nd", {"1!the quote of line 2 is never closed"}},
    {"nothing but a quote", "\"", {"1!the quote of line 1 is never closed"}},
    {"an escaped quote at the end", "\"a\"\"", {"1!the quote of line 1 is never closed"}},
};

} // namespace

BOOST_AUTO_TEST_SUITE(csv)

BOOST_AUTO_TEST_CASE(rows_are_those_of_rfc_4180_in_pieces_of_any_size)
{
    for (const auto& [why, text, expected] : table)
        for (const std::size_t piece : {1U, 2U, 3U, 7U, 4096U})
            BOOST_TEST_CONTEXT(why << ", in pieces of " << piece)
    BOOST_TEST(rows_of(text, piece) == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(what_is_too_large_is_a_fault_and_the_next_row_is_read)
{
    const std::string large(max_row_bytes + 10, 'x');
    const auto fault = "1!larger than " + std::to_string(max_row_bytes) + " bytes";
    const std::pair<std::string, std::string> rows[] = {
        {large + ",b\nc\n", fault},
        {large.substr(0, max_row_bytes / 2) + ',' + large.substr(0, max_row_bytes / 2 + 5) + "\nc\n", fault},
        {'"' + large + "\nmore\",b\nc\n", fault + ": is the quote of line 1 closed?"},
    };
    for (const auto& [text, expected] : rows)
        for (const std::size_t piece : {997U, 65536U})
        {
            const auto found = rows_of(text, piece);
            BOOST_REQUIRE(found.size() == 2);
            BOOST_TEST(found[0] == expected);
            BOOST_TEST(found[1].ends_with(":[c]"), found[1]);
        }
    const auto wide = rows_of(std::string(max_columns, ',') + "\nc\n", 65536);
    BOOST_TEST(wide[0] == "1!has more than " + std::to_string(max_columns) + " fields");
    BOOST_TEST(wide[1] == "2:[c]");
}

BOOST_AUTO_TEST_CASE(what_is_written_is_read_again)
{
    const std::vector<std::string> fields[] = {
        {"a", "b"}, {""}, {"", ""}, {"a,b", "c\"d", "e\nf", "g\rh", "\"", " i "}, {"\"\"\"\"\"\"\"\""},
    };
    for (const auto& row : fields)
    {
        csv_rows rows(text_source(csv_line(row, ',') + '\n', 4096), ',');
        csv_row read;
        BOOST_TEST((rows.next(read, true).value() == read_outcome::found));
        BOOST_TEST(read.fault == "");
        BOOST_TEST(read.fields == row, boost::test_tools::per_element());
    }
    BOOST_TEST(csv_line({"a b", "c,d", "e"}, ',') == "a b,\"c,d\",e");
    BOOST_TEST(csv_line({"a;b", "c,d", "e"}, ';') == "\"a;b\";c,d;e");
}

BOOST_AUTO_TEST_SUITE_END()
