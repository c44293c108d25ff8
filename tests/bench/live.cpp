// live: what live streams cost the plays beside them, and the edge's memory.
#include "tests/bench/traffic.hpp"

#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <stdexcept>
#include <thread>
#include <utility>

namespace marquee::bench
{

namespace
{

using clock = std::chrono::steady_clock;

constexpr std::size_t followers_of_one = 1000;
constexpr std::size_t followers_of_all = 20;
constexpr std::size_t live_assets = 1000;
constexpr int plays_a_second = 1000;

/// Clients of live streams. A thread reads what comes.
class live_clients
{
public:
    live_clients(int port, std::size_t of_one, std::size_t of_all) : poll_(::epoll_create1(0))
    {
        for (std::size_t i = 0; i < of_one; ++i)
            open(port, "?asset=asset-" + std::to_string(i % live_assets));
        for (std::size_t i = 0; i < of_all; ++i)
            open(port, "");
    }
    ~live_clients()
    {
        ending_ = true;
        if (thread_.joinable())
            thread_.join();
        ::close(poll_);
    }
    live_clients(const live_clients&) = delete;
    live_clients& operator=(const live_clients&) = delete;

    void start()
    {
        thread_ = std::thread([this] { read(); });
    }
    [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_; }

private:
    void open(int port, const std::string& query)
    {
        links_.emplace_back(port);
        links_.back().send("GET /events/live" + query + " HTTP/1.1\r\nHost: bench\r\n\r\n");
        std::array<char, 4096> head{}; // with the first place
        std::string got;
        while (got.find("id: ") == std::string::npos)
        {
            const auto size = ::read(links_.back().descriptor(), head.data(), head.size());
            if (size <= 0)
                throw std::runtime_error("no live stream: " + got);
            got.append(head.data(), static_cast<std::size_t>(size));
        }
        epoll_event event{};
        event.events = EPOLLIN;
        event.data.fd = links_.back().descriptor();
        ::epoll_ctl(poll_, EPOLL_CTL_ADD, links_.back().descriptor(), &event);
    }

    void read()
    {
        std::array<epoll_event, 256> ready{};
        std::vector<char> space(1 << 16);
        while (!ending_)
        {
            const int count = ::epoll_wait(poll_, ready.data(), ready.size(), 20);
            for (int i = 0; i < count; ++i)
            {
                const auto size = ::read(ready[static_cast<std::size_t>(i)].data.fd, space.data(), space.size());
                if (size <= 0)
                    ::epoll_ctl(poll_, EPOLL_CTL_DEL, ready[static_cast<std::size_t>(i)].data.fd, nullptr);
                else
                    bytes_ += static_cast<std::uint64_t>(size);
            }
        }
    }

    int poll_;
    std::vector<http_connection> links_;
    std::atomic<bool> ending_{false};
    std::atomic<std::uint64_t> bytes_{0};
    std::thread thread_;
};

/// Plays at a fixed rate, whether those before are answered or not. A latency counts from the time
/// at which the play was due.
class paced_plays
{
public:
    explicit paced_plays(int port) : poll_(::epoll_create1(0))
    {
        for (int i = 0; i < 64; ++i)
        {
            links_.emplace_back(http_connection(port), clock::time_point());
            epoll_event event{};
            event.events = EPOLLIN;
            event.data.u32 = static_cast<std::uint32_t>(i);
            ::epoll_ctl(poll_, EPOLL_CTL_ADD, links_.back().first.descriptor(), &event);
            idle_.push_back(links_.size() - 1);
        }
    }
    ~paced_plays() { ::close(poll_); }
    paced_plays(const paced_plays&) = delete;
    paced_plays& operator=(const paced_plays&) = delete;

