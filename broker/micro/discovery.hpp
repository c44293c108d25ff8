// What a service answers to `$SRV` (ADR-32).
#pragma once

#include "broker/micro/endpoint.hpp"

#include <boost/json/value.hpp>

#include <string>
#include <vector>

namespace marquee::detail
{

/// The facts of which all three documents are made.
struct service_identity
{
    const service_config& config;
    const std::string& id;
    const std::string& started; ///< RFC 3339: since when statistics count
};

[[nodiscard]] boost::json::value ping_document(const service_identity& of);
[[nodiscard]] boost::json::value info_document(const service_identity& of, const std::vector<endpoint_ptr>& endpoints);

/// `discovery` counts the messages of `$SRV` itself; each endpoint's `data` repeats them, and has
/// its requests in flight and how long its requests took. The first endpoint's has `process` too.
[[nodiscard]] boost::json::value stats_document(const service_identity& of, const std::vector<endpoint_ptr>& endpoints,
                                                const message_counts& discovery);

} // namespace marquee::detail
