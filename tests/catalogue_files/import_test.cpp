// marquee-import and marquee-export with real services: what becomes of a run that is cut off, or
// meets another one.
#include "schemas/error.hpp"
#include "schemas/subjects.hpp"
#include "tests/catalogue_files/program_run.hpp"
#include "tests/support/full_size.hpp"
#include "tests/support/nats_client.hpp"
#include "tests/support/usage.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <stdexcept>
#include <utility>

#include <sys/stat.h>

using namespace marquee;
using namespace marquee::test;

namespace
{

const std::string header = "id,title,genre,summary,url";

/// Of a service's reply: somebody else has changed the record meanwhile.
header_list lost_condition()
{
    header_list lost;
    lost.set(names::header_service_error, service_text_of(errc::revision_mismatch));
    lost.set(names::header_service_error_code, std::to_string(service_code_of(errc::revision_mismatch)));
    return lost;
}

} // namespace

BOOST_AUTO_TEST_SUITE(importing)

BOOST_AUTO_TEST_CASE(what_is_wrong_with_the_command_line_is_one_line_and_exit_2)
{
    const std::pair<const char*, std::vector<std::string>> rows[] = {
        {"marquee-import", {}},
        {"marquee-import", {"a", "b"}},
        {"marquee-import", {"/nowhere/a.csv"}},
        {"marquee-import", {"/tmp"}},
        {"marquee-import", {"/dev/null"}},
        {"marquee-import", {"a", "--format", "xml"}},
        {"marquee-import", {"a", "--encoding", "utf16"}},
        {"marquee-import", {"a", "--delimiter", "ab"}},
        {"marquee-import", {"a", "--map", "title"}},
        {"marquee-import", {"a", "--map", "id=x"}},
        {"marquee-import", {"a", "--map", "a=x", "--map", "a=y"}},
        {"marquee-import", {"a", "--ignore", "id"}},
        {"marquee-import", {"a", "--separator", ""}},
        {"marquee-import", {"a", "--refused", "a"}},
        {"marquee-import", {"a", "--delete-missing"}},
        {"marquee-import", {"a", "--timeout", "0s"}},
        {"marquee-import", {"a", "--server", "http://x"}},
        {"marquee-export", {"--format", "xml"}},
        {"marquee-export", {"--columns", "a,a"}},
        {"marquee-export", {"--columns", ""}},
        {"marquee-export", {"a.ndjson", "--columns", "a"}},
        {"marquee-export", {"/nowhere/a.csv"}},
    };
    for (const auto& [name, words] : rows)
    {
        std::vector<std::string> all{"-c", "exec \"$0\" \"$@\" </dev/null", program(name)};
        all.insert(all.end(), words.begin(), words.end());
        process tried("/bin/bash", all);
        BOOST_TEST_CONTEXT(tried.output())
        {
            BOOST_TEST(tried.wait().value() == 2);
            BOOST_TEST(tried.wait_for_line(std::string(name) + ": ").has_value());
        }
    }
}

BOOST_AUTO_TEST_CASE(without_a_broker_or_services_it_ends_in_time_and_says_so)
{
    catalogue_fixture on(std::vector<std::string>{});
    on.write("a.csv", header + "\n1,It,,,p\n");
    const auto no_services = on.import({"@a.csv", "--timeout", "200ms"});
    BOOST_TEST(no_services.code == 1);
    BOOST_TEST(no_services.has(".gets: "), no_services.output);
    BOOST_TEST(no_services.has("the same command goes on"));
    BOOST_TEST(on.export_({"@b.csv", "--timeout", "200ms"}).code == 1);
    BOOST_TEST(!std::filesystem::exists(on.path("b.csv")));
    BOOST_TEST(!std::filesystem::exists(on.path("b.csv.part")));
    on.system().broker().kill();
    const auto no_broker = on.import({"@a.csv"});
    BOOST_TEST(no_broker.code == 1);
    BOOST_TEST(no_broker.has("cannot connect to"), no_broker.output);
}

