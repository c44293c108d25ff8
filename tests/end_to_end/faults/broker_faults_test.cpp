// The broker stops and restarts: what is answered meanwhile, and that no process needs a restart.
#include "tests/end_to_end/faults/recovery.hpp"

#include "broker/micro/bundle.hpp"

#include <boost/test/unit_test.hpp>

#include <csignal>
#include <map>

namespace
{

using namespace marquee;
using namespace marquee::test;
using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

const std::vector<std::string> all_processes = {"metadata", "cdnurl", "reporting", "edge"};

/// Checks that the processes of a system are the same at the end.
class same_processes
{
public:
    explicit same_processes(marquee_system& system) : system_(system)
    {
        for (const auto& name : all_processes)
            pids_[name] = system.at(name).pid();
    }
    void check() const
    {
        for (const auto& [name, pid] : pids_)
            BOOST_TEST_CONTEXT(name << ":\n" << system_.at(name).output())
            {
                BOOST_TEST(system_.at(name).pid() == pid);
                BOOST_TEST(system_.at(name).running());
            }
    }

private:
    marquee_system& system_;
    std::map<std::string, pid_t> pids_;
};

} // namespace

BOOST_AUTO_TEST_SUITE(broker_faults)

BOOST_AUTO_TEST_CASE(without_the_broker_every_route_is_503_at_once_and_works_when_it_is_back)
{
    marquee_system system(with_deadline("20s"));
    const same_processes processes(system);
    check_that_all_routes_work(system);
    for (int time = 0; time < 2; ++time)
    {
        const auto views = system.call({"GET", "/events/asset/123"}).number("views");
        const auto tag = system.call({"GET", "/content/asset/123"}).header("ETag");
        system.broker().kill();
        check_problem(system.call_until(503, {"GET", "/readyz"}), 503, "disconnected");
        BOOST_TEST(system.call({"GET", "/healthz"}).status == 200);
        auto calls = service_routes(system);
        calls.push_back({"record a view", a_view, "", ""});
        for (const auto& each : calls)
            BOOST_TEST_CONTEXT(each.name)
            {
                const auto begin = clock::now();
                check_problem(system.call(each.call), 503, "disconnected");
                BOOST_TEST((clock::now() - begin < 5s)); // of a deadline of 20 s
            }
        check_problem(system.call({"GET", "/content/asset/%00"}), 400, "bad_id"); // needs no broker
        check_problem(system.call({"GET", "/url/assets"}), 401, "unauthorized");

        system.broker().restart();
        BOOST_TEST(system.call_until(200, {"GET", "/readyz"}).status == 200);
        BOOST_TEST(system.call_until(200, {"GET", "/events/asset/123"}).number("views") ==
                   views); // none lost, none counted twice
        BOOST_TEST(system.call_until(200, {"GET", "/content/asset/123"}).header("ETag") == tag);
        check_that_all_routes_work(system);
        processes.check();
    }
}

BOOST_AUTO_TEST_CASE(a_suspended_broker_is_504_at_the_deadline)
{
    marquee_system system(with_deadline("500ms"));
    const same_processes processes(system);
    nats_client client(system.broker().url());
    check_that_all_routes_work(system);
    auto routes = service_routes(system);
    routes.push_back({"record a view", a_view, "", "", true});
    std::vector<http_call> calls;
    for (const auto& each : routes)
        calls.push_back(each.call);

    system.broker().suspend();
    const auto begin = clock::now();
    const auto answers = client.call_all(system.port(), calls);
    const auto took = clock::now() - begin;
    system.broker().resume();
    for (std::size_t i = 0; i < routes.size(); ++i)
        BOOST_TEST_CONTEXT(routes[i].name)
    check_problem(answers[i], 504, routes[i].change ? "outcome_unknown" : "timeout");
    BOOST_TEST((took >= 450ms));
    BOOST_TEST((took < 5s));
    check_that_all_routes_work(system);
    processes.check();
}

BOOST_AUTO_TEST_CASE(requests_in_flight_when_the_broker_dies_are_answered_at_once)
{
    marquee_system system(with_deadline("20s"));
    const same_processes processes(system);
    nats_client client(system.broker().url());
    check_that_all_routes_work(system);
    auto routes = service_routes(system);
    std::erase_if(routes, [](const service_route& each) { return each.service != std::string("metadata"); });
    std::vector<http_call> calls;
    for (const auto& each : routes)
    {
        calls.push_back(each.call);
        if (calls.back().target == "/content/asset/123") // the request of a play, which may share a message with it
            calls.back().target = "/content/asset/456";
    }

    system.at("metadata").suspend();
    std::size_t under_way = 0;
    clock::time_point died;
    {
        // Every request to metadata has passed the broker: now the broker is killed.
        const auto watching = client.listen("metadata.>",
                                            [&](const message& m)
                                            {
                                                // Requests of one loop turn are bundled.
                                                const auto together = m.subject == "metadata.many"
                                                                          ? read_bundle(m.data).value().size()
                                                                          : 1;
                                                under_way += together;
                                                if (under_way != calls.size())
                                                    return;
                                                system.broker().kill();
                                                died = clock::now();
                                            });
        const auto answers = client.call_all(system.port(), calls);
        BOOST_TEST(under_way == calls.size());
        BOOST_TEST((clock::now() - died < 5s)); // of a deadline of 20 s
        for (std::size_t i = 0; i < routes.size(); ++i)
            BOOST_TEST_CONTEXT(routes[i].name)
            {
                if (routes[i].change)
                    check_problem(answers[i], 504, "outcome_unknown");
                else
                    check_problem(answers[i], 503, "disconnected");
            }
    }
    system.at("metadata").signal(SIGCONT);
    system.broker().restart();
    check_that_all_routes_work(system);
    processes.check();
}

BOOST_AUTO_TEST_SUITE_END()