    figures run(double seconds)
    {
        const auto period = std::chrono::nanoseconds(1'000'000'000 / plays_a_second);
        auto due = clock::now();
        const auto end = due + std::chrono::duration_cast<clock::duration>(std::chrono::duration<double>(seconds));
        while (due < end || idle_.size() < links_.size())
        {
            for (; due < end && due <= clock::now() && !idle_.empty(); due += period)
                send(due);
            receive();
        }
        figures measured{{"wrong", static_cast<double>(wrong_)}, {"plays", static_cast<double>(times_.size())}};
        add_latencies(measured, times_);
        return measured;
    }

private:
    void send(clock::time_point due)
    {
        auto& [link, since] = links_[idle_.back()];
        idle_.pop_back();
        since = due;
        const auto number = sent_++;
        link.send("POST /play/asset/asset-" + std::to_string(number * 7919 % live_assets) + "/user/" +
                  std::to_string(number % 10'000) + " HTTP/1.1\r\nHost: bench\r\n\r\n");
    }

    void receive()
    {
        std::array<epoll_event, 64> ready{};
        const int count = ::epoll_wait(poll_, ready.data(), ready.size(), 1);
        for (int i = 0; i < count; ++i)
        {
            const auto number = ready[static_cast<std::size_t>(i)].data.u32;
            auto& [link, since] = links_[number];
            const auto answer = link.receive();
            if (answer.empty())
                continue;
            wrong_ += is_wrong(answer) ? 1 : 0;
            times_.push_back(std::chrono::duration<float, std::micro>(clock::now() - since).count());
            idle_.push_back(number);
        }
    }

    int poll_;
    std::vector<std::pair<http_connection, clock::time_point>> links_;
    std::vector<std::size_t> idle_;
    std::uint64_t sent_ = 0;
    std::uint64_t wrong_ = 0;
    std::vector<float> times_;
};

figures play_beside(bench_system& system, double seconds, std::size_t of_one, std::size_t of_all)
{
    auto& programs = system.programs();
    const auto pid = programs.at("edge").pid();
    const auto before = resident_bytes(pid);
    live_clients clients(programs.port(), of_one, of_all);
    const auto grown = static_cast<double>(resident_bytes(pid)) - static_cast<double>(before);
    clients.start();
    paced_plays plays(programs.port());
    auto measured = plays.run(seconds);
    const auto count = std::max<std::size_t>(of_one + of_all, 1);
    measured["bytes a client"] = grown / static_cast<double>(count);
    measured["MB sent"] = static_cast<double>(clients.bytes()) / 1e6;
    return measured;
}

} // namespace

void live(const settings& with)
{
    bench_system system(whole_system());
    put_assets(system, live_assets);
    warm_up(system, with);
    auto& programs = system.programs();
    const auto fresh = [&] // memory that was used once stays resident
    {
        programs.stop("edge");
        programs.start("edge");
    };
    std::vector<load> loads{{"none",
                             [&]
                             {
                                 fresh();
                                 return play_beside(system, with.seconds, 0, 0);
                             }},
                            {"1,000 of one asset, 20 of all", [&]
                             {
                                 fresh();
                                 return play_beside(system, with.seconds, followers_of_one, followers_of_all);
                             }}};
    const auto medians = alternate(with, loads);
    note("## live: " + std::to_string(plays_a_second) + " plays/s beside live streams; the processes run with " +
         scheduling());
    table t("Latency of a play (ms), from the time at which it was due.",
            {"live streams", "p50", "p99", "p99.9", "plays", "wrong", "MB sent to streams", "bytes an idle stream"});
    for (std::size_t i = 0; i < medians.size(); ++i)
    {
        const auto& f = medians[i];
        const auto ms = [&](const std::string& of) { return number(f.at(of) / 1000, 2); };
        t.row({loads[i].name, ms("p50"), ms("p99"), ms("p999"), number(f.at("plays")), number(f.at("wrong")),
               number(f.at("MB sent"), 1), i == 0 ? "-" : number(f.at("bytes a client"))});
    }
}

} // namespace marquee::bench
