// The checks that look at this machine, and what is printed.
#include "tests/end_to_end/programs.hpp"
#include "tools/doctor/checks.hpp"

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
