// GET /events/live: parameters, rights, the limit, and the head of its answer.
#include "tests/support/jwt_maker.hpp"
#include "tests/unit/edge/kit.hpp"

using namespace marquee;
using namespace marquee::test;

namespace
{

const std::string secret = "correct-horse-battery-staple-and-more";

std::string token_of(const std::string& user)
{
    return "Bearer " +
           jwt_signer::secret(secret).token("HS256", R"({"sub":")" + user + R"(","exp":)" + in_seconds(3600) + "}");
}

struct live_kit : gateway_kit
{
    stream_limit limit{2};
    temporary_file keys{secret + '\n'};

    live_kit() { edge.live = {std::make_shared<live_hub>(edge.metrics.worker->live()), &limit}; }

    void with_keys() { edge.access.players = player_token::from({keys.path(), {}}).value(); }

    /// The event of a view of asset a by user u, as a client of this answer gets it.
    std::string event_for(const http_response& answer)
    {
        BOOST_TEST_REQUIRE(answer.stream != nullptr);
        edge.live.hub->begin(*live_place::parse("E-1"));
        (void)answer.stream->next();
        edge.live.hub->take({{"E-2-0", "a", "u", "2026-01-31T09:30:00Z", 2, 1}}, *live_place::parse("E-2"));
        edge.live.hub->flush();
        return answer.stream->next();
    }
};

constexpr const char* named =
    "id: E-2-0\ndata: "
    "{\"asset\":\"a\",\"time\":\"2026-01-31T09:30:00Z\",\"assetviews\":2,\"user\":\"u\",\"userviews\":1}\n\n";
constexpr const char* unnamed =
    "id: E-2-0\ndata: {\"asset\":\"a\",\"time\":\"2026-01-31T09:30:00Z\",\"assetviews\":2}\n\n";

} // namespace

BOOST_FIXTURE_TEST_SUITE(live, live_kit)

BOOST_AUTO_TEST_CASE(the_answer_is_a_stream_that_nobody_keeps)
{
    const auto answer = send("GET", "/events/live");
    BOOST_TEST(answer.status == 200);
    BOOST_TEST(answer.fields.get("Content-Type").value_or("") == "text/event-stream");
    BOOST_TEST(answer.fields.get("Cache-Control").value_or("") == "no-store");
    BOOST_TEST(answer.fields.get("X-Accel-Buffering").value_or("") == "no");
    BOOST_TEST(answer.stream != nullptr);
    BOOST_TEST(edge.admitted.in_flight == 0U);
    BOOST_TEST(nats.seen.empty());
}

BOOST_AUTO_TEST_CASE(mistakes_are_refused_by_name)
{
    const std::tuple<const char*, const char*, const char*> rows[] = {
        {"/events/live?asset=", "bad_id", "asset"},
        {"/events/live?user=%00", "bad_id", "user"},
        {"/events/live?asset=1&asset=2", "bad_request", "asset"},
        {"/events/live?after=1", "bad_request", "after"},
    };
    for (const auto& [target, code, field] : rows)
    {
        const auto answer = send("GET", target);
        check_problem(answer, 400, code);
        BOOST_TEST(member(answer, "field") == field);
    }
    const auto answer = send("GET", "/events/live", {{"Last-Event-ID", "7"}});
    check_problem(answer, 400, "bad_request");
    BOOST_TEST(member(answer, "field") == "Last-Event-ID");
    BOOST_TEST(send("GET", "/events/live?_=1", {{"Last-Event-ID", "E-7-0"}}).status == 200);
}

BOOST_AUTO_TEST_CASE(without_keys_events_name_users)
{
    BOOST_TEST(event_for(send("GET", "/events/live?asset=a")) == named);
    BOOST_TEST(event_for(send("GET", "/events/live?user=u")) == named);
}

BOOST_AUTO_TEST_CASE(with_keys_events_name_nobody_but_to_the_administrator_and_to_that_user)
{
    with_keys();
    const field_list own{{"Authorization", token_of("u")}};
    BOOST_TEST(event_for(send("GET", "/events/live")) == unnamed);
    BOOST_TEST(event_for(send("GET", "/events/live?asset=a", own)) == unnamed);
    BOOST_TEST(event_for(send("GET", "/events/live?user=u", own)) == named);
    BOOST_TEST(event_for(as_admin("GET", "/events/live?user=u")) == named);
    BOOST_TEST(event_for(as_admin("GET", "/events/live")) == named);
    check_problem(send("GET", "/events/live?user=u"), 401, "unauthorized");
    check_problem(send("GET", "/events/live?user=v", own), 403, "forbidden");
}

BOOST_AUTO_TEST_CASE(beyond_the_limit_it_is_overloaded_and_the_connection_goes_on)
{
    auto first = send("GET", "/events/live");
    const auto second = send("HEAD", "/events/live");
    const auto refused = send("GET", "/events/live");
    check_problem(refused, 503, "overloaded");
    BOOST_TEST(!refused.overloaded); // its next request does not wait
    first = {};
    BOOST_TEST(send("GET", "/events/live").status == 200);
    limit.change(1);
    check_problem(send("GET", "/events/live"), 503, "overloaded");
}

BOOST_AUTO_TEST_SUITE_END()
