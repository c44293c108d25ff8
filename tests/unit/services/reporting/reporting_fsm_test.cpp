// When an instance counts and serves, and what each failure leads to; without a server.
#include "services/reporting/reporting_fsm.hpp"

#include <boost/test/unit_test.hpp>

#include <ostream>
#include <vector>

using namespace marquee;
using namespace marquee::reporting_events;

namespace marquee
{

std::ostream& operator<<(std::ostream& out, reporting_state state) { return out << name_of(state); }

} // namespace marquee

namespace
{

using enum reporting_state;

constexpr auto nothing = reporting_action::none;
constexpr lag_checked is_complete{true, true};
constexpr lag_checked is_current{true, false};
constexpr lag_checked is_late{false, false};

struct step
{
    reporting_event event;
    reporting_state then;
    reporting_action action = reporting_action::none;
};

struct course
{
    const char* what;
    std::vector<step> steps;
};

/// What brings an instance to the state that a course begins in.
std::vector<step> to_serving()
{
    return {{started{true}, catching_up, reporting_action::consume}, {is_complete, serving}, {joined{}, serving}};
}

course served(const char* what, std::vector<step> steps)
{
    auto all = to_serving();
    all.insert(all.end(), steps.begin(), steps.end());
    return {what, all};
}

counting_failed failure(file_condition file, rebuild_status rebuild = rebuild_status::none) { return {file, rebuild}; }

constexpr auto sound = file_condition::sound;
constexpr auto full = file_condition::full;
constexpr auto broken = file_condition::broken;

const std::vector<course> courses = {
    {"it joins for the first time when everything is counted",
     {{started{true}, catching_up, reporting_action::consume},
      {is_late, catching_up},
      {is_current, catching_up},
      {lag_checked{false, true}, catching_up}, // its settings are refused, say
      {is_complete, serving},
      {joined{}, serving},
      {is_current, serving}}},
    served("it leaves while it lags, and joins again within the limit",
           {{is_late, lagging}, {is_late, lagging}, {is_current, serving}, {joined{}, serving}}),
    {"where joining has failed it has not served",
     {{started{true}, catching_up, reporting_action::consume},
      {is_complete, serving},
      {is_late, catching_up},
      {is_current, catching_up},
      {is_complete, serving}}},
    served("another stream, after it has served: it stays to tell why", {{failure(sound), stopped},
                                                                         {is_complete, stopped},
                                                                         {written{}, stopped},
                                                                         {retry_due{}, stopped},
                                                                         {failure(broken), stopped}}),
    {"another stream, before it has served: the program ends",
     {{started{true}, catching_up, reporting_action::consume},
      {failure(sound), failed, reporting_action::end_program},
      {is_complete, failed},
      {swapped{}, failed}}},
    served("a broken file ends the program", {{failure(broken), failed, reporting_action::end_program}}),
    served("a full disk: it tries again, and serves once something is written",
           {{failure(full), disk_full, reporting_action::retry_later},
            {is_complete, disk_full},
            {retry_due{}, retrying, reporting_action::consume},
            {is_complete, retrying},
            {failure(full), disk_full, reporting_action::retry_later},
            {retry_due{}, retrying, reporting_action::consume},
            {written{}, lagging},
            {is_current, serving}}),
    {"a full disk before it has served ends the program",
     {{started{true}, catching_up, reporting_action::consume}, {failure(full), failed, reporting_action::end_program}}},
    {"a full disk before it has served, beside a rebuild: it tries again",
     {{started{true}, catching_up, reporting_action::consume},
      {failure(full, rebuild_status::running), disk_full, reporting_action::retry_later},
      {retry_due{}, retrying, reporting_action::consume},
      {written{}, catching_up}}},
    {"counts that a rebuild was asked for and that turn out to be unusable are rebuilt",
     {{started{true}, catching_up, reporting_action::consume},
      {failure(sound, rebuild_status::available), awaiting_rebuild, reporting_action::begin_rebuild},
      {is_complete, awaiting_rebuild},
      {swapped{}, catching_up, reporting_action::consume},
      {is_complete, serving}}},
    {"where that rebuild cannot be begun the program ends",
     {{started{true}, catching_up, reporting_action::consume},
      {failure(broken, rebuild_status::available), awaiting_rebuild, reporting_action::begin_rebuild},
      {rebuild_failed{}, failed, reporting_action::end_program}}},
    served("once it has served no rebuild is begun", {{failure(sound, rebuild_status::available), stopped}}),
    served("a rebuild that runs replaces counts that cannot be used, in the same service",
           {{failure(broken, rebuild_status::running), awaiting_rebuild},
            {swapped{}, lagging, reporting_action::consume},
            {is_current, serving}}),
    {"unusable counts at the start wait for their rebuild",
     {{started{false}, awaiting_rebuild},
      {failure(sound), awaiting_rebuild},
      {swapped{}, catching_up, reporting_action::consume}}},
    {"where the only counts are those of a rebuild that fails the program ends",
     {{started{false}, awaiting_rebuild}, {rebuild_failed{}, failed, reporting_action::end_program}}},
    served("a rebuild that fails beside counts that serve changes nothing", {{rebuild_failed{}, serving}}),
    served("a swap beside counts that serve keeps the consumer", {{swapped{}, serving}}),
    served("a swap is as good as a write",
           {{failure(full, rebuild_status::running), disk_full, reporting_action::retry_later},
            {retry_due{}, retrying, reporting_action::consume},
            {swapped{}, lagging}}),
    served("files that cannot be swapped end the program", {{swap_failed{}, failed, reporting_action::end_program}}),
};

} // namespace

