// What marquee-import takes from a file, and what marquee-export writes again, with real services.
#include "schemas/subjects.hpp"
#include "tests/catalogue_files/program_run.hpp"
#include "tests/support/nats_client.hpp"

#include <boost/test/unit_test.hpp>

using namespace marquee;
using namespace marquee::test;

namespace
{

const std::string header = "id,title,genre,summary,url";

std::string get(nats_client& client, const std::string& subject) { return client.request(subject).data; }

} // namespace

BOOST_AUTO_TEST_SUITE(files)

BOOST_AUTO_TEST_CASE(an_awkward_file_is_taken_but_for_what_is_named_and_comes_out_byte_for_byte)
{
    catalogue_fixture on;
    std::string wide_names;
    std::string wide_cells;
    for (int i = 0; i < 95; ++i)
    {
        wide_names += ",c" + std::to_string(i);
        wide_cells += i % 2 == 0 ? ",\"a, \"\"b\"\" " + std::to_string(i) + "\"" : ",";
    }
    const std::string taken = "10.5240/7791-8534,\"Alien, \"\"the first\"\"\",horror,\"two\nlines, one\ttab\",p/5.mp4" +
                              wide_cells + "\n6,Été à la plage,,,p/6" + wide_cells + '\n';
    const std::string refused = "#NAME?,x,,,p" + wide_cells + "\n6,again,,,p" + wide_cells + "\n7,a\"b,,,p" +
                                wide_cells + "\n8,short\n9," + std::string(1025, 'x') + ",,,p" + wide_cells +
                                "\n11,caf\xE9,,,p" + wide_cells + "\n12,\"open,,,\n";
    on.write("a.csv", header + wide_names + '\n' + taken + refused);
    const auto dry = on.import({"@a.csv", "--dry-run"});
    BOOST_TEST(dry.code == 1);
    BOOST_TEST(dry.has("dry run: new 2, changed 0, equal 0, refused 7"), dry.output);
    BOOST_TEST(without_demo(on.export_({"-"}).output).find("Alien") == std::string::npos);

    const auto done = on.import({"@a.csv", "--refused", "@bad.csv"});
    BOOST_TEST(done.code == 1);
    BOOST_TEST(done.has("new 2, changed 0, equal 0, refused 7"), done.output);
    const std::string expected = "line,column,reason,id\n"
                                 "5,id,\"#NAME? is an error value of a spreadsheet, no id\",\n"
                                 "6,,\"the id is on line 4, too\",6\n"
                                 "7,title,a quote within a field that does not begin with one,7\n"
                                 "8,,\"has 2 fields, the header has 100\",8\n"
                                 "9,title,\"";
    BOOST_TEST(on.read("bad.csv").starts_with(expected), on.read("bad.csv"));
    BOOST_TEST(on.read("bad.csv").ends_with("11,title,the quote of line 11 is never closed,12\n"), on.read("bad.csv"));
    BOOST_TEST(on.read("bad.csv") == on.read("a.csv.refused.csv"));

    BOOST_TEST(on.export_({"@b.csv", "--columns", header + wide_names}).code == 0);
    BOOST_TEST(without_demo(on.read("b.csv")) == header + wide_names + '\n' + taken);
    const auto again = on.import({"@b.csv"});
    BOOST_TEST(again.code == 0);
    BOOST_TEST(again.has("new 0, changed 0, equal 4, refused 0"), again.output);
    BOOST_TEST(!std::filesystem::exists(on.path("b.csv.refused.csv")));
}

