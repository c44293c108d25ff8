#include "edge/upstream/service_health.hpp"

#include "broker/base/log.hpp"

#include <random>
#include <string>

namespace marquee
{

namespace
{

using position = circuit_breaker::position;
using outcome = circuit_breaker::outcome;

/// About the time that a restart takes.
constexpr std::chrono::seconds recent_absence{1};

} // namespace

service_health::service_health(upstream_service service, service_counters& counted)
    : service_(service), counted_(counted), circuit_(clock::now(), std::random_device{}())
{
}

service_health::permit service_health::admit(clock::time_point now, const std::function<bool()>& link_is_up)
{
    const auto before = circuit_.state();
    if (before != position::closed && !link_is_up())
    {
        circuit_.reset(now);
        on_transition(before, "the broker is away");
        return permit::granted;
    }
    const auto given = circuit_.admit(now);
    on_transition(before, "a probe");
    if (given == permit::refused)
        counted_.refused.add();
    else
        budget_.earn();
    return given;
}

bool service_health::take_retry() noexcept
{
    if (circuit_.state() != position::closed)
        return false;
    const bool granted = budget_.spend();
    (granted ? counted_.retries : counted_.retries_denied).add();
    return granted;
}

bool service_health::recently_absent(clock::time_point now) noexcept
{
    if (!absent_since_)
        absent_since_ = now;
    return now - *absent_since_ < recent_absence;
}

void service_health::answered(permit with, clock::time_point now)
{
    absent_since_.reset();
    const auto before = circuit_.state();
    circuit_.report(with, outcome::answer, now, now);
    on_transition(before, "an answer");
}

void service_health::failed(permit with, errc code, clock::time_point sent_at, clock::time_point now)
{
    if (code != errc::no_responders)
        absent_since_.reset();
    const auto before = circuit_.state();
    circuit_.report(with, traits_of(code).health, sent_at, now);
    on_transition(before, name_of(code));
}

void service_health::abandoned(permit with) noexcept { circuit_.report(with, outcome::unknown, {}, {}); }

/// Logs and counts a change of the circuit's position since `before`.
void service_health::on_transition(position before, std::string_view why)
{
    const auto now = circuit_.state();
    if (now == before)
        return;
    counted_.open.set(now == position::closed ? 0 : 1);
    if (before == position::closed || now == position::closed) // a probe changes nothing
        counted_.moved.set(static_cast<std::uint64_t>(
            std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch())
                .count()));
    if (now == position::open && before == position::closed)
        counted_.opened.add();
    const auto level = now == position::open ? log_level::warning : log_level::info;
    log(level, "a circuit has moved",
        {{"service", std::string(name_of(service_))},
         {"now", std::string(name_of(now))},
         {"reason", std::string(why)}});
}

service_health_table::service_health_table(worker_metrics& counted)
    : all_{service_health(upstream_services[0], counted.of(upstream_services[0])),
           service_health(upstream_services[1], counted.of(upstream_services[1])),
           service_health(upstream_services[2], counted.of(upstream_services[2]))}
{
}

} // namespace marquee
