// What the edge counts, and the text in which Prometheus reads it.
#pragma once

#include "broker/deadline.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace marquee
{

namespace asio = boost::asio;

struct route;

/// Written by one thread, so that adding takes no locked instruction; read by any.
class counter
{
public:
    void add(std::uint64_t much = 1) noexcept { set(get() + much); }
    void set(std::uint64_t value) noexcept { value_.store(value, std::memory_order_relaxed); }
    [[nodiscard]] std::uint64_t get() const noexcept { return value_.load(std::memory_order_relaxed); }

private:
    std::atomic<std::uint64_t> value_{0};
};

/// What a thread knows of itself at one moment.
struct worker_sample
{
    std::uint64_t connections = 0;
    std::uint64_t in_flight = 0; ///< requests that wait for the broker
    std::uint64_t link_up = 0;   ///< 1: the broker is there
    std::uint64_t reconnects = 0;
    std::uint64_t late_replies = 0;
    std::uint64_t async_errors = 0;
    std::uint64_t nats_in_flight = 0; ///< requests to services that wait for a reply
    std::uint64_t nats_waited = 0;    ///< messages to the broker that waited for room
    std::uint64_t nats_unsent = 0;    ///< those that found none in time
    std::uint64_t nats_waiting = 0;   ///< bytes that wait for room
};

/// The services that the edge asks, by the first token of their subjects.
inline constexpr std::array<std::string_view, 3> asked_services{"metadata", "cdnurl", "reporting"};

/// What a thread counts of one of them.
struct service_counters
{
    counter asked_again;     ///< questions that were asked a second time
    counter not_asked_again; ///< those that would have been, but for the retry budget
    counter refused;         ///< those not asked at all, for the circuit was open
    counter opened;          ///< times the circuit opened
    counter open;            ///< 1 while it is not closed
};

/// The counters of one io thread. Everything but reading happens there.
class worker_metrics
{
public:
    worker_metrics();

    /// An answer to a request, before it is written. No route: nothing matched, or the request was refused before that.
    void answered(const route* found, bool head, int status, std::chrono::nanoseconds took) noexcept;

    /// An answer to what never became a request.
    void refused(int status) noexcept { answered(nullptr, false, status, {}); }

    /// A play or a view that was answered without counts because of "events" or "reporting".
    void degraded(std::string_view part) noexcept;

    void sampled(const worker_sample& now) noexcept;

    /// By the order of asked_services.
    [[nodiscard]] service_counters& of_service(std::size_t at) noexcept { return services_[at]; }

private:
    friend class metrics_board;

    static constexpr std::array<int, 24> statuses{200, 204, 304, 400, 401, 403, 404, 405, 408, 409, 412, 413,
                                                  414, 415, 422, 426, 429, 431, 500, 501, 502, 503, 504, 0};
    static constexpr std::size_t bounds = 14;  ///< of the histogram, besides infinity
    static constexpr std::size_t samples = 10; ///< members of worker_sample

    /// One route and one method.
    struct slot
    {
        std::array<counter, statuses.size()> by_status; ///< the last: any other
        std::array<counter, bounds + 1> by_duration;    ///< not cumulative
        counter nanoseconds;
    };

    std::vector<slot> slots_; ///< two a route, the second for HEAD; the last for what has no route
    std::array<counter, 2> degraded_;
    std::array<counter, samples> sampled_;
    std::array<service_counters, asked_services.size()> services_;
};

/// Measures one request: from here to `answered`.
class request_meter
{
public:
    request_meter(worker_metrics& into, std::string_view method) noexcept;

    void routed(const route& found) noexcept { found_ = &found; }
    void answered(int status) noexcept;

private:
    worker_metrics& into_;
    const route* found_ = nullptr;
    bool head_;
    deadline::clock::time_point begin_ = deadline::clock::now();
};

/// All threads together.
class metrics_board
{
public:
    using sampler = std::function<worker_sample()>;

    /// Adds a thread; before any of them runs. `sample` is called on `on`.
    void add(asio::any_io_executor on, std::shared_ptr<worker_metrics> counted, sampler sample);

    /// The sums of all threads in Prometheus' text format 0.0.4. Asks each thread for a sample; those that have not answered by `until`
    /// count with their last one.
    [[nodiscard]] asio::awaitable<std::string> text(deadline until) const;

private:
    struct worker
    {
        asio::any_io_executor on;
        std::shared_ptr<worker_metrics> counted;
        sampler sample;
    };

    asio::awaitable<void> sample_all(deadline until) const;
    void add_requests(std::string& to) const;
    void add_durations(std::string& to) const;
    void add_samples(std::string& to) const;
    void add_services(std::string& to) const;
    [[nodiscard]] std::uint64_t sum(const std::function<const counter&(const worker_metrics&)>& of) const;

    std::vector<worker> workers_;
    std::chrono::system_clock::time_point started_ = std::chrono::system_clock::now();
};

} // namespace marquee
