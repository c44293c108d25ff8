// Rules of services (ADR-32) that need no state: names, versions, subjects, error replies.
#pragma once

#include "broker/micro/service.hpp"

#include <boost/json/object.hpp>

#include <map>
#include <string>
#include <string_view>

namespace marquee::detail
{

/// Of a service or an endpoint: [A-Za-z0-9_-]+.
[[nodiscard]] bool is_service_name(std::string_view name) noexcept;

/// Semantic Versioning 2.0.0.
[[nodiscard]] bool is_semver(std::string_view version) noexcept;

[[nodiscard]] boost::json::object as_json(const std::map<std::string, std::string>& metadata);

/// Returns whether `subject` matches `pattern`, which may have the wildcards `*` and `>`.
[[nodiscard]] bool subject_matches(std::string_view pattern, std::string_view subject) noexcept;

/// The error reply for `why`: headers of ADR-32, body error_reply.
[[nodiscard]] service_reply error_reply_for(const service_error& why);

/// Returns why a message must not be carried out as a request; empty if it may be. `inbox`: whether
/// its reply subject is an inbox.
///
/// A reply goes to an inbox only. A message without a reply subject is carried out only by an
/// endpoint that changes something, and only if it was published to the endpoint's own subject:
/// never what the broker itself produced, delivered or republished there, nor another service's
/// reply.
[[nodiscard]] std::string_view reason_to_refuse(const endpoint_config& endpoint, const message& msg,
                                                bool inbox) noexcept;

} // namespace marquee::detail
