#include "edge/circuit_breaker.hpp"
#include "edge/service_health.hpp"

#include <boost/test/unit_test.hpp>

#include <map>
#include <ostream>
#include <vector>

namespace marquee
{

// For BOOST_TEST.
static std::ostream& operator<<(std::ostream& out, circuit_breaker::position where) { return out << name_of(where); }
static std::ostream& operator<<(std::ostream& out, circuit_breaker::permit given)
{
    return out << (given == circuit_breaker::permit::probe     ? "probe"
                   : given == circuit_breaker::permit::granted ? "granted"
                                                               : "refused");
}
static std::ostream& operator<<(std::ostream& out, circuit_breaker::outcome what)
{
    return out << (what == circuit_breaker::outcome::answered ? "answered"
                   : what == circuit_breaker::outcome::failed ? "failed"
                                                              : "unknown");
}

} // namespace marquee

namespace
{

using namespace marquee;
using namespace std::chrono_literals;
using position = circuit_breaker::position;
using permit = circuit_breaker::permit;
using outcome = circuit_breaker::outcome;
using ms = std::chrono::milliseconds;

const circuit_breaker::clock::time_point start{1h};

/// A circuit whose first ten questions have failed.
struct opened_circuit
{
    circuit_breaker circuit{start, 1};
    opened_circuit() { fail_ten(start + 1s); }
    void fail_ten(circuit_breaker::clock::time_point now)
    {
        for (int i = 0; i < 10; ++i)
            circuit.report(permit::granted, outcome::failed, now, now);
    }
};

struct step
{
    ms asked;
    ms at;
    int times;
    outcome what;
};

} // namespace

BOOST_AUTO_TEST_SUITE(circuit_breakers)

BOOST_AUTO_TEST_CASE(it_opens_when_nothing_but_ten_failures_came_for_a_second)
{
    struct row
    {
        const char* name;
        std::vector<step> steps;
        position then;
    };
    const auto good = outcome::answered;
    const auto bad = outcome::failed;
    // Asked at, came back at, how many times, with what.
    const row table[] = {
        {"nothing", {}, position::closed},
        {"nine failures", {{0ms, 5000ms, 9, bad}}, position::closed},
        {"ten failures", {{0ms, 5000ms, 10, bad}}, position::open},
        {"ten failures in time", {{0ms, 1ms, 5, bad}, {1ms, 1000ms, 5, bad}}, position::open},
        {"ten at once, after an answer just now", {{0ms, 900ms, 1, good}, {950ms, 1899ms, 100, bad}}, position::closed},
        {"and one more a little later",
         {{0ms, 900ms, 1, good}, {950ms, 1899ms, 100, bad}, {950ms, 1900ms, 1, bad}},
         position::open},
        {"an answer between them",
         {{0ms, 5000ms, 9, bad}, {4999ms, 5000ms, 1, good}, {5000ms, 9000ms, 9, bad}},
         position::closed},
        {"one instance of two hangs: while they waited another question was answered",
         {{100ms, 101ms, 1, good}, {50ms, 2050ms, 60, bad}, {102ms, 2102ms, 9, bad}, {2103ms, 2104ms, 1, good}},
         position::closed},
        {"what says nothing about the service", {{0ms, 5000ms, 100, outcome::unknown}}, position::closed},
        {"and does not interrupt a row of failures",
         {{0ms, 5000ms, 9, bad}, {0ms, 5000ms, 1, outcome::unknown}, {0ms, 5000ms, 1, bad}},
         position::open},
    };
    for (const auto& [name, steps, then] : table)
    {
        circuit_breaker circuit(start, 1);
        for (const auto& [asked, at, times, what] : steps)
            for (int i = 0; i < times; ++i)
                circuit.report(permit::granted, what, start + asked, start + at);
        BOOST_TEST(circuit.where() == then, name);
    }
}

BOOST_FIXTURE_TEST_CASE(one_probe_goes_through_when_the_pause_is_over_and_an_answer_closes_it, opened_circuit)
{
    const auto opened = start + 1s;
    BOOST_TEST(circuit.where() == position::open);
    for (const auto at : {0ms, 100ms, 374ms})
        BOOST_TEST(circuit.ask(opened + at) == permit::refused);
    BOOST_TEST(circuit.ask(opened + 500ms) == permit::probe);
    BOOST_TEST(circuit.where() == position::half_open);
    for (const auto at : {500ms, 501ms, 9000ms})
        BOOST_TEST(circuit.ask(opened + at) == permit::refused);
    circuit.report(permit::probe, outcome::answered, opened + 500ms, opened + 600ms);
    BOOST_TEST(circuit.where() == position::closed);
    BOOST_TEST(circuit.ask(opened + 601ms) == permit::granted);
}

