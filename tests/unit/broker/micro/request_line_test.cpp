#include "broker/micro/request_line.hpp"

#include "broker/base/access_log.hpp"
#include "schemas/subjects.hpp"
#include "tests/support/captured_log.hpp"

#include <boost/test/unit_test.hpp>

#include <string>

using namespace marquee;
using namespace marquee::detail;
using namespace std::chrono_literals;

namespace
{

const std::string trace(32, 'a');

struct lines_on
{
    lines_on() { set_access_log({1, 1s}); }
    ~lines_on() { set_access_log({}); }
    lines_on(const lines_on&) = delete;
    lines_on& operator=(const lines_on&) = delete;
};

std::string line_of(const service_result& outcome, std::chrono::nanoseconds took, bool long_poll = false)
{
    endpoint_config to;
    to.subject = "metadata.get.*";
    to.long_poll = long_poll;
    header_list headers;
    headers.set(names::header_request_id, "r-1 \"x\"\x1b");
    headers.set("traceparent", "00-" + trace + "-bbbbbbbbbbbbbbbb-01");
    return test::log_of([&] { log_request(to, headers, outcome, took); });
}

} // namespace

BOOST_AUTO_TEST_SUITE(request_line)

BOOST_AUTO_TEST_CASE(a_request_is_one_line_with_the_pattern_and_without_the_subject)
{
    const lines_on all;
    const auto text = line_of(service_reply{"12345", {}}, 1234567ns);
    BOOST_TEST(text.find(": request request=\"r-1 \\\"x\\\"\\x1b\" trace=" + trace +
                         " subject=metadata.get.* status=200 duration_us=1234 bytes=5\n") != std::string::npos,
               text);
}

BOOST_AUTO_TEST_CASE(a_failure_has_its_code_and_that_of_the_service_itself_its_detail)
{
    const lines_on all;
    const auto missing = line_of(service_error(fail(errc::asset_not_found, "of the requester"), "123"), 1ms);
    BOOST_TEST(missing.find(" info ") != std::string::npos, missing);
    BOOST_TEST(missing.find("status=404 code=asset_not_found duration_us=1000\n") != std::string::npos, missing);
    const auto broken = line_of(service_error(fail(errc::service_failed, "disk\nfull")), 1ms);
    BOOST_TEST(broken.find(": request failed ") != std::string::npos, broken);
    BOOST_TEST(broken.find("status=500 code=service_failed detail=disk\\x0afull ") != std::string::npos, broken);
}

BOOST_AUTO_TEST_CASE(what_waits_for_something_to_happen_is_not_slow)
{
    BOOST_TEST(line_of(service_reply{"", {}}, 5s).find(": slow request ") != std::string::npos);
    BOOST_TEST(line_of(service_reply{"", {}}, 5s, true).empty());
}

BOOST_AUTO_TEST_CASE(a_trace_id_is_taken_from_a_traceparent_that_has_one)
{
    BOOST_TEST(trace_id_of("00-" + trace + "-bbbbbbbbbbbbbbbb-01") == trace);
    for (const auto& wrong : {std::string(), trace, "00-" + trace, "00-" + std::string(32, 'A') + "-b-01",
                              "00 " + trace + "-b-01", "00-" + std::string(31, 'a') + "\n-b-01"})
        BOOST_TEST(trace_id_of(wrong).empty(), wrong);
}

BOOST_AUTO_TEST_SUITE_END()
