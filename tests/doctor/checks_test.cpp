// The checks that look at this machine, and what is printed.
#include "tests/end_to_end/programs.hpp"
#include "tools/doctor/checks.hpp"

#include <boost/json/parse.hpp>
#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <limits>

using namespace marquee::doctor;
using namespace marquee::test;
using namespace std::chrono_literals;

namespace
{

/// A process in a folder like /proc.
void add_process(const temporary_folder& proc, const std::string& pid, const std::string& name,
                 const std::string& open_files)
{
    std::filesystem::create_directory(proc.file(pid));
    (void)proc.write(pid + "/comm", name + '\n');
    (void)proc.write(pid + "/limits", "Limit                     Soft Limit           Hard Limit           Units     \n"
                                      "Max cpu time              unlimited            unlimited            seconds   \n"
                                      "Max open files            " +
                                          open_files + "              1048576              files     \n");
}

std::vector<severity> severities(const findings& all)
{
    std::vector<severity> out;
    for (const auto& each : all)
        out.push_back(each.how);
    return out;
}

/// The verdicts of one check. Whatever is wrong has a cure.
template <class Check>
std::vector<severity> verdicts(const Check& check)
{
    findings found;
    check(found);
    for (const auto& each : found)
        BOOST_TEST((each.how == severity::ok) == each.cure.empty(), text_of(each));
    return severities(found);
}

boost::json::object object(const std::string& text) { return boost::json::parse(text).as_object(); }

severity clock_apart(std::chrono::milliseconds by, std::chrono::milliseconds round_trip = 2ms)
{
    using namespace std::chrono;
    const system_clock::time_point server = sys_days(year(2026) / 11 / 1) + 12h;
    findings found;
    check_clock("2026-11-01T12:00:00.000000000Z", server + by - round_trip / 2, server + by + round_trip / 2, found);
    BOOST_TEST_REQUIRE(found.size() == 1U);
    return found[0].how;
}

} // namespace

BOOST_AUTO_TEST_SUITE(checks)

BOOST_AUTO_TEST_CASE(text_from_the_wire_forges_no_line)
{
    const auto text = text_of({severity::problem, "reporting", "alarm:\nok       everything\r\x1b[2J\xff", "do\nthis"});
    BOOST_TEST(text ==
               "problem  reporting: alarm:\\x0aok       everything\\x0d\\x1b[2J\\xff\n         cure: do\\x0athis");
    BOOST_TEST(text_of({severity::ok, "EVENTS", R"(a "quoted" name)", ""}) == R"(ok       EVENTS: a "quoted" name)");
}

BOOST_AUTO_TEST_CASE(an_edge_or_a_server_with_few_open_files_is_named)
{
    const temporary_folder proc;
    findings found;
    check_open_files(found, proc.file(""));
    BOOST_TEST(found.empty()); // neither runs here
    add_process(proc, "17", "bash", "64");
    add_process(proc, "20", "marquee-edge", "65536");
    add_process(proc, "21", "nats-server", "unlimited");
    check_open_files(found, proc.file(""));
    BOOST_TEST((severities(found) == std::vector{severity::ok}));

    found.clear();
    add_process(proc, "22", "marquee-edge", "1024");
    add_process(proc, "23", "nats-server", "4096");
    std::filesystem::create_directory(proc.file("24")); // ended meanwhile
    check_open_files(found, proc.file(""));
    BOOST_TEST((severities(found) == std::vector{severity::warning, severity::warning}));
    for (const auto& each : found)
        BOOST_TEST((each.detail.find("process 22") != std::string::npos ||
                    each.detail.find("process 23") != std::string::npos),
                   each.detail);
}

