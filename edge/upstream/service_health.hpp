// Admission of requests to a service: circuit breaker, retry budget and their metrics.
#pragma once

#include "edge/metrics/metrics.hpp"
#include "edge/upstream/circuit_breaker.hpp"
#include "edge/upstream/retry_budget.hpp"
#include "schemas/error.hpp"

#include <array>
#include <functional>
#include <optional>
#include <string_view>

namespace marquee
{

/// What one io thread has learned about one service. Used on that thread only.
class service_health
{
public:
    using clock = deadline::clock;
    using permit = circuit_breaker::permit;

    /// `counted` outlives this object.
    service_health(upstream_service service, service_counters& counted);

    /// Decides on a first attempt. The holder of a permit other than `refused` must call one of
    /// answered(), failed() and abandoned() once. Without a link to the broker the circuit is
    /// closed and the request granted: its failure then names the broker, not the service.
    [[nodiscard]] permit admit(clock::time_point now, const std::function<bool()>& link_is_up);

    /// Takes a retry from the budget. False if the budget is spent or the circuit is not closed.
    [[nodiscard]] bool take_retry() noexcept;

    /// Records no_responders at `now`. True if the first one since the last other outcome is less
    /// than a second old: an instance may be restarting.
    [[nodiscard]] bool recently_absent(clock::time_point now) noexcept;

    /// The request was answered.
    void answered(permit with, clock::time_point now);

    /// The request that was sent at `sent_at` failed with `code`; error_traits::health says whether
    /// that counts against the service.
    void failed(permit with, errc code, clock::time_point sent_at, clock::time_point now);

    /// The request was given up before its outcome was known.
    void abandoned(permit with) noexcept;

    [[nodiscard]] upstream_service service() const noexcept { return service_; }

    /// Whether the circuit is closed: requests are sent, and a silent one may be sent again.
    [[nodiscard]] bool closed() const noexcept { return circuit_.state() == circuit_breaker::position::closed; }

private:
    void on_transition(circuit_breaker::position before, std::string_view why);

    upstream_service service_;
    service_counters& counted_;
    retry_budget budget_;
    circuit_breaker circuit_;
    std::optional<clock::time_point> absent_since_;
};

/// One service_health per service. Used on one io thread. `counted` outlives it.
class service_health_table
{
public:
    explicit service_health_table(worker_metrics& counted);

    [[nodiscard]] service_health& of(upstream_service service) noexcept
    {
        return all_[static_cast<std::size_t>(service)];
    }

private:
    std::array<service_health, upstream_services.size()> all_;
};

} // namespace marquee
