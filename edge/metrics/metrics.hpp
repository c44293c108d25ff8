// The metrics of the edge, and their text for Prometheus.
#pragma once

#include "broker/base/deadline.hpp"
#include "edge/http/request_timing.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace marquee
{

namespace asio = boost::asio;

/// A number that one thread writes and any thread reads. A single writer needs no atomic
/// read-modify-write, so adding costs no locked instruction.
class counter
{
public:
    void add(std::uint64_t amount = 1) noexcept { set(get() + amount); }
    void set(std::uint64_t value) noexcept { value_.store(value, std::memory_order_relaxed); }
    [[nodiscard]] std::uint64_t get() const noexcept { return value_.load(std::memory_order_relaxed); }

private:
    std::atomic<std::uint64_t> value_{0};
};

/// The state of one io thread at one moment.
struct worker_sample
{
    std::uint64_t connections = 0;
    std::uint64_t in_flight = 0; ///< requests that wait for the broker
    std::uint64_t link_up = 0;   ///< 1 while connected to the broker, otherwise 0
    std::uint64_t reconnects = 0;
    std::uint64_t late_replies = 0;
    std::uint64_t async_errors = 0;
    std::uint64_t nats_in_flight = 0; ///< requests to services that wait for a reply
    std::uint64_t nats_waited = 0;    ///< messages to the broker that had to wait for buffer space
    std::uint64_t nats_unsent = 0;    ///< messages not sent because no space was free in time
    std::uint64_t nats_waiting = 0;   ///< bytes that wait for buffer space now
};

/// The services that the edge sends requests to.
enum class upstream_service : std::uint8_t
{
    metadata,
    cdnurl,
    reporting,
};

inline constexpr std::array upstream_services{upstream_service::metadata, upstream_service::cdnurl,
                                              upstream_service::reporting};

/// The name of a service: the first token of its subjects, and the value of a label. Valid for
/// ever.
[[nodiscard]] std::string_view name_of(upstream_service service) noexcept;

/// The labels of a route. The texts live as long as the program.
struct route_label
{
    std::string_view method;
    std::string_view pattern;
    bool restricted = false; ///< may answer 401 and 403
};

/// The counters of one thread for one service.
struct service_counters
{
    counter retries;        ///< second attempts
    counter retries_denied; ///< second attempts that the retry budget did not allow
    counter refused;        ///< requests not sent because the circuit was open
    counter opened;         ///< times the circuit opened
    counter open;           ///< 1 while the circuit is not closed
    counter moved;          ///< when the circuit opened or closed last, seconds since 1970; 0: never
};

/// Within this an answered play counts as fast enough.
inline constexpr std::chrono::milliseconds play_objective{250};

/// What a play did to the objective for plays. One that fails because of the client, 4xx, counts
/// for nothing.
struct objective_counters
{
    counter plays;          ///< answered with 200 or with 5xx
    counter failed;         ///< of these: with 5xx
    counter slow;           ///< of the others: after play_objective
    counter without_counts; ///< of the others: without counts
};

/// The circuits of an edge for one service, all threads together.
struct circuit_summary
{
    upstream_service service;
    std::size_t open = 0; ///< threads whose circuit is open or half open
    std::size_t threads = 0;
    std::chrono::system_clock::time_point since; ///< the longest open one is; or since when all are closed
};

/// The counters of one thread for messages of views.
struct view_message_counters
{
    counter messages;
    counter views; ///< in these messages
    counter asked; ///< messages that were published again, or with a reply subject at once
};

/// The counters of one thread for live streams.
struct live_counters
{
    counter clients; ///< that are connected now
    counter events;  ///< views that were sent to them
    counter slow;    ///< clients whose stream ended because they did not keep up
};

/// The counters of one io thread. Written on that thread only; a metrics_board reads them on any.
class worker_metrics
{
public:
    /// `routes` are all routes of the edge; they live as long as the program.
    explicit worker_metrics(std::span<const route_label> routes);

    /// Counts a response before it is written. `route` is its index in the labels; nothing if no
    /// route matched, or the request was refused earlier. `head`: the method was HEAD.
    void answered(std::optional<std::size_t> route, bool head, int status, std::chrono::nanoseconds took) noexcept;

    /// Counts a response to input that was not a valid request.
    void refused(int status) noexcept { answered(std::nullopt, false, status, {}); }

    /// Counts a play or view answered without counts because of `part`: "events" or "reporting".
    void degraded(std::string_view part) noexcept;

    /// Replaces the last sample.
    void sampled(const worker_sample& now) noexcept;

    [[nodiscard]] view_message_counters& views() noexcept { return views_; }
    [[nodiscard]] live_counters& live() noexcept { return live_; }

    /// Counts a play for the objective.
    void played(int status, bool with_counts, std::chrono::nanoseconds took) noexcept;

    /// Adds how long the parts of a play took.
    void play_parts(const request_timing& timing) noexcept;

    /// The counters of one service. Valid as long as this object.
    [[nodiscard]] service_counters& of(upstream_service service) noexcept
    {
        return services_[static_cast<std::size_t>(service)];
    }

private:
    friend class metrics_board;

    static constexpr std::array<int, 26> statuses{200, 204, 206, 304, 400, 401, 403, 404, 405, 408, 409, 412, 413,
                                                  414, 415, 416, 422, 426, 429, 431, 500, 501, 502, 503, 504, 0};
    static constexpr std::size_t bounds = 14;  ///< buckets of the histogram, without infinity
    static constexpr std::size_t samples = 10; ///< members of worker_sample

    /// The counters of one route and one method.
    struct slot
    {
        std::array<counter, statuses.size()> by_status; ///< the last one counts all other statuses
        std::array<counter, bounds + 1> by_duration;    ///< not cumulative
        counter nanoseconds;
    };

    std::span<const route_label> routes_;
    std::vector<slot> slots_; ///< two per route, the second for HEAD; the last for requests without a route
    std::array<counter, 2> degraded_;
    std::array<counter, samples> sampled_;
    std::array<service_counters, upstream_services.size()> services_;
    view_message_counters views_;
    live_counters live_;
    objective_counters objective_;
    std::array<counter, request_part_names.size()> part_microseconds_; ///< of plays
};

/// Measures one request, from its construction to answered(). Used on the thread of `into`, which
/// outlives it.
class request_meter
{
public:
    request_meter(worker_metrics& into, std::string_view method) noexcept : into_(into), head_(method == "HEAD") {}

    /// Sets the route: an index of the labels.
    void routed(std::size_t route) noexcept { found_ = route; }
    /// The request is a play; `false`: of one that is answered without counts.
    void played(bool with_counts) noexcept { with_counts_ = with_counts; }
    /// Counts the response, and returns how long the request took; call once.
    std::chrono::nanoseconds answered(int status) noexcept;
    /// Counts where the time of a play went; of another request nothing. Once it is finished.
    void count_parts(const request_timing& timing) noexcept;

    [[nodiscard]] std::optional<std::size_t> route() const noexcept { return found_; }
    [[nodiscard]] bool head() const noexcept { return head_; }
    [[nodiscard]] deadline::clock::time_point begin() const noexcept { return begin_; }

private:
    worker_metrics& into_;
    std::optional<std::size_t> found_;
    bool head_;
    std::optional<bool> with_counts_;
    deadline::clock::time_point begin_ = deadline::clock::now();
};

/// Sums the metrics of all io threads. Complete before the threads run; from then on text() may be
/// called on any of them.
class metrics_board
{
public:
    using sampler = std::function<worker_sample()>;
    using certificate_end = std::function<std::optional<std::chrono::system_clock::time_point>()>;

    /// `routes` must be the same as those of every worker_metrics that is added.
    explicit metrics_board(std::span<const route_label> routes) : routes_(routes) {}

    /// Adds a thread; call it before any of them runs. `sample` is called on the executor `on`.
    void add(asio::any_io_executor on, std::shared_ptr<worker_metrics> counted, sampler sample);

    /// Sets who knows when the certificate in use ends; called on any thread. Before any runs.
    void set_certificate(certificate_end ends) { certificate_ends_ = std::move(ends); }

    /// By service, in the order of upstream_services.
    [[nodiscard]] std::vector<circuit_summary> circuits() const;

    /// The sums of all threads in Prometheus' text format 0.0.4. Takes a new sample on each thread;
    /// one that has not run it by `until` counts with its last sample. The board outlives the call.
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
    void add_views(std::string& to) const;
    void add_live(std::string& to) const;
    static void add_log(std::string& to);
    static void add_traces(std::string& to);
    void add_objective(std::string& to) const;
    void add_play_parts(std::string& to) const;
    void add_process(std::string& to) const;
    [[nodiscard]] std::string labels_of(std::size_t slot) const;
    [[nodiscard]] bool starts_at_zero(std::size_t slot, int status) const noexcept;
    [[nodiscard]] std::uint64_t sum(const std::function<const counter&(const worker_metrics&)>& of) const;

    std::span<const route_label> routes_;
    std::vector<worker> workers_;
    certificate_end certificate_ends_;
    std::chrono::system_clock::time_point started_ = std::chrono::system_clock::now();
};

} // namespace marquee
