// From connection_options to nats.c's.
#pragma once

#include "broker/nats_c.hpp"
#include "broker/options.hpp"
#include "broker/server_list.hpp"

#include <memory>
#include <string>

namespace marquee::detail
{

using nats_options_ptr = std::unique_ptr<natsOptions, c_deleter<natsOptions, natsOptions_Destroy>>;

/// Everything but the event loop, for one server: credentials, timeouts, pings, send-asap; no reconnect.
/// Fails with bad_request where a credential file cannot be used.
[[nodiscard]] result<nats_options_ptr> make_nats_options(const connection_options& from, const server_address& server);

/// `prefix.UNIQUE`: unlike anything another process makes.
[[nodiscard]] std::string make_inbox_prefix(const connection_options& from);

} // namespace marquee::detail