BOOST_AUTO_TEST_SUITE(reporting_states)

BOOST_AUTO_TEST_CASE(each_event_leads_to_one_state_and_one_action)
{
    for (const auto& [what, steps] : courses)
        BOOST_TEST_CONTEXT(what)
        {
            reporting_fsm fsm;
            BOOST_TEST(fsm.state() == starting);
            std::size_t number = 0;
            for (const auto& [event, then, action] : steps)
                BOOST_TEST_CONTEXT("step " << ++number)
                {
                    BOOST_TEST((fsm.advance(event) == action));
                    BOOST_TEST(fsm.state() == then);
                }
        }
}

BOOST_AUTO_TEST_CASE(nothing_counts_or_serves_before_the_start)
{
    for (const reporting_event& event :
         std::vector<reporting_event>{is_complete, failure(sound), written{}, retry_due{}, rebuild_failed{}, swapped{}})
    {
        reporting_fsm fsm;
        BOOST_TEST((fsm.advance(event) == nothing));
        BOOST_TEST(fsm.state() == starting);
        BOOST_TEST(!fsm.counts());
        BOOST_TEST(!fsm.serves());
    }
}

BOOST_AUTO_TEST_CASE(only_the_serving_state_serves_and_what_serves_counts)
{
    reporting_fsm fsm;
    const auto looks = [&](bool counts, bool serves)
    { return fsm.counts() == counts && fsm.serves() == serves && fsm.state() != starting; };
    (void)fsm.advance(started{true});
    BOOST_TEST(looks(true, false));
    (void)fsm.advance(is_complete);
    BOOST_TEST(looks(true, true));
    BOOST_TEST(!fsm.has_served()); // until joining has succeeded
    (void)fsm.advance(joined{});
    BOOST_TEST(fsm.has_served());
    (void)fsm.advance(is_late);
    BOOST_TEST(looks(true, false));
    (void)fsm.advance(failure(full));
    BOOST_TEST(looks(false, false));
    (void)fsm.advance(retry_due{});
    BOOST_TEST(looks(true, false));
    (void)fsm.advance(failure(sound));
    BOOST_TEST(looks(false, false));
}

BOOST_AUTO_TEST_SUITE_END()
