// reporting as a process: catching up, its queue group, its file, its answers.
#include "tests/integration/reporting/reporting_fixture.hpp"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>

#include <fstream>
#include <map>

using namespace marquee;
using namespace marquee::test;

namespace
{

/// One of each kind of payload, `rounds` times; ids come again in later rounds.
std::vector<std::string> mixture(int rounds)
{
    std::vector<std::string> all;
    for (int i = 0; i < rounds; ++i)
    {
        const auto n = std::to_string(i % 37);
        all.push_back(
            reporting_fixture::event("id-" + std::to_string(i % 411), "asset " + n, "user-" + std::to_string(i % 11)));
        all.push_back(reporting_fixture::event(make_ulid(std::chrono::system_clock::now()), "asset " + n, "u@x.org"));
        all.push_back("asset:" + n + ":user");
        all.push_back(i % 2 == 0 ? "{\"id\":\"broken\"" : std::string("\xFF\0", 2));
    }
    return all;
}

header_list header(std::string_view name, std::string value)
{
    header_list headers;
    headers.set(name, value);
    return headers;
}

struct changed_setting
{
    std::string setting;
    boost::json::value value;
    friend std::ostream& operator<<(std::ostream& out, const changed_setting& s) { return out << s.setting; }
};

const std::vector<changed_setting> settings_that_matter = {{"subjects", {"events", "other"}},
                                                           {"storage", "memory"},
                                                           {"discard", "old"},
                                                           {"retention", "workqueue"},
                                                           {"max_msgs", 5}};

} // namespace

BOOST_FIXTURE_TEST_SUITE(reporting_, reporting_fixture)

BOOST_AUTO_TEST_CASE(no_request_is_answered_before_everything_stored_is_counted)
{
    make_stream();
    store(60000, "a:u");
    auto reporting = launch();
    result<message> first = fail(errc::no_responders);
    until(
        [&]
        {
            first = ask("asset", "a");
            return first.has_value();
        });
    BOOST_TEST(first->data.starts_with(R"({"id":"a","views":60000,)"), first->data);
    require_caught_up(reporting);
    BOOST_TEST(reporting.output().find("applied=60000") != std::string::npos, reporting.output());
    stop(reporting);
}

BOOST_AUTO_TEST_CASE(a_suspended_instance_counts_what_it_missed)
{
    auto reporting = launch();
    require_caught_up(reporting);
    store(1, "a:u");
    reporting.suspend();
    const auto last = store(30000, "a:u");
    reporting.signal(SIGCONT);
    until_counted(last);
    BOOST_TEST(views("a") == 30001U);
    stop(reporting);
    require_exact();
}

BOOST_AUTO_TEST_CASE(a_burst_after_a_quiet_time_does_not_put_an_instance_out_of_service)
{
    auto reporting = launch();
    require_caught_up(reporting);
    store(1, "a:u");
    for (int round = 0; round < 3; ++round)
    {
        const auto quiet = deadline::in(1200ms);
        until([&] { return quiet.passed(); });
        store(2000, "a:u");
        BOOST_TEST(code_of(ask("asset", "a")) == "ok");
    }
    BOOST_TEST(views("a") == 6001U);
    BOOST_TEST(reporting.output().find("out of service") == std::string::npos, reporting.output());
    stop(reporting);
}

BOOST_AUTO_TEST_CASE(two_instances_and_every_rebuild_agree_to_the_byte)
{
    make_stream();
    store(mixture(1500));
    auto one = launch("one");
    auto two = launch("two");
    require_caught_up(one);
    require_caught_up(two);
    until_counted(store(mixture(500)), 2);
    stop(two);
    store(mixture(200));
    auto late = launch("two"); // goes on where it was, in other batches
    require_caught_up(late);
    until_counted(store(mixture(50)), 2);
    stop(one);
    stop(late);
    const auto counted = dump("one");
    BOOST_TEST(counted.size() > 1000U);
    BOOST_TEST(dump("two") == counted);

    run_once("one", {"--rebuild"});
    BOOST_TEST(dump("one") == counted);
    for (const auto* suffix : {"", "-wal", "-shm"})
        std::filesystem::remove(database("two") + suffix);
    run_once("two");
    BOOST_TEST(dump("two") == counted);
}

BOOST_AUTO_TEST_CASE(a_second_process_on_the_same_file_is_refused_and_the_first_goes_on)
{
    auto one = launch();
    require_caught_up(one);
    for (const arguments& more : {arguments{}, arguments{"--rebuild"}})
    {
        auto second = launch("one", more);
        require_refusal(second, "another process uses this database");
    }
    until_counted(store(1, "a:u"));
    BOOST_TEST(views("a") == 1U);
    stop(one);
    require_exact();
}

