// Lookups that travel together: what is sent, and what each play gets.
#include "edge/upstream/asset_batcher.hpp"
#include "schemas/json.hpp"
#include "tests/support/captured_log.hpp"
#include "tests/support/fake_requester.hpp"
#include "tests/support/run_coro.hpp"
#include "tests/support/span_list.hpp"
#include "tests/unit/edge/upstream/kit.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/test/unit_test.hpp>

#include <deque>
#include <map>

using namespace marquee;
using namespace marquee::test;
using namespace std::chrono_literals;

namespace
{

std::string metadata_of(const std::string& id) { return encode(asset_metadata_reply{id, "T" + id, "g", "s"}); }
std::string url_of(const std::string& id) { return encode(asset_url_reply{id, id + ".mp4"}); }

/// A line of a reply for each record: `7 RECORD`, or what is no object as it is.
std::string lines_of(const std::vector<std::string>& records)
{
    std::string text;
    for (const auto& each : records)
        text += (each.starts_with('{') ? "7 " + each : each) + '\n';
    return text;
}

const auto with_gets = read_object(R"({"endpoints":[{"name":"get"},{"name":"gets"}]})").value();

struct assets_kit
{
    assets_kit() { look(with_gets, with_gets); }
    ~assets_kit() { settle_open(); }

    /// An open request and the coroutine that waits for it hold each other.
    void settle_open()
    {
        for (auto& each : nats.open)
            each.settle(fail(errc::stopping));
        nats.open.clear();
        io.restart();
        io.poll();
    }

    void look(const boost::json::object& metadata, const boost::json::object& cdnurl)
    {
        gate.add(upstream_service::metadata, metadata);
        gate.looked(upstream_service::metadata);
        gate.add(upstream_service::cdnurl, cdnurl);
        gate.looked(upstream_service::cdnurl);
    }

    /// A lookup on its way, and what it found.
    struct asked
    {
        asset_id asset;
        std::optional<result<playable_text>> ended;
    };

    asked& find(const std::string& id, deadline::clock::duration time = 20s) { return find_by(batcher, id, time); }

    asked& find_by(asset_batcher& by, const std::string& id, deadline::clock::duration time = 20s)
    {
        auto& one = all.emplace_back(asked{asset_id::parse(id).value(), {}});
        asio::co_spawn(io, by.find(one.asset, "request-1", deadline::in(time)),
                       [&one](const std::exception_ptr&, result<playable_text> how) { one.ended = std::move(how); });
        return one;
    }

    void run_until(const std::function<bool()>& done) { test::run_until(io, done); }

    void run_until_ended()
    {
        run_until([&]
                  { return std::all_of(all.begin(), all.end(), [](const asked& a) { return a.ended.has_value(); }); });
    }

    void script(const std::vector<std::string>& about, const std::vector<std::string>& where)
    {
        nats.script_json("metadata.gets", lines_of(about));
        nats.script_json("cdnurl.gets", lines_of(where));
    }

    void script_alone(const std::string& id)
    {
        nats.script_json("metadata.get." + id, metadata_of(id));
        nats.script_json("cdnurl.get." + id, url_of(id));
    }

    void check_found(const asked& one)
    {
        BOOST_TEST_CONTEXT(one.asset.text())
        {
            BOOST_REQUIRE(one.ended && one.ended->has_value());
            BOOST_TEST(one.ended->value().title == "\"T" + one.asset.text() + '"');
            BOOST_TEST(one.ended->value().url == '"' + one.asset.text() + ".mp4\"");
        }
    }

    void check_failed(const asked& one, errc how)
    {
        BOOST_TEST_CONTEXT(one.asset.text())
        BOOST_TEST((one.ended && one.ended->has_error() && one.ended->error() == how));
    }

    std::vector<std::string> subjects() const
    {
        std::vector<std::string> out;
        for (const auto& each : nats.seen)
            out.push_back(each.subject);
        return out;
    }

