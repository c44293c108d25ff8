// Floods of 64 MiB: the memory and time they cost the edge, and that the next request works.
#include "tests/end_to_end/kit.hpp"
#include "tests/support/raw_http.hpp"

#include <boost/test/unit_test.hpp>

#include <fstream>
#include <sstream>
#include <string_view>
#include <tuple>

#include <unistd.h>

using namespace marquee::test;

namespace
{

marquee_system::settings as_shipped() { return {}; }
using shared = shared_system<as_shipped>;

constexpr std::size_t flood_bytes = 64U << 20U;
#ifdef __SANITIZE_ADDRESS__
constexpr bool plain = false; // the sanitizer keeps freed memory
#else
constexpr bool plain = true;
#endif

std::string proc(const std::string& file)
{
    return "/proc/" + std::to_string(shared::system->at("edge").pid()) + '/' + file;
}

/// A line of /proc/PID/status, in KiB.
long status_kib(const std::string& name)
{
    std::ifstream file(proc("status"));
    for (std::string line; std::getline(file, line);)
        if (line.starts_with(name + ':'))
            return std::stol(line.substr(name.size() + 1));
    throw std::runtime_error("no " + name);
}

/// Resets the peak to the memory in use, and returns it.
long forget_peak()
{
    std::ofstream(proc("clear_refs")) << 5;
    return status_kib("VmHWM");
}

double cpu_seconds()
{
    std::ifstream file(proc("stat"));
    std::string text((std::istreambuf_iterator<char>(file)), {});
    std::istringstream fields(text.substr(text.rfind(')') + 2));
    std::string skipped;
    for (int i = 3; i < 14; ++i)
        fields >> skipped;
    double user = 0;
    double system = 0;
    fields >> user >> system;
    return (user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

const std::string post = "POST /play/asset/123/user/flood HTTP/1.1\r\nHost: a\r\n";
const std::string chunked = post + "Transfer-Encoding: chunked\r\n\r\n";

struct flood
{
    const char* name;
    std::string start;
    std::string again; ///< repeated
    int status;        ///< of the last answer
};

const flood floods[] = {
    {"a chunk extension", chunked + "1;x=", std::string(4096, 'y'), 400},
    {"chunk extensions", chunked, "1;x=yyyyyyyy\r\na\r\n", 400},
    {"a trailer", chunked + "0\r\nX: ", std::string(4096, 'y'), 400},
    {"trailers", chunked + "0\r\n", "X: yyyyyyyyyyyyyyyy\r\n", 400},
    {"a header field", post + "X: ", std::string(4096, 'y'), 431},
    {"header fields", post, "X: yyyyyyyyyyyyyyyy\r\n", 431},
    {"a field name", post, std::string(4096, 'y'), 431},
    {"a target", "GET /", std::string(4096, 'y'), 414},
    {"a method", "G", std::string(4096, 'E'), 414},
    {"a body with a length", post + "Content-Length: 67108864\r\n\r\n", std::string(4096, 'y'), 413},
    {"a body of chunks", chunked, "1000\r\n" + std::string(4096, 'y') + "\r\n", 413},
    {"a body of small chunks", chunked, "1\r\ny\r\n", 413},
    {"one chunk", chunked + "4000000\r\n", std::string(4096, 'y'), 413},
    {"empty lines", "", "\r\n", 400},
    {"pipelined requests", "", "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n", 200},
    {"pipelined bodies", "", "POST /nowhere HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}", 404},
    {"pipelined plays", "", "POST /play/asset/none/user/flood HTTP/1.1\r\nHost: a\r\n\r\n", 404},
};

/// Sends the flood until the edge closes; returns the answers.
std::string pour(const flood& what)
{
    raw_connection link(shared::system->port());
    std::string portion;
    while (portion.size() < 65536)
        portion += what.again;
    link.send(what.start);
    for (std::size_t sent = 0; sent < flood_bytes && link.send(portion); sent += portion.size())
    {
    }
    BOOST_TEST(link.wait_for_end());
    return link.received();
}

constexpr long most_kib = 1024;
constexpr int requests_a_connection = 1000;

/// The answers of the edge, the growth of its memory in KiB, and its CPU time in seconds.
std::tuple<std::string, long, double> measure(const flood& what)
{
    const auto before = cpu_seconds();
    const auto baseline = forget_peak();
    auto received = pour(what);
    const auto peak = status_kib("VmHWM") - baseline;
    const auto cpu = cpu_seconds() - before;
    BOOST_TEST_MESSAGE(what.name << ": " << peak << " KiB, " << cpu << " s");
    return {std::move(received), peak, cpu};
}

/// A client that does not stop sending may be cut off before it has read all answers.
bool is_whole(const flood& what, const std::string& received)
{
    int answers = 0;
    for (auto at = received.find("HTTP/1.1 "); at != std::string::npos; at = received.find("HTTP/1.1 ", at + 1))
        ++answers;
    return answers == (std::string_view(what.name).starts_with("pipelined") ? requests_a_connection : 1);
}

} // namespace

BOOST_AUTO_TEST_SUITE(floods_, *boost::unit_test::fixture<shared>())

BOOST_AUTO_TEST_CASE(a_flood_costs_the_edge_no_more_than_a_mebibyte_and_a_second)
{
    for (int i = 0; i < 200; ++i) // warms up
        BOOST_TEST_REQUIRE(
            shared::system->call({"POST", "/play/asset/123/user/1", {}, std::string(60000, ' ')}).status == 200);
    for (const auto& each : floods)
        BOOST_TEST_CONTEXT(each.name)
        {
            auto [received, peak, cpu] = measure(each);
            if (peak > most_kib) // the allocator returns idle pages, and the first flood afterwards takes them again
                std::tie(received, peak, cpu) = measure(each);
            const auto last = received.rfind("HTTP/1.1 ");
            if (is_whole(each, received))
            {
                BOOST_TEST(received.substr(last + 9, 3) == std::to_string(each.status));
                BOOST_TEST(received.find("Connection: close", last) != std::string::npos);
            }
            BOOST_TEST(received.size() < 1U << 20U); // a thousand answers at most
            if (plain)
                BOOST_TEST(peak <= most_kib);
            BOOST_TEST(cpu <= (plain ? 1.0 : 5.0));
            BOOST_TEST(shared::system->call({"GET", "/content/asset/123"}).status == 200);
        }
    BOOST_TEST(shared::system->call({"GET", "/events/user/flood"}).status == 404); // no part of it was a play
    BOOST_TEST(shared::system->call({"POST", "/play/asset/123/user/after"}).status == 200);
}

BOOST_AUTO_TEST_SUITE_END()
