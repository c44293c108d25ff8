#include "edge/upstream/circuit_breaker.hpp"
#include "edge/upstream/service_health.hpp"

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
    return out << (what == circuit_breaker::outcome::answer    ? "answered"
                   : what == circuit_breaker::outcome::failure ? "failed"
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

/// A circuit whose first ten requests have failed.
struct opened_circuit
{
    circuit_breaker circuit{start, 1};
    opened_circuit() { fail_ten(start + 1s); }
    void fail_ten(circuit_breaker::clock::time_point now)
    {
        for (int i = 0; i < 10; ++i)
            circuit.report(permit::granted, outcome::failure, now, now);
    }
};

struct step
{
    ms sent_at;
    ms at; ///< of the outcome
    int times;
    outcome what;
};

} // namespace

BOOST_AUTO_TEST_SUITE(circuit_breakers)

BOOST_AUTO_TEST_CASE(it_opens_after_ten_failures_and_a_second_without_an_answer)
{
    struct row
    {
        const char* name;
        std::vector<step> steps;
        position then;
    };
    const auto good = outcome::answer;
    const auto bad = outcome::failure;

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
        {"one instance of two hangs: while they waited another request was answered",
         {{100ms, 101ms, 1, good}, {50ms, 2050ms, 60, bad}, {102ms, 2102ms, 9, bad}, {2103ms, 2104ms, 1, good}},
         position::closed},
        {"outcomes that say nothing about the service", {{0ms, 5000ms, 100, outcome::unknown}}, position::closed},
        {"and do not interrupt a row of failures",
         {{0ms, 5000ms, 9, bad}, {0ms, 5000ms, 1, outcome::unknown}, {0ms, 5000ms, 1, bad}},
         position::open},
    };
    for (const auto& [name, steps, then] : table)
    {
        circuit_breaker circuit(start, 1);
        for (const auto& [sent_at, at, times, what] : steps)
            for (int i = 0; i < times; ++i)
                circuit.report(permit::granted, what, start + sent_at, start + at);
        BOOST_TEST(circuit.state() == then, name);
    }
}

BOOST_FIXTURE_TEST_CASE(one_probe_is_granted_after_the_pause_and_an_answer_closes_the_circuit, opened_circuit)
{
    const auto opened = start + 1s;
    BOOST_TEST(circuit.state() == position::open);
    for (const auto at : {0ms, 100ms, 374ms})
        BOOST_TEST(circuit.admit(opened + at) == permit::refused);
    BOOST_TEST(circuit.admit(opened + 500ms) == permit::probe);
    BOOST_TEST(circuit.state() == position::half_open);
    for (const auto at : {500ms, 501ms, 9000ms})
        BOOST_TEST(circuit.admit(opened + at) == permit::refused);
    circuit.report(permit::probe, outcome::answer, opened + 500ms, opened + 600ms);
    BOOST_TEST(circuit.state() == position::closed);
    BOOST_TEST(circuit.admit(opened + 601ms) == permit::granted);
}

BOOST_FIXTURE_TEST_CASE(while_it_is_open_only_answers_and_the_outcome_of_the_probe_count, opened_circuit)
{
    struct row
    {
        permit whose;
        outcome what;
        position then;
    };
    const row table[] = {
        {permit::granted, outcome::failure, position::half_open},
        {permit::granted, outcome::unknown, position::half_open},
        {permit::granted, outcome::answer, position::closed},
        {permit::probe, outcome::failure, position::open},
        {permit::probe, outcome::unknown, position::open},
        {permit::probe, outcome::answer, position::closed},
    };
    for (const auto& [whose, what, then] : table)
        BOOST_TEST_CONTEXT(whose << ' ' << what)
        {
            auto one = circuit;
            BOOST_TEST(one.admit(start + 10s) == permit::probe);
            one.report(whose, what, start + 5s, start + 10s);
            BOOST_TEST(one.state() == then);
        }
    // An abandoned probe is replaced at once.
    BOOST_TEST(circuit.admit(start + 10s) == permit::probe);
    circuit.report(permit::probe, outcome::unknown, {}, {});
    BOOST_TEST(circuit.admit(start + 10s) == permit::probe);
}

BOOST_FIXTURE_TEST_CASE(each_failed_probe_doubles_the_pause_up_to_its_limit_and_an_answer_resets_it, opened_circuit)
{
    auto opened = start + 1s;
    for (const auto pause : {500ms, 1000ms, 2000ms, 4000ms, 4000ms, 4000ms})
        BOOST_TEST_CONTEXT(pause.count() << " ms")
        {
            BOOST_TEST(circuit.admit(opened + pause * 3 / 4 - 1ms) == permit::refused);
            BOOST_TEST(circuit.admit(opened + pause) == permit::probe);
            opened += pause + 2s; // the probe waited for its deadline
            circuit.report(permit::probe, outcome::failure, opened - 2s, opened);
        }
    BOOST_TEST(circuit.admit(opened + 4s) == permit::probe);
    circuit.report(permit::probe, outcome::answer, opened + 4s, opened + 4s);
    fail_ten(opened + 5s);
    BOOST_TEST(circuit.state() == position::open);
    BOOST_TEST(circuit.admit(opened + 5s + 500ms) == permit::probe);
}

BOOST_AUTO_TEST_CASE(circuits_that_open_together_do_not_probe_together)
{
    std::map<ms, int> first_probes;
    for (std::uint32_t seed = 1; seed <= 100; ++seed)
    {
        circuit_breaker circuit(start, seed * 7919);
        for (int i = 0; i < 10; ++i)
            circuit.report(permit::granted, outcome::failure, start, start + 1s);
        auto after = 0ms;
        while (circuit.admit(start + 1s + after) == permit::refused)
            ++after;
        BOOST_TEST((after >= 375ms && after <= 500ms), after.count());
        ++first_probes[after];
    }
    BOOST_TEST(first_probes.size() > 20U);
}

BOOST_AUTO_TEST_CASE(only_timeouts_and_failures_reported_by_the_service_count)
{
    const std::pair<errc, outcome> table[] = {
        {errc::timeout, outcome::failure},
        {errc::service_failed, outcome::failure},
        {errc::unavailable, outcome::failure},
        {errc::no_responders, outcome::unknown}, // reported by the broker at once, not by the service
        {errc::disconnected, outcome::unknown},
        {errc::overloaded, outcome::unknown},
        {errc::stopping, outcome::unknown},
        {errc::asset_not_found, outcome::answer},
        {errc::user_not_found, outcome::answer},
        {errc::bad_id, outcome::answer},
        {errc::bad_request, outcome::answer},
        {errc::revision_mismatch, outcome::answer},
        {errc::key_reused, outcome::answer},
        {errc::malformed_reply, outcome::answer}, // concerns one request, and came in time
    };
    for (const auto& [code, verdict] : table)
        BOOST_TEST(traits_of(code).health == verdict, name_of(code));
}

BOOST_AUTO_TEST_SUITE_END()
