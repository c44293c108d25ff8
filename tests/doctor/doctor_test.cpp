// marquee-doctor beside systems that have something wrong: it names it, and how to cure it.
#include "tests/end_to_end/programs.hpp"
#include "tests/support/blocking_nats.hpp"

#include <boost/json/serialize.hpp>
#include <boost/test/unit_test.hpp>

#include <sstream>

using namespace marquee::test;
using marquee::subject;

namespace
{

ended examine(const std::string& server, words more = {})
{
    more.insert(more.begin(), {"--server", server});
    auto found = run("doctor", more, {}, std::chrono::seconds(60));
    std::istringstream lines(found.output);
    std::string wrong;
    for (std::string line; std::getline(lines, line);)
    {
        BOOST_TEST((wrong.empty() || line.starts_with("         cure: ")), "no cure for: " << wrong);
        wrong = line.starts_with("problem ") || line.starts_with("warning ") ? line : "";
    }
    return found;
}

bool has(const ended& of, const std::string& part) { return of.output.find(part) != std::string::npos; }

void check_has(const ended& of, const std::string& part)
{
    BOOST_TEST(has(of, part), "no \"" << part << "\" in:\n" << of.output);
}

/// The broker's URL for user `a`, password `a`.
std::string as_user_a(const nats_server& broker) { return "nats://a:a@127.0.0.1:" + std::to_string(broker.port()); }

/// As `nats stream edit`.
void edit_events(blocking_nats& nats, const std::string& setting, const boost::json::value& value)
{
    auto config = nats.api(subject::of({"$JS", "API", "STREAM", "INFO", "EVENTS"})).at("config").as_object();
    config[setting] = value;
    (void)nats.api(subject::of({"$JS", "API", "STREAM", "UPDATE", "EVENTS"}), boost::json::serialize(config));
}

} // namespace

BOOST_AUTO_TEST_SUITE(marquee_doctor)

BOOST_AUTO_TEST_CASE(a_sound_system_has_no_problem_and_each_fault_is_named_with_its_cure)
{
    marquee_system system;
    blocking_nats nats(system.server());
    const auto sound = examine(system.server(), {"--data", system.folder().string()});
    BOOST_TEST(sound.code == 0, sound.output);
    for (const auto* line :
         {"ok       broker: nats-server ", "ok       JetStream: ", "ok       EVENTS: ", "ok       KV_metadata: ",
          "ok       KV_cdnurl: ", "ok       clocks: ", "ok       metadata: answered", "ok       cdnurl: answered",
          "ok       reporting: answered", "disk: ", "\n0 problems, "})
        check_has(sound, line);

    system.kill("metadata");
    const auto absent = examine(system.server());
    BOOST_TEST(absent.code == 1);
    check_has(absent, "problem  metadata: no instance answers\n         cure: start marquee-metadata\n");
    check_has(absent, "1 problem, ");
    system.start("metadata");

    edit_events(nats, "max_bytes", 1000);
    edit_events(nats, "max_age", std::int64_t{3600} * 1'000'000'000);
    const auto tight = examine(system.server());
    check_has(tight, "warning  EVENTS: max_age is 1h");
    edit_events(nats, "max_age", 0);
    while (nats.api(subject::of({"$JS", "API", "STREAM", "INFO", "EVENTS"})).at("state").at("bytes").to_number<int>() <
           850)
        BOOST_TEST_REQUIRE(system.call({"POST", "/play/asset/123/user/1"}).status == 200);
    const auto full = examine(system.server());
    check_has(full,
              " % full: what finds no room is refused\n         cure: nats stream edit EVENTS --max-bytes 2000\n");
    edit_events(nats, "max_bytes", -1);

    system.start("reporting-2");
    BOOST_TEST(examine(system.server()).code == 0);
    BOOST_TEST(examine(system.server(), {"--timeout", "soon"}).code == 2);
    BOOST_TEST(system.call({"POST", "/play/asset/123/user/1"}).status == 200);
}

BOOST_AUTO_TEST_CASE(instances_that_count_by_different_rules_are_a_problem)
{
    marquee_system::settings with;
    with.start.emplace_back("reporting-2");
    with.extra["reporting-2"] = {"--dedupe-window", "1h"};
    marquee_system system(with);
    const auto found = examine(system.server());
    BOOST_TEST(found.code == 1);
    check_has(found, "problem  reporting: instances count by different rules: ");
    check_has(found, "version 4, window 1d");
    check_has(found, "version 4, window 1h");
    check_has(found, "cure: start all with one version and the same --dedupe-window");
}

BOOST_AUTO_TEST_CASE(a_stream_that_cannot_be_used_is_a_problem)
{
    marquee_system system;
    blocking_nats nats(system.server());
    edit_events(nats, "discard", "old");
    const auto found = examine(system.server());
    BOOST_TEST(found.code == 1);
    check_has(found, "problem  EVENTS: discard is old: ");
    check_has(found, "cure: nats stream edit EVENTS --discard");
    for (const auto* name : {"metadata", "cdnurl", "reporting", "edge"})
        system.kill(name);
    (void)nats.api(subject::of({"$JS", "API", "STREAM", "DELETE", "KV_cdnurl"}));
    const auto missing = examine(system.server());
    check_has(missing,
              "problem  KV_cdnurl: there is no such stream\n         cure: start marquee-cdnurl, which makes it");
}

BOOST_AUTO_TEST_CASE(a_broker_without_services_lacks_streams_and_each_is_named_with_who_makes_it)
{
    const nats_server broker;
    const auto found = examine(broker.url());
    BOOST_TEST(found.code == 1);
    for (const std::string name : {"reporting", "metadata", "cdnurl"})
    {
        const auto stream = name == "reporting" ? "EVENTS" : "KV_" + name;
        check_has(found, "problem  " + stream + ": there is no such stream\n         cure: start marquee-" + name +
                             ", which makes it, or restore a backup\n");
        check_has(found, "problem  " + name + ": no instance answers\n         cure: start marquee-" + name + '\n');
    }
}

BOOST_AUTO_TEST_CASE(a_broker_that_is_away_or_lacks_jetstream_is_a_problem)
{
    std::string away;
    {
        nats_server broker;
        away = broker.url();
    }
    const auto none = examine(away);
    BOOST_TEST(none.code == 1);
    check_has(none, "problem  broker: ");
    check_has(none, "cure: start the broker, or name it with --server");

    nats_server broker(R"(accounts { A { users: [{user: "a", password: "a"}] } })"
                       "\n");
    const auto without = examine(as_user_a(broker), {"--timeout", "1s"});
    BOOST_TEST(without.code == 1);
    check_has(without, "problem  JetStream: ");
    check_has(without, "problem  reporting: no instance answers");
    BOOST_TEST(!has(without, "a:a@"));
}

BOOST_AUTO_TEST_CASE(a_user_who_may_not_look_is_told_so)
{
    nats_server broker(
        R"(authorization { users: [{user: "a", password: "a", permissions: {publish: {deny: "$JS.API.>"}}}] })"
        "\n");
    const auto found = examine(as_user_a(broker), {"--timeout", "300ms"});
    BOOST_TEST(found.code == 1);
    check_has(found, "problem  EVENTS: no answer (");
    check_has(found, "this user may not ask $JS.API.STREAM.INFO.EVENTS");
    check_has(found, "warning  permissions: the broker refused this user something, last: ");
    check_has(found, "\"$JS.API.STREAM.INFO.KV_cdnurl\"");
}

BOOST_AUTO_TEST_SUITE_END()
