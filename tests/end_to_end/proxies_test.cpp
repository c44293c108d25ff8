// The malformed requests once more, through proxies that read them their own way and keep connections to the edge: what the edge takes for
// a request is what somebody gets an answer to. A request hidden in another would be one too many, or answered to the wrong client.
#include "tests/end_to_end/malformed_rows.hpp"
#include "tests/end_to_end/programs.hpp"
#include "tests/support/nats_client.hpp"
#include "tests/support/ports.hpp"
#include "tests/support/prometheus.hpp"
#include "tests/support/raw_http.hpp"

#include <boost/json/parse.hpp>
#include <boost/test/unit_test.hpp>

#include <array>
#include <cctype>
#include <cstdio>
#include <iterator>
#include <regex>
#include <stdexcept>

#include <unistd.h>

using namespace marquee::test;

namespace
{

std::string path_of(const std::string& name)
{
    std::string path;
    std::array<char, 512> chunk{};
    FILE* answer = ::popen(("'" MARQUEE_SOURCE_DIR "/tests/support/find-proxy' " + name).c_str(), "r");
    while (answer != nullptr && std::fgets(chunk.data(), chunk.size(), answer) != nullptr)
        path += chunk.data();
    if (answer == nullptr || ::pclose(answer) != 0)
        throw std::runtime_error("find-proxy found no " + name);
    path.erase(path.find_last_not_of('\n') + 1);
    return path;
}

std::string nginx_configuration(const std::string& folder, int port, int edge)
{
    return "daemon off; master_process off; pid " + folder +
           "/pid; error_log stderr notice;\n"
           "events { worker_connections 256; }\n"
           "http {\n"
           "  access_log off; client_header_timeout 400ms; client_body_timeout 400ms; keepalive_timeout 1s; lingering_timeout "
           "1s;\n"
           "  client_body_temp_path " +
           folder + "/1; proxy_temp_path " + folder + "/2; fastcgi_temp_path " + folder + "/3; uwsgi_temp_path " + folder +
           "/4; scgi_temp_path " + folder +
           "/5;\n"
           "  upstream edge { server 127.0.0.1:" +
           std::to_string(edge) +
           "; keepalive 8; }\n"
           "  server {\n"
           "    listen 127.0.0.1:" +
           std::to_string(port) +
           ";\n"
           "    location / { proxy_pass http://edge; proxy_http_version 1.1; proxy_set_header Connection \"\"; }\n"
           "  }\n"
           "}\n";
}

std::string haproxy_configuration(int port, int edge, const std::string& more)
{
    return "defaults\n mode http\n http-reuse always\n timeout connect 10s\n timeout client 1s\n timeout server "
           "20s\n"
           " timeout http-request 400ms\n timeout http-keep-alive 400ms\n"
           "frontend marquee\n bind 127.0.0.1:" +
           std::to_string(port) + "\n" + more +
           " default_backend edge\n"
           "backend edge\n server edge 127.0.0.1:" +
           std::to_string(edge) + "\n";
}

/// One of them, in front of an edge.
class proxy
{
public:
    proxy(const std::string& name, const std::string& more, int edge)
    {
        const auto path = path_of(name);
        const auto libraries = path.substr(0, path.rfind("/sbin/")) + "/lib/x86_64-linux-gnu"; // of an unpacked package
        for (int attempt = 0; attempt < 5 && !serves_; ++attempt)
        {
            port_ = free_port();
            const bool is_nginx = name == "nginx";
            const auto file = folder_.write("conf", is_nginx ? nginx_configuration(folder_.file(""), port_, edge)
                                                             : haproxy_configuration(port_, edge, more));
            const words arguments =
                is_nginx ? words{"-p", folder_.file(""), "-e", "stderr", "-c", file} : words{"-db", "-f", file};
            process_ = std::make_unique<process>(path, arguments, variables{{"LD_LIBRARY_PATH", libraries}});
            serves_ = listens();
        }
        BOOST_REQUIRE_MESSAGE(serves_, process_->output());
    }

    [[nodiscard]] int port() const noexcept { return port_; }

private:
    /// False: it has ended, as it does where somebody else has taken the port. HAProxy does not say when it is ready.
    bool listens() const
    {
        while (!process_->wait(std::chrono::milliseconds(20)))
            try
            {
                const raw_connection probe(port_);
                return true;
            }
            catch (const std::runtime_error&) // not yet
            {
            }
        return false;
    }

