#include "edge/metrics/metrics.hpp"

#include "edge/metrics/exposition.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <cstdio>
#include <utility>

namespace marquee
{

namespace
{

struct bound
{
    std::chrono::microseconds most;
    std::string_view seconds;
};

using namespace std::chrono_literals;

constexpr std::array<bound, 14> duration_bounds{{{500us, "0.0005"},
                                                 {1ms, "0.001"},
                                                 {2500us, "0.0025"},
                                                 {5ms, "0.005"},
                                                 {10ms, "0.01"},
                                                 {25ms, "0.025"},
                                                 {50ms, "0.05"},
                                                 {100ms, "0.1"},
                                                 {250ms, "0.25"},
                                                 {500ms, "0.5"},
                                                 {1s, "1"},
                                                 {2500ms, "2.5"},
                                                 {5s, "5"},
                                                 {10s, "10"}}};

constexpr std::array<std::string_view, 2> parts{"events", "reporting"};

/// A metric of worker_sample.
struct sampled_family
{
    std::string_view name;
    std::string_view type;
    std::string_view help;
};

/// In the order of the members of worker_sample.
constexpr std::array<sampled_family, 10> sampled_families{{
    {"marquee_edge_connections", "gauge", "HTTP connections that are open."},
    {"marquee_edge_requests_in_flight", "gauge", "Requests that wait for the broker."},
    {"marquee_edge_nats_links_up", "gauge", "Threads whose connection to the broker is up."},
    {"marquee_edge_nats_reconnects_total", "counter", "Times a connection to the broker was made again."},
    {"marquee_edge_nats_late_replies_total", "counter", "Replies that came after their deadline."},
    {"marquee_edge_nats_errors_total", "counter", "Errors the broker reported, such as denied permissions."},
    {"marquee_edge_nats_requests_in_flight", "gauge", "Requests to services that wait for a reply."},
    {"marquee_edge_nats_waited_total", "counter", "Messages that waited for room to be sent to the broker."},
    {"marquee_edge_nats_unsent_total", "counter", "Messages that found no room in time, and were not sent."},
    {"marquee_edge_nats_waiting_bytes", "gauge", "Bytes that wait for room to be sent to the broker."},
}};

struct service_family
{
    std::string_view name;
    std::string_view type;
    std::string_view help;
    counter service_counters::*of;
};

constexpr std::array<service_family, 5> service_families{{
    {"marquee_edge_asked_again_total", "counter", "Requests to a service that were sent a second time.",
     &service_counters::retries},
    {"marquee_edge_not_asked_again_total", "counter",
     "Requests that were not sent a second time because the retry budget was spent.",
     &service_counters::retries_denied},
    {"marquee_edge_not_asked_total", "counter", "Requests that were not sent because the circuit was open.",
     &service_counters::refused},
    {"marquee_edge_circuit_opened_total", "counter", "Times the circuit of a failing service opened in a thread.",
     &service_counters::opened},
    {"marquee_edge_circuits_open", "gauge", "Threads whose circuit for a service is open or half open.",
     &service_counters::open},
}};

} // namespace

std::string_view name_of(upstream_service service) noexcept
{
    switch (service)
    {
    case upstream_service::metadata:
        return "metadata";
    case upstream_service::cdnurl:
        return "cdnurl";
    case upstream_service::reporting:
        return "reporting";
    }
    return "unknown";
}

worker_metrics::worker_metrics(std::span<const route_label> routes) : routes_(routes), slots_(2 * routes.size() + 1)
{
    static_assert(duration_bounds.size() == bounds && sampled_families.size() == samples);
}

void worker_metrics::answered(std::optional<std::size_t> route, bool head, int status,
                              std::chrono::nanoseconds took) noexcept
{
    const auto at = route ? 2 * *route + (head ? 1 : 0) : slots_.size() - 1;
    auto& counted = slots_[at];
    const auto known = std::find(statuses.begin(), statuses.end() - 1, status);
    counted.by_status[static_cast<std::size_t>(known - statuses.begin())].add();
    if (!route)
        return;
    const auto bucket = std::find_if(duration_bounds.begin(), duration_bounds.end(),
                                     [took](const bound& each) { return took <= each.most; });
    counted.by_duration[static_cast<std::size_t>(bucket - duration_bounds.begin())].add();
    counted.nanoseconds.add(static_cast<std::uint64_t>(took.count()));
}

void worker_metrics::degraded(std::string_view part) noexcept { degraded_[part == parts[0] ? 0 : 1].add(); }

void worker_metrics::sampled(const worker_sample& now) noexcept
{
    const std::array<std::uint64_t, samples> values{
        now.connections,  now.in_flight,      now.link_up,     now.reconnects,  now.late_replies,
        now.async_errors, now.nats_in_flight, now.nats_waited, now.nats_unsent, now.nats_waiting};
    for (std::size_t i = 0; i < samples; ++i)
        sampled_[i].set(values[i]);
}

std::chrono::nanoseconds request_meter::answered(int status) noexcept
{
    const auto took = deadline::clock::now() - begin_;
    into_.answered(found_, head_, status, took);
    if (with_counts_)
        into_.played(status, *with_counts_, took);
    return took;
}

std::string metrics_board::labels_of(std::size_t slot) const
{
    if (slot / 2 >= routes_.size())
        return R"(route="other",method="other")";
    const auto& one = routes_[slot / 2];
    const auto method = slot % 2 == 1 ? std::string_view("HEAD") : one.method;
    return "route=\"" + std::string(one.pattern) + "\",method=\"" + std::string(method) + '"';
}

/// Whether a series is written before its first event. Prometheus cannot see the increase of a
/// series that starts at 1. HEAD is rare, and requests without a route cannot succeed.
bool metrics_board::starts_at_zero(std::size_t slot, int status) const noexcept
{
    constexpr std::array all{200, 400, 404, 429, 500, 502, 503, 504};
    constexpr std::array without_route{400, 404, 405, 408, 413, 431, 503};
    constexpr std::array rights{401, 403};
    const auto is_in = [status](const auto& list) { return std::find(list.begin(), list.end(), status) != list.end(); };
    if (slot / 2 >= routes_.size())
        return is_in(without_route);
    const auto& one = routes_[slot / 2];
    return slot % 2 == 0 && (is_in(all) || (one.restricted && is_in(rights)));
}

void metrics_board::add(asio::any_io_executor on, std::shared_ptr<worker_metrics> counted, sampler sample)
{
    workers_.push_back({std::move(on), std::move(counted), std::move(sample)});
}

asio::awaitable<void> metrics_board::sample_all(deadline until) const
{
    if (workers_.empty())
        co_return;
    const auto home = co_await asio::this_coro::executor;
    // The threads share only the count. The timer stays on this thread: in another thread's queue
    // it could outlive its io_context.
    auto left = std::make_shared<std::atomic<std::size_t>>(workers_.size());
    auto done = std::make_shared<asio::steady_timer>(home, until.at());
    for (const auto& each : workers_)
        asio::post(each.on,
                   [&each, home, left, wake = std::weak_ptr(done)]
                   {
                       each.counted->sampled(each.sample());
                       if (left->fetch_sub(1) == 1)
                           asio::post(home,
                                      [wake]
                                      {
                                          if (auto timer = wake.lock())
                                              timer->cancel();
                                      });
                   });
    boost::system::error_code ignored;
    auto token = asio::redirect_error(asio::use_awaitable, ignored);
    if (left->load() > 0)
        co_await done->async_wait(token);
}

std::uint64_t metrics_board::sum(const std::function<const counter&(const worker_metrics&)>& of) const
{
    std::uint64_t total = 0;
    for (const auto& each : workers_)
        total += of(*each.counted).get();
    return total;
}

void metrics_board::add_requests(std::string& to) const
{
    constexpr std::string_view name = "marquee_edge_requests_total";
    add_head(to, name, "counter", "Answers by route, method and status.");
    for (std::size_t slot = 0; slot < 2 * routes_.size() + 1; ++slot)
        for (std::size_t i = 0; i < worker_metrics::statuses.size(); ++i)
        {
            const auto count =
                sum([&](const worker_metrics& m) -> const counter& { return m.slots_[slot].by_status[i]; });
            const auto status = worker_metrics::statuses[i];
            if (count > 0 || starts_at_zero(slot, status))
                add_line(to, name,
                         labels_of(slot) + ",status=\"" + (status == 0 ? "other" : std::to_string(status)) + '"',
                         count);
        }
}

void metrics_board::add_durations(std::string& to) const
{
    const std::string name = "marquee_edge_request_duration_seconds";
    add_head(to, name, "histogram", "Time from a whole request to its answer, by route and method.");
    for (std::size_t slot = 0; slot < 2 * routes_.size(); ++slot)
    {
        const auto labels = labels_of(slot);
        std::string lines;
        std::uint64_t count = 0;
        for (std::size_t i = 0; i <= worker_metrics::bounds; ++i)
        {
            count += sum([&](const worker_metrics& m) -> const counter& { return m.slots_[slot].by_duration[i]; });
            const auto le = i < worker_metrics::bounds ? duration_bounds[i].seconds : "+Inf";
            add_line(lines, name + "_bucket", labels + ",le=\"" + std::string(le) + '"', count);
        }
        if (count == 0 && slot % 2 == 1) // HEAD is rare: no series before the first request
            continue;
        to += lines;
        const auto total = sum([&](const worker_metrics& m) -> const counter& { return m.slots_[slot].nanoseconds; });
        add_line(to, name + "_sum", labels, in_seconds(total));
        add_line(to, name + "_count", labels, count);
    }
}

void metrics_board::add_samples(std::string& to) const
{
    for (std::size_t i = 0; i < sampled_families.size(); ++i)
    {
        const auto& [name, type, help] = sampled_families[i];
        add_head(to, name, type, help);
        add_line(to, name, "", sum([&](const worker_metrics& m) -> const counter& { return m.sampled_[i]; }));
    }
}

void metrics_board::add_services(std::string& to) const
{
    for (const auto& [name, type, help, member] : service_families)
    {
        add_head(to, name, type, help);
        for (std::size_t i = 0; i < upstream_services.size(); ++i)
            add_line(
                to, name, "service=\"" + std::string(name_of(upstream_services[i])) + '"',
                sum([i, which = member](const worker_metrics& m) -> const counter& { return m.services_[i].*which; }));
    }
}

void metrics_board::add_views(std::string& to) const
{
    struct family
    {
        std::string_view name;
        std::string_view help;
        counter view_message_counters::*of;
    };
    constexpr std::array families{
        family{"marquee_edge_view_messages_total", "Messages of views that were sent.",
               &view_message_counters::messages},
        family{"marquee_edge_views_sent_total", "Views in these messages.", &view_message_counters::views},
        family{"marquee_edge_view_messages_asked_total",
               "Messages of views whose counts did not come by themselves, so that the stream was asked.",
               &view_message_counters::asked}};
    for (const auto& [name, help, member] : families)
    {
        add_head(to, name, "counter", help);
        add_line(to, name, "",
                 sum([which = member](const worker_metrics& m) -> const counter& { return m.views_.*which; }));
    }
}

asio::awaitable<std::string> metrics_board::text(deadline until) const
{
    co_await sample_all(until);
    std::string text;
    add_requests(text);
    add_durations(text);
    add_head(text, "marquee_edge_degraded_total", "counter",
             "Plays and views answered without counts, by the part that was missing.");
    for (std::size_t i = 0; i < parts.size(); ++i)
        add_line(text, "marquee_edge_degraded_total", "part=\"" + std::string(parts[i]) + '"',
                 sum([&](const worker_metrics& m) -> const counter& { return m.degraded_[i]; }));
    add_services(text);
    add_views(text);
    add_live(text);
    add_log(text);
    add_traces(text);
    add_objective(text);
    add_play_parts(text);
    add_samples(text);
    add_head(text, "marquee_edge_threads", "gauge", "Threads, each with its own connection to the broker.");
    add_line(text, "marquee_edge_threads", "", workers_.size());
    add_process(text);
    co_return text;
}

} // namespace marquee