    asio::io_context io{1};
    fake_requester nats{io.get_executor()};
    worker_metrics metrics{{}};
    service_client services{nats, nats, metrics};
    std::deque<asked> all;
    gets_gate gate;
    asset_batcher batcher{io, services, gate};
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(asset_batcher_, assets_kit)

BOOST_AUTO_TEST_CASE(lookups_of_a_turn_are_lines_of_one_request_to_each_catalogue)
{
    script({metadata_of("a"), metadata_of("b c"), metadata_of("a")}, {url_of("a"), url_of("b c"), url_of("a")});
    for (const auto* id : {"a", "b c", "a"})
        find(id);
    run_until_ended();
    for (const auto& each : all)
        check_found(each);
    BOOST_TEST(subjects() == (std::vector<std::string>{"metadata.gets", "cdnurl.gets"}),
               boost::test_tools::per_element());
    for (const auto& each : nats.seen)
    {
        BOOST_TEST(each.payload == "a\nb=20c\na\n");
        BOOST_TEST(each.headers.get(names::header_request_id).size() == 26U);
    }
}

BOOST_AUTO_TEST_CASE(a_message_for_several_traced_plays_is_a_child_of_the_first_and_has_links_to_the_others)
{
    span_list spans;
    script({metadata_of("a"), metadata_of("b"), metadata_of("c")}, {url_of("a"), url_of("b"), url_of("c")});
    std::vector<trace_context> plays;
    for (int i = 0; i < 2; ++i)
        plays.push_back(make_trace());
    for (auto& each : plays)
        each.sampled = true;
    find("a");
    for (const auto* id : {"b", "c"})
    {
        auto& one = all.emplace_back(asked{asset_id::parse(id).value(), {}});
        asio::co_spawn(io, batcher.find(one.asset, "request-1", deadline::in(20s), &plays[all.size() - 2]),
                       [&one](const std::exception_ptr&, result<playable_text> how) { one.ended = std::move(how); });
    }
    run_until_ended();
    std::map<std::string, std::vector<std::unique_ptr<span_record>>> by_name;
    for (auto& each : spans.take())
        by_name[each->name].push_back(std::move(each));
    const auto& lookups = by_name["look up asset"];
    BOOST_REQUIRE(lookups.size() == 2U);
    for (std::size_t i = 0; i < 2; ++i)
        BOOST_TEST((lookups[i]->parent_span == plays[i].span_id));
    for (const auto* name : {"request metadata.gets", "request cdnurl.gets"})
    {
        BOOST_REQUIRE(by_name[name].size() == 1U);
        const auto& request = *by_name[name].front();
        BOOST_TEST((request.parent_span == lookups[0]->context.span_id));
        BOOST_REQUIRE(request.links.size() == 1U);
        BOOST_TEST((request.links[0] == lookups[1]->context));
    }
    BOOST_TEST(nats.seen[0].headers.get("traceparent") ==
               format_traceparent(by_name["request metadata.gets"].front()->context));
}

BOOST_AUTO_TEST_CASE(the_request_of_one_lookup_has_its_request_id_and_one_of_several_an_id_of_its_own)
{
    script({metadata_of("a")}, {url_of("a")});
    find("a");
    run_until_ended();
    BOOST_TEST_REQUIRE(nats.seen.size() == 2U);
    for (const auto& each : nats.seen)
        BOOST_TEST(each.headers.get("Marquee-Request-Id") == "request-1");

    script({metadata_of("a"), metadata_of("b")}, {url_of("a"), url_of("b")});
    find("a");
    find("b");
    run_until_ended();
    BOOST_TEST_REQUIRE(nats.seen.size() == 4U);
    const auto shared = nats.seen[2].headers.get("Marquee-Request-Id");
    BOOST_TEST(shared.size() == 26U, shared);
    BOOST_TEST(nats.seen[3].headers.get("Marquee-Request-Id") == shared);
}

BOOST_AUTO_TEST_CASE(each_line_answers_its_own_lookup)
{
    script({metadata_of("a"), "-", metadata_of("c"), "-", metadata_of("e")},
           {url_of("a"), url_of("b"), "-", "-", url_of("e")});
    for (const auto* id : {"a", "b", "c", "d", "e"})
        find(id);
    run_until_ended();
    check_found(all[0]);
    check_failed(all[1], errc::asset_not_found);
    check_failed(all[2], errc::not_playable);
    check_failed(all[3], errc::asset_not_found);
    check_found(all[4]);
}

BOOST_AUTO_TEST_CASE(a_line_that_does_not_answer_is_looked_up_alone)
{
    const std::pair<std::string, std::string> table[] = {
        {"!", url_of("b")},
        {metadata_of("b"), "!"},
        {"400", "400"},
        {metadata_of("other"), url_of("b")},
        {metadata_of("b"), url_of("other")},
        {R"({"id":"b"})", url_of("b")},
        {R"({"id":"b","title":7})", url_of("b")},
        {metadata_of("b"), "{}"},
    };
    for (const auto& [about, where] : table)
    {
        BOOST_TEST_CONTEXT(about << ' ' << where)
        {
            all.clear();
            nats.seen.clear();
            script({metadata_of("a"), about}, {url_of("a"), where});
            script_alone("b");
            find("a");
            find("b");
            run_until_ended();
            check_found(all[0]);
            check_found(all[1]);
            BOOST_TEST(nats.seen.size() == 4U);
        }
    }
}

BOOST_AUTO_TEST_CASE(a_reply_without_a_line_for_each_is_no_reply_and_all_are_looked_up_alone)
{
    captured_log log;
    for (const std::string reply : {"", "-\n", "-\n-\n-\n", "-\n-", "x\n-\n", "0 {}\n-\n", "{}"})
    {
        BOOST_TEST_CONTEXT(reply)
        {
            all.clear();
            asset_batcher own(io, services, gate); // one that met such a reply looks up alone for a while
            nats.script_json("metadata.gets", reply);
            nats.script_json("cdnurl.gets", lines_of({url_of("a"), url_of("b")}));
            script_alone("a");
            script_alone("b");
            find_by(own, "a");
            find_by(own, "b");
            run_until_ended();
            check_found(all[0]);
            check_found(all[1]);
        }
    }
    BOOST_TEST(log.text().find("made no sense") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(while_a_catalogue_has_no_gets_all_are_looked_up_alone)
{
    for (const std::string text :
         {"{}", R"({"endpoints":[]})", R"({"endpoints":{"name":"gets"}})", R"({"endpoints":[{"name":"get"},"gets",7]})",
          R"({"endpoints":[{"name":["gets"]}]})"})
    {
        const auto without = read_object(text).value();
        for (const bool metadata : {true, false})
        {
            all.clear();
            nats.seen.clear();
            look(metadata ? without : with_gets, metadata ? with_gets : without);
            script_alone("a");
            find("a");
            run_until_ended();
            check_found(all[0]);
            BOOST_TEST(subjects().front() == "metadata.get.a");
        }
    }
    look(with_gets, with_gets);
    script({metadata_of("a")}, {url_of("a")});
    nats.seen.clear();
    find("a");
    run_until_ended();
    BOOST_TEST(subjects().front() == "metadata.gets");
    gate.looked(upstream_service::cdnurl); // no instance has answered in time
    BOOST_TEST(gate.open());
}

BOOST_AUTO_TEST_CASE(where_nobody_answers_gets_all_are_looked_up_alone_for_a_while)
{
    for (const auto* id : {"a", "b", "c"})
        script_alone(id);
    find("a");
    find("b");
    run_until_ended();
    BOOST_TEST(subjects().front() == "metadata.gets");
    nats.seen.clear();
    find("c");
    run_until_ended();
    for (const auto& each : all)
        check_found(each);
    BOOST_TEST(subjects() == (std::vector<std::string>{"metadata.get.c", "cdnurl.get.c"}),
               boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(the_failure_of_a_service_is_that_of_each_lookup)
{
    for (const auto how : {errc::disconnected, errc::overloaded, errc::timeout}) // after a timeout: alone
    {
        all.clear();
        services.health.of(upstream_service::metadata).failed(service_health::permit::granted, how, {}, {});
        spend_budget(services.health.of(upstream_service::metadata));
        nats.script("metadata.gets", fail(how));
        nats.script_json("cdnurl.gets", lines_of({url_of("a"), url_of("b")}));
        find("a");
        find("b");
        run_until_ended();
        check_failed(all[0], how);
        check_failed(all[1], how);
    }
}

BOOST_AUTO_TEST_CASE(while_a_circuit_is_open_nothing_is_found)
{
    open_circuit(services.health.of(upstream_service::cdnurl));
    find("a");
    run_until_ended();
    check_failed(all[0], errc::unavailable);
    BOOST_TEST(subjects() == std::vector<std::string>{"metadata.gets"}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(while_the_circuit_of_metadata_is_open_nothing_is_sent)
{
    open_circuit(services.health.of(upstream_service::metadata));
    find("a");
    find("b");
    run_until_ended();
    check_failed(all[0], errc::unavailable);
    check_failed(all[1], errc::unavailable);
    BOOST_TEST(nats.seen.empty());
}

BOOST_AUTO_TEST_CASE(what_metadata_decides_does_not_wait_for_cdnurl)
{
    nats.script_json("metadata.gets", lines_of({metadata_of("a"), "-", "!"}));
    nats.script_silence("cdnurl.gets");
    script_alone("c");
    find("a");
    find("b");
    find("c");
    run_until([&] { return all[1].ended && all[2].ended; });
    check_failed(all[1], errc::asset_not_found);
    check_found(all[2]);
    BOOST_TEST(!all[0].ended.has_value());
    nats.open[0].settle(message{"", "", lines_of({url_of("a"), "-", "-"}), {}});
    run_until_ended();
    check_found(all[0]);
}

BOOST_AUTO_TEST_CASE(an_error_that_may_be_one_assets_fault_is_not_that_of_the_others)
{
    captured_log log; // they are logged
    for (const auto how : {errc::asset_not_found, errc::bad_request, errc::key_reused, errc::service_failed,
                           errc::malformed_reply, errc::payload_too_large})
    {
        for (const bool metadata : {true, false})
        {
            BOOST_TEST_CONTEXT(name_of(how) << (metadata ? " of metadata" : " of cdnurl"))
            {
                all.clear();
                asset_batcher own(io, services, gate);
                nats.script("metadata.gets",
                            metadata ? result<message>(fail(how)) : message{"", "", lines_of({metadata_of("a")}), {}});
                nats.script("cdnurl.gets",
                            metadata ? message{"", "", lines_of({url_of("a")}), {}} : result<message>(fail(how)));
                script_alone("a");
                const auto& one = find_by(own, "a");
                run_until_ended();
                check_found(one);
                nats.forget_scripts();
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(each_lookup_has_a_deadline_of_its_own)
{
    nats.script_silence("metadata.gets");
    nats.script_silence("cdnurl.gets");
    auto& soon = find("a", 30ms);
    auto& late = find("b");
    run_until([&] { return soon.ended.has_value(); });
    check_failed(soon, errc::timeout);
    BOOST_TEST(!late.ended.has_value());
    nats.open[0].settle(message{"", "", lines_of({metadata_of("a"), metadata_of("b")}), {}});
    nats.open[1].settle(message{"", "", lines_of({url_of("a"), url_of("b")}), {}});
    run_until_ended();
    check_found(late);
}

BOOST_AUTO_TEST_CASE(a_request_is_bounded_in_assets_and_in_bytes)
{
    const auto run = [&](std::size_t number, const std::string& tail)
    {
        all.clear();
        nats.seen.clear();
        nats.forget_scripts();
        settle_open();
        for (int i = 0; i < 8; ++i)
            nats.script_silence(i % 2 == 0 ? "metadata.gets" : "cdnurl.gets");
        for (std::size_t i = 0; i < number; ++i)
            find(std::to_string(i) + tail, 50ms);
        run_until_ended();
        std::vector<std::size_t> lines;
        for (std::size_t i = 0; i < nats.seen.size(); i += 2)
        {
            const auto& sent = nats.seen[i].payload;
            BOOST_TEST(sent.size() <= max_gets_request_bytes);
            lines.push_back(static_cast<std::size_t>(std::count(sent.begin(), sent.end(), '\n')));
        }
        return lines;
    };
    BOOST_TEST(run(257, "") == (std::vector<std::size_t>{256, 1}), boost::test_tools::per_element());
    const auto long_ones = run(256, std::string(120, ' ')); // tokens of 363 bytes
    BOOST_REQUIRE(long_ones.size() == 2U);
    BOOST_TEST(long_ones[0] + long_ones[1] == 256U);
}

BOOST_AUTO_TEST_CASE(the_end_of_a_batcher_destroys_the_coroutines_that_wait)
{
    nats.script_silence("metadata.gets");
    nats.script_silence("cdnurl.gets");
    auto own = std::make_unique<asset_batcher>(io, services, gate);
    const auto asset = asset_id::parse("a").value();
    const auto held = std::make_shared<int>();
    auto waits = [](asset_batcher& by, const asset_id& id, std::shared_ptr<int>) -> asio::awaitable<void>
    {
        auto looking = by.find(id, "request-1", deadline::in(20s));
        [[maybe_unused]] const auto never = co_await std::move(looking);
        BOOST_ERROR("a lookup ended");
    };
    asio::co_spawn(io, waits(*own, asset, held), asio::detached);
    run_until([&] { return nats.seen.size() == 2; });
    asio::co_spawn(io, waits(*own, asset, held), asio::detached);
    io.restart();
    io.run_one(); // as far as gathered
    own.reset();
    nats.open[0].settle(message{"", "", "-\n", {}});
    nats.open[1].settle(message{"", "", "-\n", {}});
    io.restart();
    io.poll();
    BOOST_TEST(held.use_count() == 1);
}

BOOST_AUTO_TEST_SUITE_END()
