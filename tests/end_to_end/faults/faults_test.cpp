// A service that is absent, silent or sends malformed replies: what each route that depends on it
// answers, and that it recovers.
#include "tests/end_to_end/faults/recovery.hpp"

#include <boost/test/unit_test.hpp>

#include <csignal>
#include <map>

namespace
{

using namespace marquee;
using namespace marquee::test;
using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

marquee_system::settings long_deadline() { return with_deadline("20s"); }
marquee_system::settings short_deadline() { return with_deadline("500ms"); }
marquee_system::settings edge_alone()
{
    auto with = long_deadline();
    with.start = {"edge"};
    return with;
}

const std::string good_metadata = R"({"id":"123","title":"It","genre":"horror","summary":"A very scary movie"})";
const std::string good_url = R"({"id":"123","url":"u"})";

/// A valid reply of each subject, for the routes of service_routes.
const std::map<std::string, std::string> good_replies = {
    {"metadata.get.*", good_metadata},
    {"metadata.put.*", R"({"status":"ok","revision":7})"},
    {"metadata.delete.*", R"({"status":"ok"})"},
    {"metadata.list", R"({"assets":[)" + good_metadata + "]}"},
    {"cdnurl.get.*", good_url},
    {"cdnurl.put.*", R"({"status":"ok","revision":7})"},
    {"cdnurl.delete.*", R"({"status":"ok"})"},
    {"cdnurl.list", R"({"assets":[)" + good_url + "]}"},
    {"reporting.asset.*", R"({"id":"123","views":1})"},
    {"reporting.user.*", R"({"id":"1","views":1})"},
    {"reporting.top", R"({"assets":[{"id":"123","views":1}]})"},
    {"reporting.series", R"({"step":"hour","from":"f","to":"t","points":[]})"},
    {"reporting.series.*", R"({"id":"123","step":"hour","from":"f","to":"t","points":[]})"},
    {"reporting.history.*", R"({"assets":[{"id":"123","views":1,"last":"l"}]})"},
    {"reporting.assets", R"({"assets":[{"id":"123","views":1,"viewers":1,"last":"l"}]})"},
    {"reporting.views.*.*", R"({"assetviews":1,"userviews":1})"},
};

struct malformed_reply
{
    std::string what;
    std::string reply;
    header_list headers = {};
};

/// Malformed replies, made from a valid one.
std::vector<malformed_reply> malformed(const std::string& good)
{
    header_list unreadable;
    unreadable.set("Empty", "");
    header_list not_a_services;
    not_a_services.set("Nats-Service-Error", "Unauthorized");
    not_a_services.set("Nats-Service-Error-Code", "401");
    header_list senseless;
    senseless.set("Nats-Service-Error", "?");
    senseless.set("Nats-Service-Error-Code", "x");
    auto invalid = good;
    invalid.insert(invalid.find("\":"), 1, '\xff');
    // In front: a play looks at no member of a record behind those that it needs.
    const auto deep = R"({"more":)" + std::string(32, '[') + std::string(32, ']') + ',' + good.substr(1);
    return {
        {"nothing", ""},
        {"no JSON", "<html>"},
        {"half of it", good.substr(0, good.size() / 2)},
        {"more than it", good + "{}"},
        {"a list", "[" + good + "]"},
        {"null", "null"},
        {"no members", "{}"},
        {"invalid UTF-8", invalid},
        {"1 MB of no JSON", std::string(1000000, 'x')},
        {"1 MB of blanks", std::string(1000000, ' ')},
        {"1 MB of brackets", std::string(1000000, '[')},
        {"33 levels", deep},
        {"headers that cannot be read", good, unreadable},
        {"an error of the edge's own", R"({"status":"Unauthorized"})", not_a_services},
        {"an error without sense", R"({"status":"?"})", senseless},
    };
}

struct replacement
{
    const char* what;
    const char* part; ///< of a good reply
    const char* by;
};

const replacement wrong_members[] = {
    {"another id", R"({"id":"123")", R"({"id":"124")"},
    {"another user", R"({"id":"1",)", R"({"id":"2",)"},
    {"an empty id", R"("id":"123")", R"("id":"")"},
    {"an id of the wrong type", R"("id":"123")", R"("id":123)"},
    {"no id", R"("id":"123",)", ""},
    {"a title of the wrong type", R"("It")", "7"},
    {"no title", R"("title":"It",)", ""},
    {"a url of the wrong type", R"("u")", "[]"},
    {"no url", R"(,"url":"u")", ""},
    {"a status of the wrong type", R"("ok")", "true"},
    {"no status", R"("status":"ok")", R"("ok":1)"},
    {"a revision of the wrong type", "7", R"("7")"},
    {"no revision", R"(,"revision":7)", ""},
    {"a negative revision", "7", "-7"},
    {"views of the wrong type", R"("views":1)", R"("views":"1")"},
    {"no views", R"(,"views":1)", ""},
    {"negative views", R"(views":1)", R"(views":-1)"},
    {"no user views", R"(,"userviews":1)", ""},
};

/// Replies that are wrong for a subject: its valid reply, changed in every way that applies.
std::vector<malformed_reply> malformed_replies_to(const std::string& subject)
{
    const auto& good = good_replies.at(subject);
    auto all = malformed(good);
    for (const auto& [what, part, by] : wrong_members)
    {
        auto reply = good;
        const auto at = good.find(part);
        // A list may hold any asset, so another id is valid in it.
        if (at == std::string::npos || (at > 0 && std::string_view(part).starts_with('{')))
            continue;
        reply.replace(at, std::string_view(part).size(), by);
        all.push_back({what, reply});
    }
    return all;
}

/// Valid replies to everything but `except`.
void fake_all(nats_client& client, const std::string& except)
{
    for (const auto& [subject, reply] : good_replies)
        if (subject != except)
            client.fake(subject, reply);
}

} // namespace

