// Conversion of connection_options to nats.c's options.
#pragma once

#include "broker/nats/connection_options.hpp"
#include "broker/nats/nats_c.hpp"
#include "broker/nats/server_list.hpp"

#include <memory>
#include <string>

namespace marquee::detail
{

using nats_options_ptr = std::unique_ptr<natsOptions, c_deleter<natsOptions, natsOptions_Destroy>>;

/// Makes nats.c's options for one server: credentials, timeouts, pings, send-asap, no reconnect.
/// The event loop is not set. Fails with bad_request if a credential file cannot be used. Any
/// thread.
[[nodiscard]] result<nats_options_ptr> make_nats_options(const connection_options& from, const server_address& server);

/// Returns `PREFIX.RANDOM` with 96 random bits. Any thread.
[[nodiscard]] std::string make_inbox_prefix(const connection_options& from);

} // namespace marquee::detail