BOOST_AUTO_TEST_CASE(an_id_counts_once_and_a_reused_one_is_refused)
{
    auto reporting = launch();
    require_caught_up(reporting);
    store({event("k", "a", "u")});
    const auto last =
        store({event("k", "a", "u"), event("k", "b", "u"), event("k", "a", "v"), event("other", "a", "u")});
    const auto after = [&](std::string id)
    {
        auto headers = header(names::header_after, std::to_string(last));
        headers.set(names::header_event, id);
        return headers;
    };
    BOOST_TEST(ask("views", "a", "u", after("k"))->data == R"({"assetviews":2,"userviews":2})");
    BOOST_TEST(code_of(ask("views", "b", "u", after("k"))) == "key_reused");
    BOOST_TEST(code_of(ask("views", "a", "v", after("k"))) == "key_reused");
    BOOST_TEST(ask("views", "b", "v", after("unknown"))->data == R"({"assetviews":0,"userviews":0})");
    BOOST_TEST(code_of(ask("views", "a", "u", header(names::header_event, "no id"))) == "bad_request");
    BOOST_TEST(code_of(ask("views", "a", "u", header(names::header_after, "-1"))) == "bad_request");
    BOOST_TEST(statistics().at(0).at("duplicates") == 3);
    stop(reporting);
    require_exact();
}

BOOST_AUTO_TEST_CASE(an_id_of_a_batch_is_compared_with_the_view_that_the_stream_has)
{
    const std::string batch = "01KAZZZZZZZZZZZZZZZZZZZZZZ";
    auto reporting = launch();
    require_caught_up(reporting);
    const auto last =
        store({event(batch + ".0", "a", "u") + "\n" + event(batch + ".1", "b", "v"), event("other", "a", "u")});
    const auto after = [&](const std::string& id)
    {
        auto headers = header(names::header_after, std::to_string(last));
        headers.set(names::header_event, id);
        return headers;
    };
    BOOST_TEST(ask("views", "a", "u", after(batch + ".0"))->data == R"({"assetviews":2,"userviews":2})");
    BOOST_TEST(ask("views", "b", "v", after(batch + ".1"))->data == R"({"assetviews":1,"userviews":1})");
    for (const auto& [asset, user, line] : {std::tuple("b", "v", ".0"), std::tuple("a", "v", ".0"),
                                            std::tuple("a", "u", ".1"), std::tuple("b", "u", ".1")})
        BOOST_TEST(code_of(ask("views", asset, user, after(batch + line))) == "key_reused", asset << user << line);
    BOOST_TEST(ask("views", "c", "w", after(batch + ".2"))->data == R"({"assetviews":0,"userviews":0})");
    api(stream_purge, "{\"seq\":" + std::to_string(last) + "}"); // all before it
    BOOST_TEST(ask("views", "c", "w", after(batch + ".0"))->data == R"({"assetviews":0,"userviews":0})");
    stop(reporting);
}

BOOST_AUTO_TEST_CASE(a_wait_beyond_the_end_lasts_until_its_deadline_or_the_event)
{
    auto reporting = launch();
    require_caught_up(reporting);
    const auto last = store(1, "a:u");
    const auto next = header(names::header_after, std::to_string(last + 1));
    const auto started = deadline::clock::now();
    BOOST_TEST(code_of(ask("views", "a", "u", next, 300ms)) == "timeout");
    const auto took = deadline::clock::now() - started;
    BOOST_TEST(took >= 250ms);
    BOOST_TEST(took < 5s);

    auto headers = next;
    headers.set(names::header_timeout, "20000");
    const auto to = subject::of({"reporting", "views", "a", "u"});
    const auto waiting = hand->requests().request(to, {}, headers, deadline::in(30s));
    store(1, "a:u");
    const auto reply = wait(waiting.receive());
    BOOST_REQUIRE(reply.has_value());
    BOOST_TEST(reply->data == R"({"assetviews":2,"userviews":2})");
    stop(reporting);
}

BOOST_AUTO_TEST_CASE(rejects_are_counted_and_the_last_one_is_in_the_statistics)
{
    auto reporting = launch();
    require_caught_up(reporting);
    BOOST_TEST(!statistics().at(0).as_object().contains("last_reject"));
    store(1, "a:u");
    const auto first = store({"{}"});
    until_counted(first);
    BOOST_TEST(statistics().at(0).at("last_reject").at("sequence") == first);
    store(1, "a:u");
    const auto last = store({"no colon"});
    until_counted(store(1, "a:u"));
    const auto data = statistics().at(0);
    BOOST_TEST(data.at("rejected") == 2);
    BOOST_TEST(data.at("applied") == 3);
    BOOST_TEST(data.at("last_reject").at("sequence") == last);
    BOOST_TEST(data.at("last_reject").at("reason").as_string().size() > 5U);
    BOOST_TEST(reporting.wait_for_line("sequence=" + std::to_string(last)).has_value());
    stop(reporting);
    require_exact();
}