BOOST_AUTO_TEST_SUITE(absent_services, *boost::unit_test::fixture<shared_system<long_deadline>>())

using shared = shared_system<long_deadline>;

BOOST_AUTO_TEST_CASE(without_a_service_its_routes_are_503_at_once_and_work_when_it_is_back)
{
    auto& system = *shared::system;
    check_that_plays_are_counted(system);
    for (const std::string service : {"metadata", "cdnurl", "reporting"})
    {
        system.kill(service);
        shared::client->wait_until_present(service, false);
        for (const auto& route : service_routes(system))
            BOOST_TEST_CONTEXT(route.name << " without " << service)
            {
                const auto begin = clock::now();
                const auto answer = system.call(route.call);
                if (route.service == service)
                    check_problem(answer, 503, "no_responders");
                else if (route.call.target != a_play.target) // which may depend on both
                    BOOST_TEST((answer.status == 200 || answer.status == 404));
                BOOST_TEST((clock::now() - begin < 5s)); // of a deadline of 20 s
            }
        system.start(service);
        check_that_all_routes_work(system);
    }
}

BOOST_AUTO_TEST_CASE(one_of_two_instances_is_enough)
{
    auto& system = *shared::system;
    for (const std::string service : {"metadata", "cdnurl", "reporting"})
    {
        system.start(service + "-2");
        BOOST_TEST(system.stop(service) == 0);
        for (const auto& route : service_routes(system))
            if (route.service == service)
                BOOST_TEST_CONTEXT(route.name)
                {
                    const auto answer = system.call(route.call);
                    BOOST_TEST((answer.status == 200 || (answer.status == 404 && route.call.method == "DELETE")));
                }
        system.start(service);
        BOOST_TEST(system.stop(service + "-2") == 0);
        check_that_all_routes_work(system);
    }
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(silent_services, *boost::unit_test::fixture<shared_system<short_deadline>>())

using shared = shared_system<short_deadline>;

BOOST_AUTO_TEST_CASE(the_routes_of_a_suspended_service_are_504_at_the_deadline)
{
    auto& system = *shared::system;
    check_that_plays_are_counted(system);
    for (const std::string service : {"metadata", "cdnurl", "reporting"})
    {
        std::vector<service_route> routes = service_routes(system);
        std::erase_if(routes, [&](const service_route& each) { return each.service != service; });
        std::vector<http_call> calls;
        for (const auto& route : routes)
            calls.push_back(route.call);

        system.at(service).suspend();
        const auto begin = clock::now();
        const auto answers = shared::client->call_all(system.port(), calls);
        const auto took = clock::now() - begin;
        system.at(service).signal(SIGCONT);
        for (std::size_t i = 0; i < routes.size(); ++i)
            BOOST_TEST_CONTEXT(routes[i].name << " with a silent " << service)
        check_problem(answers[i], 504, routes[i].change ? "outcome_unknown" : "timeout");
        BOOST_TEST((took >= 450ms));
        BOOST_TEST((took < 5s));
        check_that_all_routes_work(system);
    }
}

BOOST_AUTO_TEST_CASE(a_play_waits_for_a_silent_reporting_until_the_statistics_deadline)
{
    marquee_system system(with_deadline("4s"));
    nats_client client(system.server());
    check_that_plays_are_counted(system);
    const auto before = counted(system, a_play, "before").number("assetviews");
    system.at("reporting").suspend();
    const auto answers = client.call_all(system.port(), {a_play, a_view});
    system.at("reporting").signal(SIGCONT);
    check_degraded(answers[0], "reporting");
    check_degraded(answers[1], "reporting");
    BOOST_TEST(counted(system, a_play, "after").number("assetviews") == before + 3); // both were counted later
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(malformed_replies, *boost::unit_test::fixture<shared_system<edge_alone>>())

using shared = shared_system<edge_alone>;

BOOST_AUTO_TEST_CASE(a_malformed_reply_is_502_on_every_route_and_the_next_request_succeeds)
{
    auto& client = *shared::client;
    const auto& system = *shared::system;
    for (const auto& route : service_routes(system))
    {
        fake_all(client, route.subject);
        auto all = malformed_replies_to(route.subject);
        if (route.call.method == "GET" && std::string_view(route.subject).find(".get.") != std::string_view::npos)
        {
            all.push_back({"a revision that is no number", good_replies.at(route.subject)});
            all.back().headers.set("Marquee-Revision", "new");
            all.push_back({"a tag that is none", good_replies.at(route.subject)});
            all.back().headers.set("Marquee-Tag", "7");
        }
        for (const auto& wrong : all)
            BOOST_TEST_CONTEXT(route.name << " answered with " << wrong.what)
            {
                const auto standing = client.fake_until_dropped(route.subject, wrong.reply, wrong.headers);
                check_problem(client.call(system.port(), route.call), 502, "malformed_reply");
            }
        client.fake(route.subject, good_replies.at(route.subject));
        const auto good = client.call(system.port(), route.call);
        BOOST_TEST_CONTEXT(route.name << " answered well: " << good.body)
        BOOST_TEST(good.status == 200);
        client.end_fakes();
    }
}

BOOST_AUTO_TEST_CASE(malformed_counts_only_degrade_the_answer)
{
    auto& client = *shared::client;
    const auto& system = *shared::system;
    fake_all(client, "reporting.views.*.*");
    client.fake("events", R"({"stream":"EVENTS","seq":1})");
    for (const auto& wrong : malformed_replies_to("reporting.views.*.*"))
        BOOST_TEST_CONTEXT("counts answered with " << wrong.what)
        {
            const auto standing = client.fake_until_dropped("reporting.views.*.*", wrong.reply, wrong.headers);
            check_degraded(client.call(system.port(), a_play), "reporting");
            check_degraded(client.call(system.port(), a_view), "reporting");
        }
    client.fake("reporting.views.*.*", good_replies.at("reporting.views.*.*"));
    BOOST_TEST(client.call(system.port(), a_play).number("userviews") == 1);
    check_json(client.call(system.port(), a_view), 200, R"({"userviews":1,"assetviews":1})");
    client.end_fakes();
}

BOOST_AUTO_TEST_CASE(a_malformed_acknowledgement_confirms_nothing)
{
    auto& client = *shared::client;
    const auto& system = *shared::system;
    fake_all(client, "");
    const std::string many(1000000, ' ');
    for (const std::string& ack :
         {std::string(), std::string("+OK"), std::string("[]"), std::string("null"), std::string("{}"), many,
          std::string(R"({"stream":"EVENTS"})"), std::string(R"({"stream":"EVENTS","seq":"1"})"),
          std::string(R"({"stream":"EVENTS","seq":-1})"), std::string(R"({"stream":"EVENTS","seq":1)"),
          std::string("{\"stream\":\"EV\xff\",\"seq\":1}"),
          R"({"stream":"EVENTS","seq":1,"more":)" + std::string(32, '[') + std::string(32, ']') + '}',
          std::string(R"({"error":{"code":503,"err_code":10077,"description":"maximum bytes exceeded"}})")})
        BOOST_TEST_CONTEXT("the event acknowledged with " << ack.substr(0, 100))
        {
            const auto standing = client.fake_until_dropped("events", ack, {});
            check_degraded(client.call(system.port(), a_play), "events");
            const bool refused = ack.find("error") != std::string::npos;
            check_problem(client.call(system.port(), a_view), refused ? 503 : 502,
                          refused ? "unavailable" : "malformed_reply");
        }
    client.fake("events", R"({"stream":"EVENTS","seq":1})");
    BOOST_TEST(client.call(system.port(), a_play).number("userviews") == 1);
    BOOST_TEST(client.call(system.port(), a_view).status == 200);
    client.end_fakes();
}

BOOST_AUTO_TEST_CASE(real_services_answer_after_the_fakes_have_stopped)
{
    for (const auto* service : {"metadata", "cdnurl", "reporting"})
        shared::system->start(service);
    check_that_all_routes_work(*shared::system);
}

BOOST_AUTO_TEST_SUITE_END()