    temporary_folder folder_;
    std::unique_ptr<process> process_;
    int port_ = 0;
    bool serves_ = false;
};

std::size_t count_of(const std::string& text, std::string_view part)
{
    std::size_t count = 0;
    for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size()))
        ++count;
    return count;
}

/// Status lines, wherever they stand: bodies name versions, but no status after them.
std::size_t answers_of_anybody(const std::string& received)
{
    static const std::regex status_line("HTTP/1\\.[01] [1-5][0-9][0-9] ");
    return static_cast<std::size_t>(
        std::distance(std::sregex_iterator(received.begin(), received.end(), status_line), std::sregex_iterator()));
}

/// Of what a proxy has sent, how much comes from the edge: it alone has request ids. To HTTP/0.9 there is only a body.
std::size_t answers_of_the_edge(std::string received)
{
    if (received.starts_with("{"))
        return 1;
    for (auto& c : received)
        c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return count_of(received, "\r\nx-request-id: ");
}

const std::string hidden = "GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

class watched_edge
{
public:
    /// Requests that the edge has answered, but for those that ask for this.
    [[nodiscard]] std::uint64_t seen() const
    {
        const auto page = read_metrics(system.call({"GET", "/metrics"}).body);
        const std::string name = "marquee_edge_requests_total";
        return page.sum(name) - page.sum(name, {{"route", "/metrics"}});
    }

    [[nodiscard]] std::int64_t stored()
    {
        return boost::json::parse(client.ask("$JS.API.STREAM.INFO.EVENTS").data).at("state").at("last_seq").as_int64();
    }

    marquee_system system{{.extra = {{"edge", {"--body-timeout", "1s"}}}}};
    nats_client client{system.broker().url()};
};

struct totals
{
    std::size_t by_edge = 0;
    std::int64_t plays = 0;
};

/// The next client gets its own answer and no other.
void check_next_client(int port, const std::string& id)
{
    raw_connection next(port);
    next.send("GET /nowhere HTTP/1.1\r\nHost: a\r\nX-Request-ID: " + id + "\r\nConnection: close\r\n\r\n");
    BOOST_TEST_REQUIRE(next.wait_for_end());
    BOOST_TEST(next.received().starts_with("HTTP/1.1 404"));
    BOOST_TEST(next.received().find(": " + id + "\r\n") != std::string::npos, next.received());
}

totals send_all(watched_edge& edge, int port)
{
    totals all;
    auto seen = edge.seen();
    for (const auto& row : malformed_rows())
        BOOST_TEST_CONTEXT(row.name)
        {
            raw_connection link(port);
            link.send(row.bytes + (row.open ? "" : hidden));
            if (row.open)
                link.shut_down();
            BOOST_TEST_REQUIRE(link.wait_for_end());
            const auto answers = answers_of_the_edge(link.received());
            BOOST_TEST(answers_of_anybody(link.received()) <= 2U, link.received());
            check_next_client(port, "next-" + std::to_string(seen));
            const auto now = edge.seen();
            BOOST_TEST(now - seen == answers + 1,
                       "the edge answered " << now - seen - 1 << ", the client got " << answers << ": " << link.received());
            seen = now;
            all.by_edge += answers;
            all.plays += static_cast<std::int64_t>(count_of(link.received(), "\"userviews\""));
        }
    return all;
}

} // namespace

BOOST_AUTO_TEST_SUITE(proxies)

BOOST_AUTO_TEST_CASE(the_edge_sees_as_many_requests_as_clients_of_a_proxy_get_answers)
{
    const std::tuple<const char*, const char*, const char*> table[] = {
        {"nginx", "nginx", ""},
        {"HAProxy", "haproxy", ""},
        {"HAProxy that passes on what is invalid", "haproxy", " option accept-invalid-http-request\n"},
    };
    watched_edge edge;
    for (const auto& [name, program, more] : table)
        BOOST_TEST_CONTEXT(name)
        {
            const proxy front(program, more, edge.system.port());
            const auto stored = edge.stored();
            const auto all = send_all(edge, front.port());
            BOOST_TEST_MESSAGE(name << ": " << all.by_edge << " answers of the edge, " << all.plays << " plays");
            BOOST_TEST(all.by_edge >= 300U); // what the proxy lets through
            BOOST_TEST(edge.stored() - stored == all.plays);
            BOOST_TEST(edge.system.call({"POST", "/play/asset/123/user/afterwards"}).status == 200);
        }
}

BOOST_AUTO_TEST_SUITE_END()
