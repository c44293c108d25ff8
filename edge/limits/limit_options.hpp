// The options that limit what clients may use of the edge.
#pragma once

#include "edge/http/session_settings.hpp"
#include "edge/limits/rate_limit.hpp"
#include "schemas/error.hpp"

#include <boost/program_options/options_description.hpp>
#include <boost/program_options/variables_map.hpp>

#include <chrono>
#include <cstddef>

namespace marquee
{

/// The range of the edge's options for times.
inline constexpr std::chrono::milliseconds shortest_time{1};
inline constexpr std::chrono::milliseconds longest_time = std::chrono::hours(1);

/// Of the whole edge; `session` of each connection.
struct limit_settings
{
    session_settings session;
    rate_settings rates;
    std::size_t max_connections_per_address = 0; ///< 0: any number
};

/// Adds --rate-address, --rate-user, --trusted-proxy, --cors-origin, --cors-header, and the limits
/// of a connection: sizes, numbers and times.
void add_limit_options(boost::program_options::options_description& options);

/// Reads them into `limits`. Fails with bad_request; `field` is the option.
[[nodiscard]] result<void> read_limit_options(const boost::program_options::variables_map& given,
                                              limit_settings& limits);

} // namespace marquee