BOOST_AUTO_TEST_CASE(a_folder_without_a_disk_is_a_problem)
{
    findings found;
    const temporary_folder folder;
    check_disk(folder.file(""), found);
    check_disk(folder.file("missing"), found);
    BOOST_TEST_REQUIRE(found.size() == 2U);
    BOOST_TEST((found[1].how == severity::problem));
    BOOST_TEST(found[1].detail.find("missing") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_broker_is_new_enough_or_not)
{
    const std::pair<const char*, severity> rows[] = {
        {"2.10.27", severity::ok},       {"2.10.28", severity::ok},
        {"2.11.0", severity::ok},        {"2.12.0-beta.1", severity::ok},
        {"3.0.0", severity::ok},         {"2.10.26", severity::warning}, // has known holes
        {"2.10.0", severity::warning},   {"", severity::warning},
        {"of today", severity::warning}, {"2.9.25", severity::problem},
        {"1.4.1", severity::problem},
    };
    for (const auto& row : rows)
        BOOST_TEST((verdicts([&](findings& into) { check_version(row.first, into); }) == std::vector{row.second}),
                   row.first);
}

BOOST_AUTO_TEST_CASE(the_leader_and_the_copies_of_a_stream_are_judged)
{
    using all = std::vector<severity>;
    const std::string three = R"("config":{"num_replicas":3})";
    const std::string copy = R"({"name":"n2","current":true})";
    const std::pair<std::string, all> rows[] = {
        {R"({"config":{"num_replicas":1},"cluster":{"leader":"n1"}})", {}}, // one server, no cluster
        {"{" + three + R"(,"cluster":{"name":"c","leader":"n1","replicas":[)" + copy + "]}}", {}},
        {"{" + three + R"(,"cluster":{"name":"c","replicas":[)" + copy + "]}}", {severity::problem}},
        {"{" + three + R"(,"cluster":{"name":"c","leader":"n1","replicas":[{"name":"n2","offline":true}]}})",
         {severity::warning}},
        {"{" + three + R"(,"cluster":{"name":"c","leader":"n1","replicas":[{"name":"n2","current":false,"lag":7}]}})",
         {severity::warning}},
        {R"({"config":{"num_replicas":2},"cluster":{"name":"c","leader":"n1"}})", {severity::warning}},
        {"{}", {}},
    };
    for (const auto& row : rows)
        BOOST_TEST((verdicts([&](findings& into) { check_replicas("EVENTS", object(row.first), into); }) == row.second),
                   row.first);
}

BOOST_AUTO_TEST_CASE(a_disk_with_little_room_is_told)
{
    constexpr std::uint64_t gib = std::uint64_t{1} << 30U;
    struct row
    {
        std::uint64_t free;
        std::uint64_t all;
        severity expected;
    };
    const row rows[] = {
        {5 * gib, 100 * gib, severity::ok},
        {5 * gib - 1, 100 * gib, severity::warning}, // 5 %
        {gib / 2, 100 * gib, severity::warning},
        {gib / 2 - 1, 100 * gib, severity::problem}, // a tenth of that
        {gib, 8 * gib, severity::ok},
        {gib - 1, 8 * gib, severity::warning}, // of small ones 1 GiB
        {gib / 4, gib, severity::ok},
        {gib / 4 - 1, gib, severity::warning}, // of very small ones 25 %
    };
    for (const auto& r : rows)
        BOOST_TEST(
            (verdicts([&](findings& into) { check_space("/x", r.free, r.all, into); }) == std::vector{r.expected}),
            r.free << " of " << r.all);
}

BOOST_AUTO_TEST_CASE(an_account_that_is_nearly_full_is_told)
{
    const std::pair<const char*, std::vector<severity>> rows[] = {
        {R"({"storage":999,"limits":{"max_storage":-1}})", {severity::ok}},
        {R"({"storage":799,"limits":{"max_storage":1000}})", {severity::ok}},
        {R"({"storage":800,"limits":{"max_storage":1000}})", {severity::ok, severity::warning}},
        {R"({"storage":990,"limits":{"max_storage":1000}})", {severity::ok, severity::problem}},
    };
    for (const auto& row : rows)
        BOOST_TEST((verdicts([&](findings& into) { check_account(object(row.first), into); }) == row.second),
                   row.first);
}

BOOST_AUTO_TEST_CASE(what_instances_say_of_themselves_is_judged)
{
    using all = std::vector<severity>;
    const auto serving = [](const char* version, const char* rule)
    {
        instance one;
        one.name = "reporting";
        one.version = version;
        one.rule = rule;
        one.serving = true;
        return one;
    };
    const auto sound = serving("0.1.0", "version 4, window 1d");
    auto alarmed = sound;
    alarmed.alarm = "another stream";
    auto behind = sound;
    behind.serving = false;
    auto old = sound;
    old.old = true;
    auto other = sound;
    other.name = "metadata";
    const std::pair<instances, all> rows[] = {
        {{{"a", sound}, {"b", sound}, {"c", other}}, {severity::ok}},
        {{{"c", other}}, {severity::problem}}, // none of this service
        {{{"a", alarmed}}, {severity::problem, severity::ok}},
        {{{"a", behind}, {"b", sound}}, {severity::warning, severity::ok}},
        {{{"a", old}}, {severity::warning, severity::ok}},
        {{{"a", sound}, {"b", serving("0.2.0", "version 4, window 1d")}}, {severity::ok, severity::warning}},
        {{{"a", sound}, {"b", serving("0.1.0", "version 4, window 1h")}}, {severity::ok, severity::problem}},
    };
    for (const auto& row : rows)
        BOOST_TEST((verdicts([&](findings& into) { check_instances("reporting", row.first, into); }) == row.second),
                   "row " << &row - rows);
}

BOOST_AUTO_TEST_CASE(clocks_that_differ_by_more_than_the_round_trip_are_told)
{
    BOOST_TEST((clock_apart(0ms) == severity::ok));
    BOOST_TEST((clock_apart(-900ms) == severity::ok));
    BOOST_TEST((clock_apart(1500ms) == severity::warning));
    BOOST_TEST((clock_apart(-1500ms) == severity::warning));
    BOOST_TEST((clock_apart(1500ms, 2s) == severity::ok)); // within the round trip
    BOOST_TEST((clock_apart(2min) == severity::problem));
    BOOST_TEST((clock_apart(-24h) == severity::problem));
    findings found;
    check_clock("yesterday", {}, {}, found);
    BOOST_TEST(found.empty());
}

BOOST_AUTO_TEST_CASE(what_is_nearly_full_is_told)
{
    struct row
    {
        std::uint64_t used;
        std::uint64_t limit;
        std::vector<severity> expected;
    };
    constexpr auto most = std::numeric_limits<std::uint64_t>::max();
    const row rows[] = {
        {0, 0, {}},
        {1000, 0, {}}, // no limit
        {790, 1000, {}},
        {800, 1000, {severity::warning}},
        {979, 1000, {severity::warning}},
        {980, 1000, {severity::problem}},
        {2000, 1000, {severity::problem}},
        {most, most, {severity::problem}},
        {most / 2, most, {}},
    };
    for (const auto& [used, limit, expected] : rows)
    {
        findings found;
        add_fullness(found, "EVENTS", "the stream", used, limit, "make room");
        BOOST_TEST((severities(found) == expected), used << " of " << limit);
    }
    BOOST_TEST(size_about(12) == "12 bytes");
    BOOST_TEST(size_about(1536) == "1.5 KiB");
    BOOST_TEST(size_about(most) == "16777216.0 TiB");
}

BOOST_AUTO_TEST_SUITE_END()
