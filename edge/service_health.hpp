// What one thread of the edge knows of each service, and what it may therefore still ask of it.
#pragma once

#include "edge/circuit_breaker.hpp"
#include "edge/metrics.hpp"
#include "edge/retry_budget.hpp"
#include "schemas/error.hpp"

#include <array>
#include <functional>
#include <optional>
#include <string_view>

namespace marquee
{

/// What an outcome says of the service. An answer in time is one, whatever it says: that it makes no sense, or that the asset is not there, concerns
/// this question. That nobody listens is the broker's to tell, at once and without asking a service: no reason to stop asking.
[[nodiscard]] circuit_breaker::outcome verdict_on(errc code) noexcept;

class service_health
{
public:
    using clock = deadline::clock;
    using permit = circuit_breaker::permit;

    /// `counted` outlives this object.
    service_health(std::string_view name, service_counters& counted);

    /// May it be asked a first time? Without a link to the broker always: then that is what is wrong, and nothing is known of the service.
    [[nodiscard]] permit ask(clock::time_point now, const std::function<bool()>& link_is_up);

    /// May it be asked a second time, in place of a question that was not answered?
    [[nodiscard]] bool ask_again() noexcept;

    /// Whether nobody has listened for such a short time that somebody may be back any moment. `now`: when nobody did.
    [[nodiscard]] bool just_left(clock::time_point now) noexcept;

    /// The outcome of a question, once.
    void answered(permit with, clock::time_point now);
    void failed(permit with, errc code, clock::time_point asked, clock::time_point now);

    /// Nobody waited for the outcome.
    void abandoned(permit with) noexcept;

    [[nodiscard]] std::string_view name() const noexcept { return name_; }

private:
    void moved_from(circuit_breaker::position before, std::string_view why);

    std::string_view name_;
    service_counters& counted_;
    retry_budget budget_;
    circuit_breaker circuit_;
    std::optional<clock::time_point> absent_since_;
};

/// One for each service.
class services_health
{
public:
    explicit services_health(worker_metrics& counted);

    /// The service that `subject` belongs to: its first token.
    [[nodiscard]] service_health& of(std::string_view subject);

private:
    std::array<service_health, asked_services.size()> all_;
};

} // namespace marquee
