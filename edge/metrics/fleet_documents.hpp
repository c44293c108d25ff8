// What services, the stream and the account report, read from their JSON with distrust: a member
// of another type, a number that is negative or not finite, or a name beyond the alphabet of
// ADR-32 counts as not told.
#pragma once

#include <boost/json/object.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace marquee
{

/// The durations of an endpoint's requests.
struct reported_histogram
{
    std::vector<double> bounds;        ///< seconds, increasing
    std::vector<std::uint64_t> counts; ///< one more than bounds; not cumulative
};

struct reported_endpoint
{
    std::string name;
    std::optional<std::uint64_t> requests;
    std::optional<std::uint64_t> errors;
    std::optional<std::uint64_t> processing; ///< nanoseconds
    boost::json::object data;
    std::optional<reported_histogram> durations;
};

/// A reply to `$SRV.STATS`.
struct reported_instance
{
    std::string service;
    std::string id;
    std::string version;
    std::vector<reported_endpoint> endpoints; ///< each name once, at most max_reported_endpoints
    std::size_t endpoints_left_out = 0;
};

inline constexpr std::size_t max_reported_endpoints = 24;

/// Nothing where the text is no STATS reply of a service.
[[nodiscard]] std::optional<reported_instance> read_stats(std::string_view text);

/// A whole number that is not negative.
[[nodiscard]] std::optional<std::uint64_t> reported_whole(const boost::json::object& of, std::string_view member);

/// A finite number that is not negative.
[[nodiscard]] std::optional<double> reported_number(const boost::json::object& of, std::string_view member);

/// Null where the member is no object.
[[nodiscard]] const boost::json::object* reported_object(const boost::json::object& of, std::string_view member);

} // namespace marquee
