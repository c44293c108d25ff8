// Requests to services that are sent again while the broker or the service is away.
#pragma once

#include "broker/nats/connection.hpp"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <string>

namespace marquee::catalogue_files
{

/// Of one request; then it is sent again.
inline constexpr std::chrono::milliseconds request_timeout{5000};

/// Whether the same request may succeed later.
[[nodiscard]] bool is_transient(errc code) noexcept;

/// `metadata.list: no responders…`, for people.
[[nodiscard]] std::string text_of(const error& why);

/// Sends a request that changes nothing until it is answered, for `patience`. Returns the reply or
/// the last failure. On the io thread.
[[nodiscard]] asio::awaitable<result<message>> ask(connection& nats, subject to, std::string payload,
                                                   std::chrono::milliseconds patience);

} // namespace marquee::catalogue_files
