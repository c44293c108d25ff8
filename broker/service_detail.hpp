// What a service needs of names, subjects and errors; no state.
#pragma once

#include "broker/service.hpp"

#include <boost/json/object.hpp>

#include <map>
#include <string>
#include <string_view>

namespace marquee::detail
{

[[nodiscard]] bool is_service_name(std::string_view name) noexcept; ///< or an endpoint's

[[nodiscard]] bool is_semver(const std::string& version);

/// 22 random characters.
[[nodiscard]] std::string make_service_id();

[[nodiscard]] boost::json::object as_json(const std::map<std::string, std::string>& metadata);

/// Whether `subject` is one of those that `pattern` (with `*` and `>`) stands for.
[[nodiscard]] bool subject_matches(std::string_view pattern, std::string_view subject) noexcept;

/// The error reply that tells of `why`.
[[nodiscard]] service_reply error_reply_for(const service_error& why);

/// Why a message is no request to carry out; empty: it is one. `inbox`: its reply subject is one.
///
/// A reply goes to an inbox only. Without a reply subject only a change is carried out, and only one that somebody published to its own subject: never
/// a message that the broker made, delivered or republished there, nor another service's reply.
[[nodiscard]] std::string_view reason_to_refuse(const endpoint_config& endpoint, const message& msg, bool inbox) noexcept;

} // namespace marquee::detail