BOOST_AUTO_TEST_CASE(json_comes_out_as_it_went_in_and_csv_keeps_its_types)
{
    catalogue_fixture on;
    const std::string titles =
        R"({"id":"a","title":"Été","genre":"","summary":"","year":1.50e3,"tags":["x","y|z"],"o":{"n":[null,true]},"url":"p"})"
        "\n"
        R"({"id":"b","title":"B","genre":"g","summary":"s"})"
        "\n"
        R"({"id":"c","url":"only/a/url"})"
        "\n";
    on.write("a.ndjson", titles);
    BOOST_TEST(on.import({"@a.ndjson"}).has("new 3, changed 0, equal 0, refused 0"));
    BOOST_TEST(on.export_({"@b.jsonl"}).code == 0);
    const auto out = on.read("b.jsonl");
    BOOST_TEST(out.substr(out.find("{\"id\":\"a\"")) == titles);
    BOOST_TEST(on.export_({"@c.csv"}).code == 0);
    const auto as_csv = on.import({"@c.csv"});
    BOOST_TEST(as_csv.has("new 0, changed 0, equal 5, refused 0"), as_csv.output);
    BOOST_TEST(on.import({"@b.jsonl"}).has("equal 5,"));

    // The other system has what the file says, but types of CSV.
    catalogue_fixture other;
    other.write("c.csv", on.read("c.csv"));
    const auto fresh = other.import({"@c.csv", "--json", "year", "--json", "o", "--array", "tags"});
    BOOST_TEST(fresh.has("new 3, changed 0, equal 2, refused 0"), fresh.output);
    BOOST_TEST(other.export_({"@d.ndjson"}).code == 0);
    BOOST_TEST(other.read("d.ndjson") == out);
}

BOOST_AUTO_TEST_CASE(columns_have_other_names_and_what_a_file_does_not_have_stays)
{
    catalogue_fixture on;
    on.write("a.csv", "movieId;Name;Genres;x\n1;It;a|b;9\n");
    const auto first = on.import({"@a.csv", "--delimiter", ";", "--id", "movieId", "--map", "title=Name", "--map",
                                  "genre=Genres", "--map", "tags=Genres", "--ignore", "x"});
    BOOST_TEST(first.has("new 1, changed 0, equal 0, refused 0"), first.output);
    on.write("b.csv", "id,summary,url\n1,s,p\n");
    BOOST_TEST(on.import({"@b.csv"}).has("new 0, changed 1, equal 0, refused 0"));
    BOOST_TEST(on.import({"@b.csv"}).has("new 0, changed 0, equal 1, refused 0"));
    nats_client client(on.system().server());
    BOOST_TEST(get(client, "metadata.get.1") ==
               R"({"id":"1","title":"It","genre":"a|b","summary":"s","tags":["a","b"]})");
    BOOST_TEST(get(client, "cdnurl.get.1") == R"({"id":"1","url":"p"})");
    on.export_({"@c.tsv", "--columns", "title,id,none"});
    BOOST_TEST(on.read("c.tsv") == "title\tid\tnone\nIt\t1\t\nIt\t123\t\nTerminator\t456\t\n");
    on.export_({"@d.csv", "--crlf", "--columns", "id"});
    BOOST_TEST(on.read("d.csv") == "id\r\n1\r\n123\r\n456\r\n");
}

BOOST_AUTO_TEST_CASE(an_export_with_views_has_the_counts)
{
    catalogue_fixture on({"metadata", "cdnurl", "reporting"});
    nats_client client(on.system().server());
    for (int i = 0; i < 3; ++i)
        client.store("events", "456:7");
    header_list after;
    after.set(names::header_after, "3");
    client.request("reporting.views.456.7", {}, after); // once they are counted
    BOOST_TEST(on.export_({"@a.csv", "--views", "--columns", "id,views"}).code == 0);
    BOOST_TEST(on.read("a.csv") == "id,views\n123,0\n456,3\n");
    BOOST_TEST(on.export_({"@a.ndjson", "--views"}).code == 0);
    BOOST_TEST(on.read("a.ndjson").ends_with("\"views\":3}\n"));
    BOOST_TEST(on.import({"@a.ndjson", "--ignore", "views"}).has("equal 2,"));
}

BOOST_AUTO_TEST_CASE(standard_input_is_a_file_too_and_its_form_is_told_by_its_first_bytes)
{
    catalogue_fixture on;
    const auto pipe = [&](const std::string& text)
    {
        on.write("in", text);
        process run("/bin/bash", {"-c", "cat \"$0\" | \"$1\" --server \"$2\" - --refused \"$0.bad\"", on.path("in"),
                                  program("marquee-import"), on.system().server()});
        return outcome_of(run);
    };
    BOOST_TEST(pipe("\xEF\xBB\xBFid,title\n1,a\n").has("new 1,"));
    BOOST_TEST(pipe("\n {\"id\":\"2\",\"title\":\"a\"}\n").has("new 1,"));
}

BOOST_AUTO_TEST_SUITE_END()
