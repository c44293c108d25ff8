#include "edge/service_health.hpp"

#include "broker/log.hpp"

#include <algorithm>
#include <random>
#include <stdexcept>
#include <string>

namespace marquee
{

namespace
{

using position = circuit_breaker::position;
using outcome = circuit_breaker::outcome;

/// A restart takes about as long.
constexpr std::chrono::seconds short_absence{1};

} // namespace

outcome verdict_on(errc code) noexcept
{
    switch (code)
    {
    case errc::service_failed:
    case errc::unavailable:
    case errc::timeout:
    case errc::outcome_unknown:
        return outcome::failed;
    case errc::no_responders:
    case errc::disconnected:
    case errc::overloaded:
    case errc::stopping:
        return outcome::unknown;
    case errc::bad_id:
    case errc::bad_request:
    case errc::unauthorized:
    case errc::forbidden:
    case errc::route_not_found:
    case errc::method_not_allowed:
    case errc::request_timeout:
    case errc::payload_too_large:
    case errc::uri_too_long:
    case errc::headers_too_large:
    case errc::unsupported_media:
    case errc::not_implemented:
    case errc::version_not_supported:
    case errc::rate_limited:
    case errc::asset_not_found:
    case errc::user_not_found:
    case errc::not_playable:
    case errc::revision_mismatch:
    case errc::key_reused:
    case errc::malformed_reply:
        return outcome::answered;
    }
    return outcome::unknown;
}

service_health::service_health(std::string_view name, service_counters& counted)
    : name_(name), counted_(counted), circuit_(clock::now(), std::random_device{}())
{
}

service_health::permit service_health::ask(clock::time_point now, const std::function<bool()>& link_is_up)
{
    const auto before = circuit_.where();
    if (before != position::closed && !link_is_up())
    {
        circuit_.reset(now);
        moved_from(before, "the broker is away");
        return permit::granted;
    }
    const auto given = circuit_.ask(now);
    moved_from(before, "a probe");
    if (given == permit::refused)
        counted_.refused.add();
    else
        budget_.earn();
    return given;
}

bool service_health::ask_again() noexcept
{
    if (circuit_.where() != position::closed)
        return false;
    const bool granted = budget_.spend();
    (granted ? counted_.asked_again : counted_.not_asked_again).add();
    return granted;
}

bool service_health::just_left(clock::time_point now) noexcept
{
    if (!absent_since_)
        absent_since_ = now;
    return now - *absent_since_ < short_absence;
}

void service_health::answered(permit with, clock::time_point now)
{
    absent_since_.reset();
    const auto before = circuit_.where();
    circuit_.report(with, outcome::answered, now, now);
    moved_from(before, "an answer");
}

void service_health::failed(permit with, errc code, clock::time_point asked, clock::time_point now)
{
    if (code != errc::no_responders)
        absent_since_.reset();
    const auto before = circuit_.where();
    circuit_.report(with, verdict_on(code), asked, now);
    moved_from(before, name_of(code));
}

void service_health::abandoned(permit with) noexcept { circuit_.report(with, outcome::unknown, {}, {}); }

/// Says so where the circuit has moved.
void service_health::moved_from(position before, std::string_view why)
{
    const auto now = circuit_.where();
    if (now == before)
        return;
    counted_.open.set(now == position::closed ? 0 : 1);
    if (now == position::open && before == position::closed)
        counted_.opened.add();
    const auto level = now == position::open ? log_level::warning : log_level::info;
    log(level, "a circuit has moved",
        {{"service", std::string(name_)}, {"now", std::string(name_of(now))}, {"reason", std::string(why)}});
}

services_health::services_health(worker_metrics& counted)
    : all_{service_health(asked_services[0], counted.of_service(0)), service_health(asked_services[1], counted.of_service(1)),
           service_health(asked_services[2], counted.of_service(2))}
{
}

service_health& services_health::of(std::string_view subject)
{
    const auto service = subject.substr(0, subject.find('.'));
    const auto found = std::find_if(all_.begin(), all_.end(), [&](const auto& each) { return each.name() == service; });
    if (found == all_.end())
        throw std::logic_error("no such service: " + std::string(service));
    return *found;
}

} // namespace marquee