BOOST_FIXTURE_TEST_CASE(what_is_reported_while_it_is_open_counts_only_when_it_is_the_probes_or_an_answer, opened_circuit)
{
    struct row
    {
        permit whose;
        outcome what;
        position then;
    };
    const row table[] = {
        {permit::granted, outcome::failed, position::half_open}, {permit::granted, outcome::unknown, position::half_open},
        {permit::granted, outcome::answered, position::closed},  {permit::probe, outcome::failed, position::open},
        {permit::probe, outcome::unknown, position::open},       {permit::probe, outcome::answered, position::closed},
    };
    for (const auto& [whose, what, then] : table)
        BOOST_TEST_CONTEXT(whose << ' ' << what)
        {
            auto one = circuit;
            BOOST_TEST(one.ask(start + 10s) == permit::probe);
            one.report(whose, what, start + 5s, start + 10s);
            BOOST_TEST(one.where() == then);
        }
    // A probe that was never answered for leaves its place to the next at once.
    BOOST_TEST(circuit.ask(start + 10s) == permit::probe);
    circuit.report(permit::probe, outcome::unknown, {}, {});
    BOOST_TEST(circuit.ask(start + 10s) == permit::probe);
}

BOOST_FIXTURE_TEST_CASE(each_probe_that_fails_doubles_the_pause_up_to_its_bound_and_an_answer_forgets_that, opened_circuit)
{
    auto opened = start + 1s;
    for (const auto pause : {500ms, 1000ms, 2000ms, 4000ms, 4000ms, 4000ms})
        BOOST_TEST_CONTEXT(pause.count() << " ms")
        {
            BOOST_TEST(circuit.ask(opened + pause * 3 / 4 - 1ms) == permit::refused);
            BOOST_TEST(circuit.ask(opened + pause) == permit::probe);
            opened += pause + 2s; // the probe waited for its deadline
            circuit.report(permit::probe, outcome::failed, opened - 2s, opened);
        }
    BOOST_TEST(circuit.ask(opened + 4s) == permit::probe);
    circuit.report(permit::probe, outcome::answered, opened + 4s, opened + 4s);
    fail_ten(opened + 5s);
    BOOST_TEST(circuit.where() == position::open);
    BOOST_TEST(circuit.ask(opened + 5s + 500ms) == permit::probe);
}

BOOST_AUTO_TEST_CASE(circuits_that_open_together_do_not_probe_together)
{
    std::map<ms, int> first_probes;
    for (std::uint32_t seed = 1; seed <= 100; ++seed)
    {
        circuit_breaker circuit(start, seed * 7919);
        for (int i = 0; i < 10; ++i)
            circuit.report(permit::granted, outcome::failed, start, start + 1s);
        auto after = 0ms;
        while (circuit.ask(start + 1s + after) == permit::refused)
            ++after;
        BOOST_TEST((after >= 375ms && after <= 500ms), after.count());
        ++first_probes[after];
    }
    BOOST_TEST(first_probes.size() > 20U);
}

BOOST_AUTO_TEST_CASE(only_silence_and_a_service_that_says_so_are_failures)
{
    const std::pair<errc, outcome> table[] = {
        {errc::timeout, outcome::failed},
        {errc::service_failed, outcome::failed},
        {errc::unavailable, outcome::failed},
        {errc::no_responders, outcome::unknown}, // the broker says so at once, until somebody listens
        {errc::disconnected, outcome::unknown},
        {errc::overloaded, outcome::unknown},
        {errc::stopping, outcome::unknown},
        {errc::asset_not_found, outcome::answered},
        {errc::user_not_found, outcome::answered},
        {errc::bad_id, outcome::answered},
        {errc::bad_request, outcome::answered},
        {errc::revision_mismatch, outcome::answered},
        {errc::key_reused, outcome::answered},
        {errc::malformed_reply, outcome::answered}, // concerns one question, and took no time
    };
    for (const auto& [code, verdict] : table)
        BOOST_TEST(verdict_on(code) == verdict, name_of(code));
}

BOOST_AUTO_TEST_SUITE_END()