BOOST_AUTO_TEST_CASE(a_flood_of_rejected_events_is_a_few_lines_and_the_number_of_the_others)
{
    constexpr std::size_t rejected = 20000;
    auto reporting = launch();
    require_caught_up(reporting);
    store(rejected, "no colon");
    until_counted(store(1, "a:u"));
    BOOST_TEST(statistics().at(0).at("rejected") == rejected);
    stop(reporting);
    (void)reporting.wait_for_line(" stopped by nobody ",
                                  2s); // in no line: returns when the output has been read to its end
    const auto output = reporting.output();
    std::size_t lines = 0;
    std::size_t suppressed = 0;
    std::istringstream log(output);
    for (std::string line; std::getline(log, line);)
    {
        lines += line.find(": event rejected ") != std::string::npos ? 1 : 0;
        const std::string count = "kind=\"event rejected\" count=";
        if (const auto at = line.find(count); at != std::string::npos)
            suppressed += std::stoul(line.substr(at + count.size()));
    }
    BOOST_TEST(lines >= 1U);
    BOOST_TEST(lines <= 200U); // 20 in ten seconds
    BOOST_TEST(lines + suppressed == rejected);
}

BOOST_AUTO_TEST_CASE(the_dedupe_window_is_of_stream_time_and_rebuilds_agree)
{
    constexpr std::chrono::nanoseconds window = 300ms;
    const arguments more = {"--dedupe-window", "300ms"};
    auto reporting = launch("one", more);
    require_caught_up(reporting);
    std::vector<std::pair<std::string, std::string>> stored; // id and asset
    const auto end = deadline::in(3 * std::chrono::duration_cast<std::chrono::milliseconds>(window));
    for (std::size_t i = 0; i < 300 || !end.passed(); ++i)
    {
        stored.emplace_back("id-" + std::to_string(i * i % 23), "a" + std::to_string(i % 3));
        store({event(stored.back().first, stored.back().second, "u")});
    }
    until_counted(stored.size());

    // The rule of the contract, by the stream's own timestamps.
    std::map<std::string, std::chrono::nanoseconds> taken;
    std::map<std::string, std::uint64_t> expected;
    std::uint64_t again = 0;
    for (std::size_t i = 0; i < stored.size(); ++i)
    {
        const auto& [id, asset] = stored[i];
        const auto time = time_of(i + 1);
        const auto known = taken.find(id);
        if (known != taken.end() && time - known->second < window)
            continue;
        again += known != taken.end() ? 1 : 0;
        taken[id] = time;
        ++expected[asset];
    }
    BOOST_TEST(again > 0U); // else the window was never passed
    for (const auto& [asset, count] : expected)
        BOOST_TEST(views(asset) == count, asset << ": " << views(asset) << ", not " << count);
    stop(reporting);
    require_exact("one", more, window);
}

BOOST_AUTO_TEST_CASE(the_stream_is_made_as_asked_and_an_existing_one_used_if_it_fits)
{
    {
        auto reporting = launch("one", {"--max-bytes", "64M", "--max-age", "7d"});
        require_caught_up(reporting);
        stop(reporting);
        const auto config = api(stream_info).at("config").as_object();
        BOOST_TEST(config.at("max_bytes") == 64 * 1024 * 1024);
        BOOST_TEST(config.at("max_age") == 604800000000000);
        BOOST_TEST(config.at("discard") == "new");
        BOOST_TEST(config.at("storage") == "file");
    }
    auto bytes_differ = launch("one", {"--max-age", "7d", "--max-bytes", "1G"});
    require_caught_up(bytes_differ);
    BOOST_TEST(bytes_differ.wait_for_line("stream is used with its own settings").has_value());
    BOOST_TEST(bytes_differ.wait_for_line("max_bytes is 64 MiB").has_value());
    stop(bytes_differ);
    auto age_differs = launch("one");
    require_caught_up(age_differs);
    BOOST_TEST(age_differs.wait_for_line("max_age is 168h").has_value(), age_differs.output());
    stop(age_differs);
}

// A server for each: one lets go of a deleted stream's files late, and now and then never.
BOOST_DATA_TEST_CASE_F(reporting_fixture, an_existing_stream_with_settings_that_matter_is_refused_by_name,
                       boost::unit_test::data::make(settings_that_matter), changed)
{
    const auto& [setting, value] = changed;
    boost::json::object config{
        {"name", "EVENTS"}, {"subjects", {"events"}}, {"storage", "file"}, {"discard", "new"}, {"retention", "limits"}};
    config[setting] = value;
    create_stream("EVENTS", boost::json::serialize(config));
    auto reporting = launch();
    require_refusal(reporting, setting + " is ");
    BOOST_TEST(reporting.output().find("nats stream ") != std::string::npos, reporting.output());
}

BOOST_AUTO_TEST_SUITE_END()