BOOST_AUTO_TEST_CASE(a_put_is_a_compare_and_set_on_what_was_read_and_a_lost_one_is_a_refused_row)
{
    catalogue_fixture on({"cdnurl"});
    on.write("a.csv", "id,title\n5,It\n6,Is\n");
    nats_client client(on.system().server());
    std::vector<std::string> conditions;
    const auto listening = client.listen(
        "metadata.put.*", [&](const message& put)
        { conditions.emplace_back(put.subject + ' ' + std::string(put.headers.get("Marquee-Revision"))); });
    client.fake("metadata.gets", R"(7 {"id":"5","title":"a","genre":"","summary":""})"
                                 "\n-\n");
    client.fake("metadata.put.5", "{}", lost_condition());
    client.fake("metadata.put.6", R"({"status":"ok","revision":8})");
    process import(program("marquee-import"), on.command({"@a.csv"}));
    while (import.running())
        client.publish("unused", ""); // the fakes answer meanwhile
    const auto outcome = outcome_of(import);
    BOOST_TEST(outcome.code == 1);
    BOOST_TEST(outcome.has("new 1, changed 0, equal 0, refused 1"), outcome.output);
    BOOST_TEST(on.read("a.csv.refused.csv") ==
               "line,column,reason,id\n2,,somebody else has changed the record meanwhile,5\n");
    BOOST_TEST((conditions == std::vector<std::string>{"metadata.put.5 7", "metadata.put.6 0"}));
}

BOOST_AUTO_TEST_CASE(a_run_that_is_killed_or_stopped_goes_on_when_it_is_run_again)
{
    catalogue_fixture on;
    const auto titles = many_titles(3000, "summary");
    on.write("a.csv", titles);
    for (const int signal : {SIGKILL, SIGINT})
    {
        const auto fifo = on.path("fifo." + std::to_string(signal));
        BOOST_REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
        process import(program("marquee-import"), on.command({fifo.string(), "--format", "csv", "--progress", "20ms"}));
        std::ofstream out(fifo, std::ios::binary);
        out << titles.substr(0, titles.find(signal == SIGKILL ? "t01000," : "t02000,")) << std::flush;
        BOOST_REQUIRE(
            import.wait_for_line(signal == SIGKILL ? "1000 rows" : "2000 rows", std::chrono::minutes(1)).has_value());
        import.signal(signal);
        const auto outcome = outcome_of(import);
        if (signal == SIGINT)
        {
            BOOST_TEST(outcome.code == 1);
            BOOST_TEST(outcome.has("new 1000, changed 0, equal 1000, refused 0"), outcome.output);
            BOOST_TEST(outcome.has("the same command goes on"));
        }
    }
    const auto rest = on.import({"@a.csv"});
    BOOST_TEST(rest.code == 0);
    BOOST_TEST(rest.has("new 1000, changed 0, equal 2000, refused 0"), rest.output);
    on.export_({"@b.csv"});
    BOOST_TEST((without_demo(on.read("b.csv")) == titles));
}

BOOST_AUTO_TEST_CASE(a_broker_that_dies_and_comes_back_delays_an_import_and_changes_nothing)
{
    catalogue_fixture on;
    const auto titles = many_titles(900, "summary"); // all of them fit into the pipe, read or not
    on.write("a.csv", titles);
    const auto fifo = on.path("fifo");
    BOOST_REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
    process import(program("marquee-import"), on.command({fifo.string(), "--format", "csv", "--progress", "20ms"}));
    std::ofstream out(fifo, std::ios::binary);
    const auto half = titles.find("t00600,");
    out << titles.substr(0, half) << std::flush;
    BOOST_REQUIRE(
        import.wait_for_line(" rows", std::chrono::minutes(1)).has_value()); // some are under way, most likely
    on.system().broker().kill();
    out << titles.substr(half) << std::flush;
    out.close();
    BOOST_TEST(import.wait_for_line("trying again", std::chrono::minutes(1)).has_value());
    on.system().broker().restart();
    const auto outcome = outcome_of(import);
    BOOST_TEST(outcome.code == 0, outcome.output);
    BOOST_TEST(outcome.has("new 900, changed 0, equal 0, refused 0"), outcome.output);
    on.export_({"@b.csv"});
    BOOST_TEST((without_demo(on.read("b.csv")) == titles));
}

