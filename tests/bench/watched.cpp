// watched: what logs, traces and the fleet's metrics cost a play.
#include "tests/bench/traffic.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

#include <sys/socket.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>

namespace marquee::bench
{

namespace
{

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using namespace std::chrono_literals;

constexpr int connections = 64;
constexpr auto between_scrapes = 1s; ///< Prometheus' usual is 15 or 60

/// A collector that takes whatever it is sent. A thread for each connection, of which there is one
/// for each program.
class collector
{
public:
    collector() : acceptor_(io_, {asio::ip::address_v4::loopback(), 0}), thread_([this] { run(); }) {}
    ~collector()
    {
        ending_ = true;
        boost::system::error_code ignored;
        asio::io_context io;
        asio::ip::tcp::socket last(io);
        last.connect(acceptor_.local_endpoint(), ignored); // ends the accept
        thread_.join();
        for (auto& served : served_)
            served.join();
    }
    collector(const collector&) = delete;
    collector& operator=(const collector&) = delete;

    [[nodiscard]] std::string url() const
    {
        return "http://127.0.0.1:" + std::to_string(acceptor_.local_endpoint().port());
    }
    [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_; }

private:
    void run()
    {
        for (;;)
        {
            auto link = std::make_shared<asio::ip::tcp::socket>(io_);
            boost::system::error_code failed;
            acceptor_.accept(*link, failed);
            if (failed || ending_)
                return;
            served_.emplace_back([this, link] { serve(*link); });
        }
    }

    void serve(asio::ip::tcp::socket& link)
    {
        beast::flat_buffer buffer;
        boost::system::error_code failed;
        while (!failed)
        {
            http::request_parser<http::string_body> parser;
            parser.body_limit(boost::none);
            http::read(link, buffer, parser, failed);
            if (failed)
                return;
            bytes_ += parser.get().body().size();
            http::response<http::string_body> answer(http::status::ok, 11, "{}");
            answer.set(http::field::content_type, "application/json");
            answer.prepare_payload();
            http::write(link, answer, failed);
        }
    }

    asio::io_context io_;
    asio::ip::tcp::acceptor acceptor_;
    std::atomic<bool> ending_{false};
    std::atomic<std::uint64_t> bytes_{0};
    std::vector<std::thread> served_; ///< of thread_, until it has ended
    std::thread thread_;
};

/// Reads /metrics/fleet again and again.
class scraper
{
public:
    explicit scraper(int port) : thread_([this, port] { run(port); }) {}
    ~scraper()
    {
        {
            const std::lock_guard guard(mutex_);
            ending_ = true;
        }
        wake_.notify_one();
        thread_.join();
    }
    scraper(const scraper&) = delete;
    scraper& operator=(const scraper&) = delete;

private:
    void run(int port)
    {
        const http_connection link(port);
        std::string page(1 << 16, '\0');
        std::unique_lock guard(mutex_);
        while (!wake_.wait_for(guard, between_scrapes, [this] { return ending_; }))
        {
            link.send("GET /metrics/fleet HTTP/1.1\r\nHost: bench\r\n\r\n");
            while (::recv(link.descriptor(), page.data(), page.size(), MSG_DONTWAIT) > 0)
                ; // of the scrape before, by now
        }
    }

    std::mutex mutex_;
    std::condition_variable wake_;
    bool ending_ = false;
    std::thread thread_;
};

/// A system that is watched in one way.
struct watched_system
{
    std::string name;
    std::vector<std::string> of_all = {};  ///< arguments of each program
    std::vector<std::string> of_edge = {}; ///< and more of the edge
    bool scraped = false;
    std::unique_ptr<bench_system> system = {};
};

std::vector<watched_system> ways(const std::string& collector_url)
{
    const std::vector<std::string> exported{"--otlp", collector_url};
    std::vector<watched_system> all;
    all.push_back({"nothing"});
    all.push_back({"access log of 1 %", {"--access-log", "0.01"}});
    all.push_back({"access log of all", {"--access-log", "on"}});
    all.push_back({"traces of 1 %", exported, {"--trace-ratio", "0.01"}});
    all.push_back({"traces of all", exported, {"--trace-ratio", "1"}});
    all.push_back({.name = "/metrics/fleet each second", .scraped = true});
    return all;
}

void start(watched_system& one)
{
    bench_system::arguments extra;
    for (const auto& program : whole_system())
        extra[program] = one.of_all;
    extra["edge"].insert(extra["edge"].end(), one.of_edge.begin(), one.of_edge.end());
    one.system = std::make_unique<bench_system>(whole_system(), std::move(extra));
}

figures play_watched(watched_system& one, const settings& with, const traffic& what)
{
    const auto scraped = one.scraped ? std::make_unique<scraper>(one.system->programs().port()) : nullptr;
    return run_traffic(*one.system, with, what, connections);
}

double cpu_of_programs(const figures& f)
{
    double sum = 0;
    for (const std::string name : {"edge", "broker", "metadata", "cdnurl", "reporting"})
        sum += f.at("cpu " + name);
    return sum;
}

} // namespace

void watched(const settings& with)
{
    const collector spans;
    auto all = ways(spans.url());
    std::vector<load> loads;
    for (auto& one : all)
    {
        start(one);
        put_assets(*one.system, traffic_assets(with));
        warm_up(*one.system, with);
        loads.push_back({one.name, [&one, &with, what = zipf_traffic(traffic_assets(with))]
                         { return play_watched(one, with, what); }});
    }
    const auto medians = alternate(with, loads);
    note("## watched: plays with " + std::to_string(connections) + " connections; the processes run with " +
         scheduling());
    table t("What is on, and what a play costs then: µs of all programs and the broker, `×` and `of nothing` beside "
            "the first row; the log is read from a pipe, spans by a collector on this machine.",
            {"on", "requests/s", "of nothing", "p50 ms", "p99 ms", "µs", "×", "wrong"});
    const auto& nothing = medians.front();
    for (std::size_t i = 0; i < medians.size(); ++i)
    {
        const auto& f = medians[i];
        t.row({all[i].name, number(f.at("rate")), number(f.at("rate") / nothing.at("rate"), 3),
               number(f.at("p50") / 1000, 2), number(f.at("p99") / 1000, 2), number(cpu_of_programs(f), 2),
               number(cpu_of_programs(f) / cpu_of_programs(nothing), 3), number(f.at("wrong"))});
    }
    note("The collector was sent " + number(static_cast<double>(spans.bytes()) / 1e6, 1) + " MB.");
}

} // namespace marquee::bench
