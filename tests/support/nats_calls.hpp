// NATS for a test's main thread: blocking, a connection of its own for each call.
#pragma once

#include "schemas/error.hpp"
#include "schemas/subjects.hpp"

#include <boost/json/value.hpp>

#include <chrono>
#include <string>

namespace marquee::test
{

/// A request and its reply, as JSON. `servers`: URLs, comma-separated.
[[nodiscard]] result<boost::json::value> nats_call(const std::string& servers, const subject& to,
                                                   const std::string& payload = {},
                                                   std::chrono::milliseconds limit = std::chrono::seconds(5));

} // namespace marquee::test