BOOST_AUTO_TEST_CASE(missing_titles_are_deleted_with_consent_and_only_where_the_file_is_whole)
{
    catalogue_fixture on;
    on.write("all.csv", many_titles(300, "s"));
    BOOST_TEST(on.import({"@all.csv"}).code == 0);
    on.write("some.csv", many_titles(100, "s"));
    const auto dry = on.import({"@some.csv", "--delete-missing", "--dry-run"});
    BOOST_TEST(dry.code == 0);
    BOOST_TEST(dry.has("equal 100, refused 0, to be deleted 202"), dry.output);

    on.write("bad.csv", many_titles(100, "s") + "x\n");
    const auto withheld = on.import({"@bad.csv", "--delete-missing", "--yes"});
    BOOST_TEST(withheld.code == 1);
    BOOST_TEST(withheld.has("nothing is deleted, because rows were refused"), withheld.output);
    on.write("empty.csv", header + '\n');
    const auto empty = on.import({"@empty.csv", "--delete-missing", "--yes"});
    BOOST_TEST(empty.code == 1);
    BOOST_TEST(empty.has("nothing is deleted, because the file has no title"), empty.output);

    // On a terminal it asks.
    const auto ask = [&](const std::string& answer)
    {
        std::string line;
        for (const auto& word : on.command({"@some.csv", "--delete-missing"}))
            line += " '" + word + '\'';
        process asked("/bin/bash", {"-c", "printf '%s\\n' \"$0\" | script -qec \"$1\" /dev/null", answer,
                                    program("marquee-import") + line});
        return outcome_of(asked);
    };
    const auto declined = ask("n");
    BOOST_TEST(declined.has("delete 202 titles that"), declined.output);
    BOOST_TEST(declined.has("nothing is deleted"), declined.output);
    on.export_({"@b.csv"});
    BOOST_TEST((without_demo(on.read("b.csv")) == on.read("all.csv")));
    BOOST_TEST(ask("y").has("deleted 202"));
    on.export_({"@c.csv"});
    BOOST_TEST((on.read("c.csv") == on.read("some.csv")));

    on.write("one.csv", many_titles(1, "s"));
    BOOST_TEST(on.import({"@one.csv", "--delete-missing", "--yes"}).has("equal 1, refused 0, deleted 99"));
    const auto last = on.import({"@one.csv", "--delete-missing", "--yes"});
    BOOST_TEST(last.code == 0);
    BOOST_TEST(last.has("equal 1, refused 0, deleted 0"), last.output);
}

