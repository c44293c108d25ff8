#include "tools/catalogue/csv_rows.hpp"
#include "tools/catalogue/file_format.hpp"
#include "tools/catalogue/title.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

using namespace marquee;
using namespace marquee::catalogue_files;

namespace
{

/// `LINE:ID member=RAW … url=URL`, or `LINE:ID! column: reason`.
std::string text_of(const title_row& row)
{
    auto text = std::to_string(row.line) + ':' + row.id;
    if (row.refused)
        return text + "! " + row.refused->column + ": " + row.refused->reason;
    for (const auto& member : row.members)
        text += ' ' + member.name + '=' + (member.raw.empty() ? "-" : member.raw);
    return row.url ? text + " url=" + *row.url : text;
}

std::vector<std::string> all_of(title_reader& reader)
{
    std::vector<std::string> found;
    for (title_row row; reader.next(row, true).value() == read_outcome::found;)
        found.push_back(text_of(row));
    return found;
}

std::vector<std::string> of_csv(const std::string& text, const column_mapping& mapping = {},
                                encoding from = encoding::utf8)
{
    std::string head;
    auto begun = with_head(text_source(text, 5), head);
    if (begun.has_error())
        return {begun.error().detail};
    const auto reader = read_csv_titles(std::move(*begun), ',', from, mapping);
    return reader.has_error() ? std::vector<std::string>{reader.error().detail} : all_of(**reader);
}

std::vector<std::string> of_json(const std::string& text, const column_mapping& mapping = {},
                                 encoding from = encoding::utf8)
{
    const auto reader = read_json_titles(text_source(text, 5), from, mapping);
    return all_of(*reader);
}

using rows = std::vector<std::string>;

void check(const std::string& text, const rows& found, const rows& expected)
{
    BOOST_TEST_CONTEXT(text)
    BOOST_TEST(found == expected, boost::test_tools::per_element());
}

column_mapping mapped(std::vector<std::pair<std::string, std::string>> from, std::set<std::string> ignored = {},
                      const std::string& id = "id")
{
    column_mapping out;
    out.id = id;
    out.from = std::move(from);
    out.ignored = std::move(ignored);
    return out;
}

} // namespace

BOOST_AUTO_TEST_SUITE(titles)

