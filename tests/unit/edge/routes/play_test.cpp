#include "schemas/event.hpp"
#include "tests/unit/edge/kit.hpp"

#include <boost/test/unit_test.hpp>

using namespace marquee;
using namespace marquee::test;
using namespace std::chrono_literals;

namespace
{

constexpr auto metadata = R"({"id":"456","title":"Terminator","genre":"action","summary":"Summary"})";
constexpr auto url = R"({"id":"456","url":"path/to/asset456.mp4"})";
constexpr auto counts = R"({"assetviews":7,"userviews":3})";
constexpr auto stored = R"({"stream":"EVENTS","seq":41})";
constexpr auto play = "/play/asset/456/user/8";
constexpr auto record = "/events/asset/456/user/8";

struct play_kit : gateway_kit
{
    void script_lookups()
    {
        nats.script_json("metadata.get.456", metadata);
        nats.script_json("cdnurl.get.456", url);
    }
    void script_all()
    {
        script_lookups();
        nats.script_json("events", stored);
        nats.script_json("reporting.views.456.8", counts);
    }
    [[nodiscard]] bool published() const
    {
        const auto seen = subjects_seen();
        return std::find(seen.begin(), seen.end(), "events") != seen.end();
    }
};

std::int64_t timeout_of(const fake_requester::seen_request& seen)
{
    return std::stoll(std::string(seen.headers.get(names::header_timeout)));
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(plays, play_kit)

BOOST_AUTO_TEST_CASE(a_play_returns_metadata_url_and_counts)
{
    script_all();
    const auto answer = send("POST", play);
    BOOST_TEST(answer.status == 200);
    BOOST_TEST(answer.fields.get("Content-Type").value() == "application/json");
    BOOST_TEST(answer.fields.get("Cache-Control").value() == "no-store");
    BOOST_TEST(
        answer.body ==
        R"({"id":"456","title":"Terminator","genre":"action","summary":"Summary","url":"path/to/asset456.mp4","userviews":3,"assetviews":7})");
}

BOOST_AUTO_TEST_CASE(the_event_is_stored_before_the_counts_are_requested_with_its_sequence)
{
    script_all();
    BOOST_TEST(send("POST", play).status == 200);
    const std::vector<std::string> expected = {"metadata.get.456", "cdnurl.get.456", "events", "reporting.views.456.8"};
    BOOST_TEST(subjects_seen() == expected, boost::test_tools::per_element());

    const auto& event = nats.seen[2];
    const auto parsed = parse_event(event.payload);
    BOOST_REQUIRE(parsed.has_value());
    BOOST_TEST(parsed->asset.text() == "456");
    BOOST_TEST(parsed->user.text() == "8");
    BOOST_TEST(parsed->id.value() == event.headers.get(names::header_msg_id));
    const auto& views = nats.seen[3];
    BOOST_TEST(views.headers.get(names::header_after) == "41");
    BOOST_TEST(!views.headers.has(names::header_event)); // the id is new: nothing to compare
    for (const auto index : {0, 1, 3})
        BOOST_TEST(nats.seen[index].headers.get(names::header_request_id) == "request-1");
}

BOOST_AUTO_TEST_CASE(both_lookups_are_sent_before_either_is_answered)
{
    nats.script_silence("metadata.get.456");
    nats.script_silence("cdnurl.get.456");
    nats.script_json("events", stored);
    nats.script_json("reporting.views.456.8", counts);
    http_response answer;
    bool done = false;
    auto request = make("POST", play);
    asio::co_spawn(io, handle_request(edge, std::move(request)),
                   [&](const std::exception_ptr&, http_response a)
                   {
                       answer = std::move(a);
                       done = true;
                   });
    io.poll();
    BOOST_REQUIRE(nats.open.size() == 2U);
    BOOST_TEST(edge.admitted.in_flight == 1U);
    nats.open[1].settle(message{"", "", url, {}});
    io.poll();
    BOOST_TEST(!done);
    BOOST_TEST(!published());
    nats.open[0].settle(message{"", "", metadata, {}});
    io.poll();
    BOOST_REQUIRE(done);
    BOOST_TEST(answer.status == 200);
    BOOST_TEST(edge.admitted.in_flight == 0U);
}

BOOST_AUTO_TEST_CASE(the_deadline_travels_and_statistics_get_at_most_half_of_it_and_500_ms)
{
    const std::pair<std::chrono::milliseconds, int> table[] = {{2000ms, 500}, {600ms, 300}};
    for (const auto& [timeout, most] : table)
    {
        nats.seen.clear();
        edge.admitted.timeout = timeout;
        script_all();
        BOOST_TEST(send("POST", play).status == 200);
        for (const auto index : {0, 1})
        {
            BOOST_TEST(timeout_of(nats.seen[index]) <= timeout.count());
            BOOST_TEST(timeout_of(nats.seen[index]) > timeout.count() - 200);
        }
        BOOST_TEST(nats.seen[2].until.remaining().count() <= most / 2); // the other half is for a second attempt
        BOOST_TEST(timeout_of(nats.seen[3]) <= most);
        BOOST_TEST(timeout_of(nats.seen[3]) > most / 2);
    }
}

BOOST_AUTO_TEST_CASE(a_request_to_a_silent_instance_of_reporting_is_retried_within_the_deadline)
{
    const error silence = fail(errc::timeout);
    const std::pair<result<message>, std::string> second_answers[] = {{message{"", "", counts, {}}, "(absent)"},
                                                                      {silence, R"(["reporting"])"},
                                                                      {fail(errc::no_responders), R"(["reporting"])"}};
    for (const auto& [second, degraded] : second_answers)
    {
        nats.seen.clear();
        nats.script_json("metadata.get.456", metadata);
        nats.script_json("cdnurl.get.456", url);
        nats.script_json("events", stored);
        nats.script("reporting.views.456.8", silence);
        nats.script("reporting.views.456.8", second);
        const auto answer = send("POST", play);
        BOOST_TEST(answer.status == 200);
        BOOST_TEST(member(answer, "degraded") == degraded);
        BOOST_REQUIRE(nats.seen.size() == 5U);
        BOOST_TEST((nats.seen[4].until.at() > nats.seen[2].until.at()));
        BOOST_TEST(nats.seen[4].headers.get("Marquee-After") == nats.seen[3].headers.get("Marquee-After"));
    }
}

BOOST_AUTO_TEST_CASE(a_lookup_of_a_silent_instance_is_answered_by_another)
{
    nats.script("metadata.get.456", fail(errc::timeout));
    nats.script("cdnurl.get.456", fail(errc::timeout));
    script_all();
    BOOST_TEST(send("POST", play).status == 200);
    BOOST_REQUIRE(nats.seen.size() == 6U);
    BOOST_TEST((nats.seen[2].until.at() == nats.seen[0].until.at()));
    BOOST_TEST((nats.seen[3].until.at() == nats.seen[1].until.at()));
}

BOOST_AUTO_TEST_CASE(a_play_without_a_required_part_fails_and_nothing_is_counted)
{
    struct row
    {
        const char* name;
        result<message> about;
        result<message> where;
        int status;
        const char* code;
    };
    const auto json = [](const char* text) { return message{"", "", text, {}}; };
    const row table[] = {
        {"unknown", fail(errc::asset_not_found), json(url), 404, "asset_not_found"},
        {"unknown to both", fail(errc::asset_not_found), fail(errc::asset_not_found), 404, "asset_not_found"},
        {"no URL", json(metadata), fail(errc::asset_not_found), 404, "not_playable"},
        {"no metadata service", fail(errc::no_responders), json(url), 503, "no_responders"},
        {"no cdnurl service", json(metadata), fail(errc::no_responders), 503, "no_responders"},
        {"silent metadata", fail(errc::timeout), json(url), 504, "timeout"},
        {"silent cdnurl", json(metadata), fail(errc::timeout), 504, "timeout"},
        {"broker away", fail(errc::disconnected), fail(errc::disconnected), 503, "disconnected"},
        {"overloaded service", json(metadata), fail(errc::overloaded), 503, "overloaded"},
        {"failing service", json(metadata), fail(errc::service_failed), 502, "service_failed"},
        {"a service that speaks HTTP", fail(errc::unauthorized), json(url), 502, "malformed_reply"},
        {"garbage metadata", json("garbage"), json(url), 502, "malformed_reply"},
        {"garbage url", json(metadata), json("{"), 502, "malformed_reply"},
        {"empty metadata", json(""), json(url), 502, "malformed_reply"},
        {"missing member", json(R"({"id":"456","title":"T","genre":"g"})"), json(url), 502, "malformed_reply"},
        {"wrong type", json(metadata), json(R"({"id":"456","url":5})"), 502, "malformed_reply"},
        {"metadata of another asset", json(R"({"id":"123","title":"T","genre":"g","summary":"s"})"), json(url), 502,
         "malformed_reply"},
        {"url of another asset", json(metadata), json(R"({"id":"123","url":"u"})"), 502, "malformed_reply"},
    };
    for (const auto& each : table)
        BOOST_TEST_CONTEXT(each.name)
        {
            script_answer("metadata.get.456", each.about);
            script_answer("cdnurl.get.456", each.where);
            const auto answer = send("POST", play);
            check_problem(answer, each.status, each.code);
            BOOST_TEST(member(answer, "id") == "456");
            BOOST_TEST(!published());
        }
    script_all();
    BOOST_TEST(send("POST", play).status == 200);
}

BOOST_AUTO_TEST_CASE(statistics_that_fail_degrade_the_play_and_never_fail_it)
{
    struct row
    {
        const char* name;
        result<message> event;
        result<message> views;
        const char* degraded;
    };
    const auto json = [](const char* text) { return message{"", "", text, {}}; };
    const row table[] = {
        {"no stream", fail(errc::no_responders), json(counts), "events"},
        {"not confirmed", fail(errc::timeout), json(counts), "events"},
        {"refused", json(R"({"error":{"code":503,"description":"full"}})"), json(counts), "events"},
        {"garbage acknowledgement", json("x"), json(counts), "events"},
        {"broker gone", fail(errc::disconnected), json(counts), "events"},
        {"no reporting", json(stored), fail(errc::no_responders), "reporting"},
        {"slow reporting", json(stored), fail(errc::timeout), "reporting"},
        {"garbage counts", json(stored), json("[]"), "reporting"},
        {"negative counts", json(stored), json(R"({"assetviews":-1,"userviews":1})"), "reporting"},
        {"failing reporting", json(stored), fail(errc::service_failed), "reporting"},
    };
    for (const auto& each : table)
        BOOST_TEST_CONTEXT(each.name)
        {
            gateway_kit fresh;
            fresh.nats.script_json("metadata.get.456", metadata);
            fresh.nats.script_json("cdnurl.get.456", url);
            fresh.nats.script("events", each.event);
            fresh.nats.script("reporting.views.456.8", each.views);
            const auto answer = fresh.send("POST", play);
            BOOST_TEST(answer.status == 200);
            BOOST_TEST(member(answer, "title") == "Terminator");
            BOOST_TEST(member(answer, "userviews") == "null");
            BOOST_TEST(member(answer, "assetviews") == "null");
            BOOST_TEST(member(answer, "degraded") == std::string("[\"") + each.degraded + "\"]");
            BOOST_TEST(answer.fields.get("Cache-Control").value() == "no-store");
        }
}

BOOST_AUTO_TEST_CASE(without_a_key_each_play_is_a_new_event)
{
    script_all();
    script_all();
    send("POST", play);
    send("POST", play);
    const auto first = nats.seen[2].headers.get(names::header_msg_id);
    const auto second = nats.seen[6].headers.get(names::header_msg_id);
    BOOST_TEST(first.size() == 26U);
    BOOST_TEST(first != second);
}

BOOST_AUTO_TEST_CASE(with_a_key_a_retry_is_the_same_event_in_both_forms_of_the_key)
{
    const auto user = user_id::parse("8").value();
    for (const auto* key : {"order 66", "order 66"})
    {
        nats.seen.clear();
        script_all();
        BOOST_TEST(send("POST", play, {{"Idempotency-Key", std::string("\"") + key + "\""}}).status == 200);
        BOOST_TEST(nats.seen[2].headers.get(names::header_msg_id) == event_id_for_key(user, key));
        BOOST_TEST(nats.seen[3].headers.get(names::header_event) == event_id_for_key(user, key));
    }
    for (const auto* form : {"k", "\"k\""})
    {
        nats.seen.clear();
        nats.script_json("events", stored);
        nats.script_json("reporting.views.456.8", counts);
        BOOST_TEST(send("POST", record, {{"Idempotency-Key", form}}).status == 200);
        BOOST_TEST(nats.seen[0].headers.get(names::header_msg_id) == event_id_for_key(user, "k"));
    }
}

BOOST_AUTO_TEST_CASE(a_key_used_for_another_asset_is_422)
{
    script_lookups();
    nats.script_json("events", stored);
    nats.script("reporting.views.456.8", fail(errc::key_reused));
    const auto answer = send("POST", play, {{"Idempotency-Key", "k"}});
    check_problem(answer, 422, "key_reused");
    BOOST_TEST(member(answer, "field") == "Idempotency-Key");

    nats.script_json("events", stored);
    nats.script("reporting.views.456.8", fail(errc::key_reused));
    check_problem(send("POST", record, {{"Idempotency-Key", "k"}}), 422, "key_reused");
}

BOOST_AUTO_TEST_CASE(a_malformed_key_is_400_and_nothing_is_sent)
{
    for (const auto* path : {play, record})
    {
        const auto answer = send("POST", path, {{"Idempotency-Key", "\"k"}});
        check_problem(answer, 400, "bad_request");
        BOOST_TEST(member(answer, "field") == "Idempotency-Key");
    }
    BOOST_TEST(nats.seen.empty());
}

BOOST_AUTO_TEST_CASE(hostile_ids_are_refused_and_nothing_is_sent)
{
    const std::string a(129, 'a');
    for (const std::string& id :
         {std::string("%00"), std::string("a%00b"), std::string("%0D%0APUB%20x"), std::string("%C0%AF"),
          std::string("%ED%A0%80"), std::string("%FF"), std::string("%7F"), std::string("%C2%85"), std::string(), a})
        for (const auto& [path, field] :
             {std::pair("/play/asset/" + id + "/user/8", "asset"), std::pair("/play/asset/456/user/" + id, "user"),
              std::pair("/events/asset/" + id + "/user/8", "asset")})
            BOOST_TEST_CONTEXT(path)
            {
                const auto answer = send("POST", path);
                check_problem(answer, 400, "bad_id");
                BOOST_TEST(member(answer, "field") == field);
            }
    BOOST_TEST(nats.seen.empty());
}

BOOST_AUTO_TEST_CASE(unusual_ids_stay_within_one_token)
{
    const std::pair<const char*, const char*> table[] = {
        {"a%20b", "a=20b"},        {"a.b", "a=2Eb"}, {"*", "=2A"},       {"%3E", "=3E"},
        {"...", "=2E=2E=2E"},      {"=41", "=3D41"}, {"%2541", "=2541"}, {"10.5240%2F7791", "10=2E5240=2F7791"},
        {"%E6%98%A0", "=E6=98=A0"}};
    for (const auto& [sent, token] : table)
        BOOST_TEST_CONTEXT(sent)
        {
            nats.seen.clear();
            nats.script_json("events", stored);
            nats.script_json(std::string("reporting.views.") + token + "." + token, counts);
            const auto answer = send("POST", std::string("/events/asset/") + sent + "/user/" + sent);
            BOOST_TEST(answer.status == 200);
            BOOST_TEST(member(answer, "userviews") == "3");
        }
}

BOOST_AUTO_TEST_CASE(a_view_is_recorded_without_a_lookup_of_the_asset)
{
    nats.script_json("events", stored);
    nats.script_json("reporting.views.456.8", counts);
    const auto answer = send("POST", record);
    BOOST_TEST(answer.status == 200);
    BOOST_TEST(answer.body == R"({"userviews":3,"assetviews":7})");
    const std::vector<std::string> expected = {"events", "reporting.views.456.8"};
    BOOST_TEST(subjects_seen() == expected, boost::test_tools::per_element());
    BOOST_TEST(nats.seen[0].until.remaining().count() >
               500); // storing is required: two attempts share the whole deadline
    BOOST_TEST(timeout_of(nats.seen[1]) <= 500);
}

BOOST_AUTO_TEST_CASE(a_view_that_is_not_stored_is_503_and_one_that_may_be_is_outcome_unknown)
{
    struct row
    {
        const char* name;
        result<message> event;
        bool link_up;
        int status;
        const char* code;
    };
    const row table[] = {
        {"no stream", fail(errc::no_responders), true, 503, "no_responders"},
        {"refused", message{"", "", R"({"error":{"code":503,"description":"full"}})", {}}, true, 503, "unavailable"},
        {"too much buffered", fail(errc::overloaded), true, 503, "overloaded"},
        {"broker away all along", fail(errc::disconnected), false, 503, "disconnected"},
        {"broker lost meanwhile", fail(errc::disconnected), true, 504, "outcome_unknown"},
        {"no answer", fail(errc::timeout), true, 504, "outcome_unknown"},
        {"garbage", message{"", "", "x", {}}, true, 502, "malformed_reply"},
    };
    for (const auto& each : table)
        BOOST_TEST_CONTEXT(each.name)
        {
            edge.admitted.timeout = 200ms;
            edge.services.link_up = [up = each.link_up] { return up; };
            nats.script("events", each.event);
            check_problem(send("POST", record), each.status, each.code);
        }
}

BOOST_AUTO_TEST_CASE(a_view_stored_while_reporting_is_away_is_200_without_counts)
{
    nats.script_json("events", stored);
    const auto answer = send("POST", record);
    BOOST_TEST(answer.status == 200);
    BOOST_TEST(answer.body == R"({"userviews":null,"assetviews":null,"degraded":["reporting"]})");
}

BOOST_AUTO_TEST_CASE(a_view_without_a_leader_or_an_answer_is_sent_again_with_the_same_id)
{
    const auto no_leader =
        message{"", "", R"({"error":{"code":503,"err_code":10008,"description":"temporarily unavailable"}})", {}};
    const std::vector<std::vector<result<message>>> elections = {
        {fail(errc::no_responders)},
        {fail(errc::no_responders), fail(errc::no_responders), no_leader},
        {fail(errc::timeout)},
        {fail(errc::timeout), fail(errc::no_responders)},
        {no_leader, fail(errc::timeout)},
    };
    for (const auto* path : {play, record})
        for (const auto& before : elections)
        {
            nats.seen.clear();
            script_lookups();
            for (const auto& each : before)
                nats.script("events", each);
            nats.script_json("events", R"({"stream":"EVENTS","seq":41,"duplicate":true})");
            nats.script_json("reporting.views.456.8", counts);
            const auto answer = send("POST", path);
            BOOST_TEST(answer.status == 200);
            BOOST_TEST(member(answer, "userviews") == "3");
            std::vector<std::string> ids;
            for (const auto& each : nats.seen)
                if (each.subject == "events")
                    ids.emplace_back(each.headers.get(names::header_msg_id));
            BOOST_TEST(ids.size() == before.size() + 1);
            BOOST_TEST(std::count(ids.begin(), ids.end(), ids.front()) == static_cast<std::ptrdiff_t>(ids.size()));
            nats.forget_scripts(); // those of the lookups, which a view alone does not send
        }
}

BOOST_AUTO_TEST_CASE(a_view_that_may_have_been_stored_is_outcome_unknown)
{
    edge.admitted.timeout = 200ms;
    nats.script("events", fail(errc::timeout)); // then no responders
    check_problem(send("POST", record), 504, "outcome_unknown");
}

BOOST_AUTO_TEST_CASE(an_outage_of_ten_seconds_is_no_longer_recent)
{
    outage_timer outage;
    const auto now = outage_timer::clock::now();
    BOOST_TEST(outage.is_recent(now));
    BOOST_TEST(outage.is_recent(now + 9s));
    BOOST_TEST(!outage.is_recent(now + 10s));
    BOOST_TEST(!outage.is_recent(now + 19s));
    BOOST_TEST(outage.is_recent(now + 40s)); // a new outage
    outage.reset();
    BOOST_TEST(outage.is_recent(now + 41s));
}

BOOST_AUTO_TEST_CASE(a_play_with_one_circuit_open_does_not_wait_for_the_other_service)
{
    auto& cdnurl = edge.services.health.of(upstream_service::cdnurl);
    const auto now = deadline::clock::now();
    for (int i = 0; i < 10; ++i) // ten failures and a second open the circuit
        cdnurl.failed(cdnurl.admit(now, edge.services.link_up), errc::timeout, now, now + 1200ms);
    nats.script_silence("metadata.get.456");
    const auto begin = deadline::clock::now();
    const auto answer = send("POST", play);
    check_problem(answer, 503, "unavailable");
    BOOST_TEST((deadline::clock::now() - begin < 1s));
}

BOOST_AUTO_TEST_SUITE_END()