BOOST_AUTO_TEST_CASE(a_missing_title_of_which_somebody_has_changed_a_record_keeps_both)
{
    catalogue_fixture on({"cdnurl"});
    on.write("a.csv", "id,title\n5,a\n");
    nats_client client(on.system().server());
    for (const std::string demo : {"123", "456"})
        (void)client.request("cdnurl.delete." + demo);
    const auto put = client.request("cdnurl.put.other", R"({"url":"https://cdn.example/other.mp4"})");
    BOOST_TEST(put.headers.get(names::header_service_error).empty());
    const std::string record = R"({"id":"5","title":"a","genre":"","summary":""})";
    client.fake("metadata.list", R"({"assets":[{"id":"other","title":"b","genre":"","summary":""}]})");
    client.fake("metadata.gets", "7 " + record + '\n');
    client.fake("metadata.delete.other", "{}", lost_condition());
    process import(program("marquee-import"), on.command({"@a.csv", "--delete-missing", "--yes"}));
    while (import.running())
        client.publish("unused", ""); // the fakes answer meanwhile
    const auto outcome = outcome_of(import);
    BOOST_TEST(outcome.code == 1);
    BOOST_TEST(outcome.has("kept 1 titles that somebody else has changed meanwhile"), outcome.output);
    BOOST_TEST(client.request("cdnurl.get.other").data.find("other.mp4") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_run_that_is_stopped_deletes_no_more)
{
    catalogue_fixture on;
    on.write("all.csv", many_titles(5000, "s"));
    BOOST_TEST(on.import({"@all.csv"}).code == 0);
    on.write("one.csv", many_titles(1, "s"));
    nats_client client(on.system().server());
    process import(program("marquee-import"), on.command({"@one.csv", "--delete-missing", "--yes"}));
    bool told = false;
    const auto listening = client.listen("metadata.delete.*",
                                         [&](const message&)
                                         {
                                             if (!std::exchange(told, true))
                                                 import.signal(SIGINT);
                                         });
    while (import.running())
        client.publish("unused", "");
    const auto outcome = outcome_of(import);
    BOOST_TEST(outcome.code == 1);
    BOOST_TEST(outcome.has("the same command goes on"), outcome.output);
    on.export_({"@left.csv"});
    const auto left = on.read("left.csv");
    BOOST_TEST(std::count(left.begin(), left.end(), '\n') > 2, outcome.output);
    const auto rest = on.import({"@one.csv", "--delete-missing", "--yes"});
    BOOST_TEST(rest.code == 0);
    on.export_({"@end.csv"});
    BOOST_TEST((on.read("end.csv") == on.read("one.csv")));
}

BOOST_AUTO_TEST_CASE(a_file_of_something_else_is_not_replaced_by_refused_rows)
{
    catalogue_fixture on;
    const auto bad = header + "\n#REF!,It,,,p\n";
    on.write("a.csv", bad);
    on.write("notes.txt", "mine\n");
    for (const std::string refused : {"@notes.txt", "@./a.csv"})
    {
        const auto outcome = on.import({"@a.csv", "--refused", refused});
        BOOST_TEST(outcome.code == 2, outcome.output);
        BOOST_TEST(outcome.has("--refused"), outcome.output);
    }
    BOOST_TEST(on.read("notes.txt") == "mine\n");
    BOOST_TEST(on.read("a.csv") == bad);
    for (int i = 0; i < 2; ++i) // that of an earlier run is
        BOOST_TEST(on.import({"@a.csv"}).code == 1);
    BOOST_TEST(on.read("a.csv.refused.csv").find("\n2,id,") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_dry_run_of_a_large_file_takes_little_memory)
{
    catalogue_fixture on;
    const std::size_t bytes = (is_full() ? std::size_t(1) << 30 : std::size_t(64) << 20);
    {
        std::ofstream out(on.path("large.csv"), std::ios::binary);
        out << "id,title,summary\n";
        const std::string summary(980, 'x');
        for (std::size_t i = 0; i < bytes / 1024; ++i)
            out << "title number " << 10'000'000 + i << ",A title,\"" << summary << "\"\n";
    }
    process import(program("marquee-import"), on.command({"@large.csv", "--dry-run"}));
    long peak = 0;
    while (import.running())
        try
        {
            peak = std::max(peak, usage_of(import.pid()).peak_kib);
        }
        catch (const std::runtime_error&)
        {
            break; // it has just ended
        }
    const auto outcome = outcome_of(import);
    BOOST_TEST(outcome.code == 0);
    BOOST_TEST(outcome.has("dry run: new " + std::to_string(bytes / 1024) + ", changed 0, equal 0, refused 0"),
               outcome.output);
    BOOST_TEST_MESSAGE("peak " << peak << " KiB for " << bytes << " bytes");
#ifndef __SANITIZE_ADDRESS__
    BOOST_TEST(peak < 64 << 10);
#endif
}

BOOST_AUTO_TEST_SUITE_END()