BOOST_AUTO_TEST_CASE(a_row_of_csv_is_a_title_or_is_refused_with_its_column)
{
    const std::pair<std::string, rows> table[] = {
        {"id,title,url\n5,It,p\n6,,\n", {"2:5 title=\"It\" url=p", "3:6 title=-"}},
        {"\xEF\xBB\xBFid,title\n5,It\n", {"2:5 title=\"It\""}},
        {"title,id\n\"a\nb\",5\n", {R"(2:5 title="a\u000ab")"}},
        {"id,title\n,It\n", {"2:! id: an id is missing"}},
        {"id,title\n..,It\n", {"2:! id: an asset cannot be called . or .."}},
        {"id,title\n#NAME?,a\n#REF!,a\n#VALUE!,a\n#DIV/0!,a\n#N/A,a\n#NULL!,a\n#NUM!,a\n#NUM,a\n",
         {"2:! id: #NAME? is an error value of a spreadsheet, no id",
          "3:! id: #REF! is an error value of a spreadsheet, no id",
          "4:! id: #VALUE! is an error value of a spreadsheet, no id",
          "5:! id: #DIV/0! is an error value of a spreadsheet, no id",
          "6:! id: #N/A is an error value of a spreadsheet, no id",
          "7:! id: #NULL! is an error value of a spreadsheet, no id",
          "8:! id: #NUM! is an error value of a spreadsheet, no id", "9:#NUM title=\"a\""}},
        {"id,title\n#SPILL!,a\n#GETTING_DATA,a\nErr:502,a\nErr:5021,a\nErr:x02,a\n",
         {"2:! id: #SPILL! is an error value of a spreadsheet, no id",
          "3:! id: #GETTING_DATA is an error value of a spreadsheet, no id",
          "4:! id: Err:502 is an error value of a spreadsheet, no id", "5:Err:5021 title=\"a\"",
          "6:Err:x02 title=\"a\""}},
        {"id,title\n" + std::string(129, 'x') + ",a\n",
         {"2:! id: an id is 1 to 128 bytes of UTF-8 without control characters"}},
        {"id,title\n\"a\nb\",a\n", {"2:! id: an id is 1 to 128 bytes of UTF-8 without control characters"}},
        {"id,title\n5\n6,a,b\n", {"2:5! : has 1 fields, the header has 2", "3:6! : has 3 fields, the header has 2"}},
        {"id,title\n5,a\"b\n6,c\n",
         {"2:5! title: a quote within a field that does not begin with one", "3:6 title=\"c\""}},
        {"id,title\n5,\"a\n6,c\n", {"2:5! title: the quote of line 2 is never closed"}},
        {std::string("id,title\n5,a\0b\n", 14), {"2:5! title: a NUL byte"}},
        {"id,title\n5,a\x1B\n", {"2:5! title: the control character 0x1B"}},
        {"id,title\n5,caf\xE9\n",
         {"2:5! title: not UTF-8 at its byte 4: another --encoding (latin1, windows-1252) may be meant"}},
        {"id,title,,\n5,a,,\n6,a,,b\n", {"2:5 title=\"a\"", "3:6! 4: the header has no name for this column"}},
        {"id,title,tags\n5,a,x|y\n6,a,\n7,a,\"[\"\"x\"\"]\"\n8,a,[x\n",
         {R"(2:5 title="a" tags=["x","y"])", R"(3:6 title="a" tags=-)", R"(4:7 title="a" tags=["x"])",
          R"(5:8 title="a" tags=["[x"])"}},
    };
    for (const auto& [text, expected] : table)
        check(text, of_csv(text), expected);
}

BOOST_AUTO_TEST_CASE(a_header_that_cannot_be_used_is_an_error_that_says_why)
{
    const std::pair<std::string, std::string> table[] = {
        {"", "the file is empty: a header is wanted"},
        {"\n\n", "the file is empty: a header is wanted"},
        {"ID,title\n", "the file has no column \"id\" (--id); its columns are: ID, title"},
        {"id,a,a\n", "two columns are called \"a\" (--ignore leaves them out)"},
        {"id,id\n", "two columns are called \"id\" (--ignore leaves them out)"},
        {"id,\"a\n", "the header, line 1: the quote of line 1 is never closed"},
        {"id,\"a\nb\"\n", "the header, line 1: a name has a line break or a tab"},
        {"\n\nid,a\xE9\n", "the header, line 3: a name has not UTF-8 at its byte 2: another --encoding (latin1, "
                           "windows-1252) may be meant"},
        {std::string("\xFF\xFEi\0d\0", 6), "the file is UTF-16 or UTF-32: save it as UTF-8"},
    };
    for (const auto& [text, expected] : table)
        check(text, of_csv(text), {expected});
    check("--map", of_csv("id,a\n", mapped({{"title", "b"}})),
          {"the file has no column \"b\" (--map); its columns are: id, a"});
    check("--ignore", of_csv("id,a\n", mapped({}, {"b"})),
          {"the file has no column \"b\" (--ignore); its columns are: id, a"});
    check("two makers", of_csv("id,a,title\n", mapped({{"title", "a"}})),
          {"columns \"a\" and \"title\" are both the member \"title\" (--ignore leaves one out, --map renames one)"});
    check("another id", of_csv("k,id\n", mapped({}, {}, "k")),
          {"column \"id\" cannot be the member \"id\": that is the column of --id (k); --ignore leaves it out, --map "
           "renames it"});
}

BOOST_AUTO_TEST_CASE(columns_are_mapped_left_out_and_used_twice)
{
    auto movies = mapped({{"title", "Name"}, {"genre", "Genres"}, {"tags", "Genres"}}, {"x"}, "movieId");
    movies.json = {"year"};
    movies.arrays = {"cast"};
    const std::string header = "movieId,Name,Genres,year,cast,x,x\n";
    check("a row", of_csv(header + "5,It,a|b,1999,c,,\n", movies),
          {R"(2:5 title="It" genre="a|b" tags=["a","b"] year=1999 cast=["c"])"});
    check("no JSON", of_csv(header + "5,It,a|b,no,c,,\n", movies), {"2:5! year: not JSON: syntax error"});
    movies.separator = ", ";
    check("another separator", of_csv(header + "5,It,\"a, b\",1,,,\n", movies),
          {R"(2:5 title="It" genre="a, b" tags=["a","b"] year=1 cast=-)"});
    check("an id that is a title", of_csv("id\nIt\n", mapped({{"title", "id"}})), {"2:It title=\"It\""});
}

BOOST_AUTO_TEST_CASE(latin_1_and_windows_1252_become_utf_8)
{
    check("latin1", of_csv("id,n\xE4me\n\xE9,\xFF\n", {}, encoding::latin1), {"2:é näme=\"ÿ\""});
    check("windows", of_csv("id,title\n5,\x80\x92\n", {}, encoding::windows_1252), {"2:5 title=\"€’\""});
    check("a control", of_csv("id,title\n5,\x80\n", {}, encoding::latin1),
          {"2:5! title: the byte 0x80, which is no character of Latin-1: is it --encoding windows-1252?"});
    check("a gap", of_csv("id,title\n5,\x81\n", {}, encoding::windows_1252),
          {"2:5! title: the byte 0x81, which is no character of windows-1252"});
    check("json", of_json("{\"id\":\"5\",\"title\":\"\xE9\"}", {}, encoding::latin1), {"1:5 title=\"é\""});
}

BOOST_AUTO_TEST_CASE(a_hundred_columns_are_a_hundred_members)
{
    std::string header = "id,title";
    std::string row = "5,It";
    std::string expected = "2:5 title=\"It\"";
    for (int i = 2; i < 100; ++i)
    {
        header += ",c" + std::to_string(i);
        row += ',' + std::to_string(i);
        expected += " c" + std::to_string(i) + "=\"" + std::to_string(i) + '"';
    }
    check("100", of_csv(header + '\n' + row), {expected});
}

BOOST_AUTO_TEST_CASE(a_line_of_json_is_a_title_with_its_values_as_they_are)
{
    const std::pair<std::string, rows> table[] = {
        {"", {}},
        {"\n \r\n\n", {}},
        {R"({"id":"5","title":"It","year": 1.50e3 ,"cast":[ "a" ],"x":{"y":"}"},"url":"p"})",
         {R"(1:5 title="It" year=1.50e3 cast=[ "a" ] x={"y":"}"} url=p)"}},
        {"{\"id\":\"5\",\"title\":\"a\"}\r\n\n{\"id\":\"6\",\"title\":\"\\\"\"}",
         {R"(1:5 title="a")", R"(3:6 title="\"")"}},
        {R"({"title":"a"})", {"1:! id: is missing"}},
        {R"({"id":5,"title":"a"})", {"1:! id: must be a string"}},
        {R"({"id":"","title":"a"})", {"1:! id: an id is missing"}},
        {R"({"id":"a\u0000b"})", {"1:! id: an id is 1 to 128 bytes of UTF-8 without control characters"}},
        {R"({"id":"#N/A"})", {"1:! id: #N/A is an error value of a spreadsheet, no id"}},
        {R"({"id":"5","a":1,"a":2})", {"1:5! a: is there twice"}},
        {R"({"id":"5","url":7})", {"1:5! url: must be a string"}},
        {R"([{"id":"5"}])", {"1:! : is JSON, but no object: one object a line is wanted"}},
        {"{\"id\":\"5\"\n}", {"1:! : not JSON: incomplete JSON", "2:! : not JSON: syntax error"}},
        {"{\"id\":\"\xE9\"}",
         {"1:! : not UTF-8 at its byte 8: another --encoding (latin1, windows-1252) may be meant"}},
        {"{\"id\":\"5\",\"x\":" + std::string(40, '[') + std::string(40, ']') + '}', {"1:! : not JSON: too deep"}},
    };
    for (const auto& [text, expected] : table)
        check(text, of_json(text), expected);
    check("mapped", of_json(R"({"k":"5","Name":"It","x":1,"id":2})", mapped({{"title", "Name"}}, {"x", "id"}, "k")),
          {R"(1:5 title="It")"});
    check("id", of_json(R"({"k":"5","id":"2"})", mapped({}, {}, "k")),
          {"1:5! id: cannot be the member \"id\" (--ignore leaves it out, --map renames it)"});
}

BOOST_AUTO_TEST_CASE(a_line_of_json_that_is_too_large_is_refused_and_the_next_is_read)
{
    const auto reader = read_json_titles(
        text_source("{\"id\":\"" + std::string(max_row_bytes, 'x') + "\"}\n{\"id\":\"5\",\"a\":1}\n", 1000),
        encoding::utf8, {});
    check("large", all_of(*reader), {"1:! : larger than 1048576 bytes", "2:5 a=1"});
}

BOOST_AUTO_TEST_CASE(the_format_is_told_by_the_name_and_else_by_the_first_bytes)
{
    BOOST_TEST((format_of_name("a.csv") == file_format::csv));
    BOOST_TEST((format_of_name("a.tsv") == file_format::csv));
    BOOST_TEST((format_of_name("a.jsonl") == file_format::ndjson));
    BOOST_TEST((format_of_name("a.ndjson") == file_format::ndjson));
    BOOST_TEST(!format_of_name("-").has_value());
    BOOST_TEST((format_of_text("\n {\"id\"") == file_format::ndjson));
    BOOST_TEST((format_of_text("id,title") == file_format::csv));
    BOOST_TEST((format_of_text("") == file_format::csv));
    BOOST_TEST(parse_delimiter(";").value() == ';');
    BOOST_TEST(parse_delimiter("tab").value() == '\t');
    for (const char* bad : {"", "\"", "\n", "ab", "\xC3"})
        BOOST_TEST(parse_delimiter(bad).has_error());
}

BOOST_AUTO_TEST_SUITE_END()
