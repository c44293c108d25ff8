// Services that reply twice or too late: each reply goes to its own request or is dropped.
#include "tests/end_to_end/faults/recovery.hpp"
#include "tests/support/wiretap.hpp"

#include <boost/test/unit_test.hpp>

#include <future>
#include <map>

namespace
{

using namespace marquee;
using namespace marquee::test;
using namespace std::chrono_literals;

/// Two replies of a subject: the right one, and one to another request.
struct two_replies
{
    std::string good;
    std::string other;
};

const std::map<std::string, two_replies> replies = {
    {"metadata.get.*",
     {R"({"id":"123","title":"It","genre":"g","summary":"s"})",
      R"({"id":"123","title":"Other","genre":"g","summary":"s"})"}},
    {"metadata.put.*", {R"({"status":"ok","revision":7})", R"({"status":"ok","revision":8})"}},
    {"metadata.delete.*", {R"({"status":"ok"})", "nonsense"}},
    {"metadata.list", {R"({"assets":[]})", R"({"assets":[{"id":"9","title":"t","genre":"g","summary":"s"}]})"}},
    {"cdnurl.get.*", {R"({"id":"123","url":"u"})", R"({"id":"123","url":"other"})"}},
    {"cdnurl.put.*", {R"({"status":"ok","revision":7})", R"({"status":"ok","revision":8})"}},
    {"cdnurl.delete.*", {R"({"status":"ok"})", "nonsense"}},
    {"cdnurl.list", {R"({"assets":[]})", R"({"assets":[{"id":"9","url":"u"}]})"}},
    {"reporting.asset.*", {R"({"id":"123","views":1})", R"({"id":"123","views":2})"}},
    {"reporting.user.*", {R"({"id":"1","views":1})", R"({"id":"1","views":2})"}},
    {"reporting.top", {R"({"assets":[]})", R"({"assets":[{"id":"123","views":1}]})"}},
    {"reporting.series",
     {R"({"step":"hour","from":"f","to":"t","points":[]})", R"({"step":"day","from":"f","to":"t","points":[]})"}},
    {"reporting.series.*",
     {R"({"id":"123","step":"hour","from":"f","to":"t","points":[]})",
      R"({"id":"123","step":"day","from":"f","to":"t","points":[]})"}},
    {"reporting.history.*", {R"({"assets":[]})", R"({"assets":[{"id":"123","views":1,"last":"l"}]})"}},
    {"reporting.assets", {R"({"assets":[]})", R"({"assets":[{"id":"123","views":1,"viewers":1}]})"}},
    {"reporting.views.*.*", {R"({"assetviews":1,"userviews":1})", R"({"assetviews":2,"userviews":2})"}},
    {"events", {R"({"stream":"EVENTS","seq":1})", R"({"stream":"EVENTS","seq":"?"})"}},
};

/// An edge whose services are this test: it listens on every subject, so that no request has "no
/// responders", and replies as the test says.
struct fake_services
{
    marquee_system system;
    wiretap tap{system.broker().url()};

    fake_services() : system(edge_alone()) {}

    static marquee_system::settings edge_alone()
    {
        auto with = with_deadline("1500ms");
        with.start = {"edge"};
        return with;
    }

    [[nodiscard]] std::future<http_answer> begin(const http_call& call) const
    {
        return std::async(std::launch::async, [port = system.port(), call] { return http(port, call); });
    }

    /// The first request on a subject of that pattern since message `from`.
    message wait_for(const std::string& pattern, std::size_t from) const
    {
        const auto begin = pattern.substr(0, pattern.find('*'));
        auto request =
            tap.wait_for([&](const message& m) { return m.subject.starts_with(begin) && !m.reply.empty(); }, from);
        BOOST_REQUIRE_MESSAGE(request.has_value(), "nothing on " << pattern);
        return *request;
    }

    void check_that_it_works(const service_route& route)
    {
        const auto from = tap.count();
        auto answer = begin(route.call);
        tap.publish(wait_for(route.subject, from).reply, replies.at(route.subject).good);
        BOOST_TEST(answer.get().status == 200);
    }

    /// The routes that depend on one service.
    [[nodiscard]] std::vector<service_route> routes() const
    {
        auto all = service_routes(system);
        std::erase_if(all, [](const service_route& each) { return each.call.target == a_play.target; });
        return all;
    }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(late_replies, fake_services)

BOOST_AUTO_TEST_CASE(the_first_of_two_replies_is_used_and_the_second_is_dropped)
{
    for (const auto& route : routes())
        BOOST_TEST_CONTEXT(route.name)
        {
            const auto& [good, other] = replies.at(route.subject);
            auto from = tap.count();
            auto answer = begin(route.call);
            const auto request = wait_for(route.subject, from);
            for (const auto& reply : {good, other, other})
                tap.publish(request.reply, reply);
            const auto first = answer.get();
            BOOST_TEST(first.status == 200);
            BOOST_TEST(first.body == good);

            from = tap.count();
            answer = begin(route.call);
            tap.publish(request.reply, good); // to the earlier request
            tap.publish(wait_for(route.subject, from).reply, good);
            BOOST_TEST(answer.get().body == good);
        }
}

BOOST_AUTO_TEST_CASE(a_view_uses_the_first_of_two_acknowledgements_and_of_two_counts)
{
    const auto from = tap.count();
    auto answer = begin(a_view);
    const auto stored = wait_for("events", from);
    tap.publish(stored.reply, replies.at("events").good);
    tap.publish(stored.reply, replies.at("events").other);
    const auto request = wait_for("reporting.views.*.*", from);
    BOOST_TEST(request.headers.get("Marquee-After") == "1");
    for (const auto& reply : {replies.at("reporting.views.*.*").good, replies.at("reporting.views.*.*").other})
        tap.publish(request.reply, reply);
    check_json(answer.get(), 200, R"({"userviews":1,"assetviews":1})");
}

BOOST_AUTO_TEST_CASE(late_replies_are_504_in_time_and_are_dropped)
{
    auto all = routes();
    all.push_back({"record a view", a_view, "events", "events", true});
    const auto from = tap.count();
    std::vector<std::future<http_answer>> answers;
    answers.reserve(all.size());
    for (const auto& route : all)
        answers.push_back(begin(route.call));
    for (std::size_t i = 0; i < all.size(); ++i)
        BOOST_TEST_CONTEXT(all[i].name)
    check_problem(answers[i].get(), 504, all[i].change ? "outcome_unknown" : "timeout");

    // Now every request is answered, a hedged one twice.
    for (const auto& late : tap.seen(from))
        for (const auto& [pattern, reply] : replies)
            if (!late.reply.empty() && late.subject.starts_with(pattern.substr(0, pattern.find('*'))))
                tap.publish(late.reply, reply.other);
    for (const auto& route : routes())
        BOOST_TEST_CONTEXT(route.name)
    check_that_it_works(route);
}

BOOST_AUTO_TEST_SUITE_END()
