// The stream of views and the account, on the page of the fleet.
#pragma once

#include "edge/metrics/exposition.hpp"

#include <boost/json/object.hpp>

#include <optional>

namespace marquee
{

/// `reply`: to `$JS.API.STREAM.INFO.EVENTS`; nothing where none came. Where it makes no sense the
/// stream has no leader.
void add_stream(exposition& page, const std::optional<boost::json::object>& reply);

/// `reply`: to `$JS.API.INFO`.
void add_account(exposition& page, const std::optional<boost::json::object>& reply);

} // namespace marquee
