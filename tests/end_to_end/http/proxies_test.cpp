// The malformed requests through proxies, which read them their own way and keep connections to the
// edge: the edge sees as many requests as clients get answers. A request smuggled in another would
// be one too many, or be answered to the wrong client.
#include "tests/end_to_end/http/malformed_rows.hpp"
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
#include <deque>
#include <future>
#include <iterator>
#include <map>
#include <regex>
#include <stdexcept>
#include <vector>

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
           "  access_log off; client_header_timeout 400ms; client_body_timeout 400ms; keepalive_timeout 1s; "
           "lingering_timeout "
           "1s;\n"
           "  client_body_temp_path " +
           folder + "/1; proxy_temp_path " + folder + "/2; fastcgi_temp_path " + folder + "/3; uwsgi_temp_path " +
           folder + "/4; scgi_temp_path " + folder +
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
    /// False: it has ended, as it does where the port is taken. HAProxy does not say when it is
    /// ready.
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

/// Counts status lines anywhere in `received`: bodies name versions, but no status after them.
std::size_t status_lines_in(const std::string& received)
{
    static const std::regex status_line("HTTP/1\\.[01] [1-5][0-9][0-9] ");
    return static_cast<std::size_t>(
        std::distance(std::sregex_iterator(received.begin(), received.end(), status_line), std::sregex_iterator()));
}

/// Of what a proxy has sent, how much comes from the edge: it alone has request ids. To HTTP/0.9
/// there is only a body.
std::size_t answers_of_the_edge(std::string received)
{
    if (received.starts_with("{"))
        return 1;
    for (auto& c : received)
        c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return count_of(received, "\r\nx-request-id: ");
}

const std::string hidden = "GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

/// Requests that an edge has answered, but for those that ask for this.
std::uint64_t seen_by(int edge)
{
    const auto page = read_metrics(http(edge, {"GET", "/metrics"}).body);
    const std::string name = "marquee_edge_requests_total";
    return page.sum(name) - page.sum(name, {{"route", "/metrics"}});
}

/// The malformed rows, and well-formed requests whose body would be a request to a server that
/// misses the body.
std::vector<malformed_row> all_rows()
{
    auto rows = malformed_rows();
    for (const auto& row : well_formed_rows())
        rows.push_back(row);
    for (const std::string method : {"GET", "HEAD", "DELETE", "OPTIONS", "POST"})
    {
        const auto target = method == "POST" ? malformed_play : std::string("/healthz");
        const auto head = method + ' ' + target + " HTTP/1.1\r\nHost: a\r\n";
        const std::string body = "GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n";
        std::array<char, 16> size{};
        (void)std::snprintf(size.data(), size.size(), "%zx\r\n", body.size());
        rows.push_back({method + ", a request as its body",
                        head + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body,
                        {}});
        rows.push_back({method + ", a request as its only chunk",
                        head + "Transfer-Encoding: chunked\r\n\r\n" + size.data() + body + "\r\n0\r\n\r\n",
                        {}});
    }
    return rows;
}

struct outcome
{
    std::size_t by_edge = 0;
    std::int64_t plays = 0;
    std::vector<std::string> complaints; ///< Boost.Test is for one thread
};

/// A proxy and its own edge behind it. Rows are sent one after the other, which takes long: several
/// lanes run in parallel.
class lane
{
public:
    lane(std::string name, const std::string& program, const std::string& more, int edge)
        : name_(std::move(name)), front_(program, more, edge), edge_(edge)
    {
    }

    [[nodiscard]] const std::string& name() const noexcept { return name_; }

    /// Sends every `step`th row from `first` on. Any thread.
    [[nodiscard]] outcome send_rows(std::size_t first, std::size_t step) const
    {
        outcome all;
        const auto rows = all_rows();
        for (std::size_t i = first; i < rows.size(); i += step)
            try
            {
                send(rows[i], "next-" + std::to_string(i), all);
            }
            catch (const std::exception& e)
            {
                all.complaints.push_back(name_ + ", " + rows[i].name + ": " + e.what());
            }
        return all;
    }

private:
    void send(const malformed_row& row, const std::string& next, outcome& into) const
    {
        const auto check = [&](bool right, const std::string& what, const std::string& received)
        {
            if (!right)
                into.complaints.push_back(name_ + ", " + row.name + ": " + what + ": " + received);
        };
        const auto seen = seen_by(edge_);
        raw_connection link(front_.port());
        link.send(row.bytes + (row.open ? "" : hidden));
        if (row.open)
            link.shut_down();
        check(link.wait_for_end(), "not ended", link.received());
        const auto answers = answers_of_the_edge(link.received());
        check(status_lines_in(link.received()) <= 2, "too many answers", link.received());

        // The next client gets its own answer and no other.
        raw_connection after(front_.port());
        after.send("GET /nowhere HTTP/1.1\r\nHost: a\r\nX-Request-ID: " + next + "\r\nConnection: close\r\n\r\n");
        check(after.wait_for_end() && after.received().starts_with("HTTP/1.1 404") &&
                  holds(after.received(), ": " + next + "\r\n"),
              "the next client got", after.received());

        const auto now = seen_by(edge_) - seen;
        check(now == answers + 1, "the edge answered " + std::to_string(now) + " with the next one", link.received());
        into.by_edge += answers;
        into.plays += static_cast<std::int64_t>(count_of(link.received(), "\"userviews\""));
    }

    std::string name_;
    proxy front_;
    int edge_;
};

std::int64_t stored(nats_client& client)
{
    return boost::json::parse(client.request("$JS.API.STREAM.INFO.EVENTS").data).at("state").at("last_seq").as_int64();
}

constexpr std::size_t lanes = 4; ///< of each proxy

marquee_system::settings with_edges(std::size_t count)
{
    marquee_system::settings with;
    for (std::size_t i = 1; i <= count; ++i)
    {
        const auto name = i == 1 ? "edge" : "edge-" + std::to_string(i);
        if (i > 1)
            with.start.push_back(name);
        with.extra[name] = {"--body-timeout", "1s", "--threads", "1"};
    }
    return with;
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
    const auto with = with_edges(std::size(table) * lanes);
    const marquee_system system(with);
    nats_client client(system.server());
    std::deque<lane> all;
    auto edge = with.extra.begin();
    for (const auto& [name, program, more] : table)
        for (std::size_t i = 0; i < lanes; ++i)
            all.emplace_back(name, program, more, system.port((edge++)->first));

    const auto before = stored(client);
    std::vector<std::future<outcome>> working;
    for (std::size_t i = 0; i < all.size(); ++i)
        working.push_back(
            std::async(std::launch::async, [&one = all[i], i] { return one.send_rows(i % lanes, lanes); }));
    std::map<std::string, std::size_t> by_edge;
    std::int64_t plays = 0;
    for (std::size_t i = 0; i < all.size(); ++i)
    {
        const auto done = working[i].get();
        for (const auto& complaint : done.complaints)
            BOOST_ERROR(complaint);
        by_edge[all[i].name()] += done.by_edge;
        plays += done.plays;
    }
    for (const auto& [name, answers] : by_edge)
    {
        BOOST_TEST_MESSAGE(name << ": " << answers << " answers of the edge");
        BOOST_TEST(answers >= 300U, name); // what the proxy lets through
    }
    BOOST_TEST(stored(client) - before == plays);
    BOOST_TEST(system.call({"POST", "/play/asset/123/user/afterwards"}).status == 200);
}

BOOST_AUTO_TEST_SUITE_END()
