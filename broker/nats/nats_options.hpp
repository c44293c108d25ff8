// Conversion of connection_options to nats.c's options.
#pragma once

#include "broker/base/freed_by.hpp"
#include "broker/nats/connection_options.hpp"
#include "broker/nats/nats_c.hpp"
#include "broker/nats/server_list.hpp"

#include <memory>
#include <string>

namespace marquee::detail
{

using nats_options_ptr = std::unique_ptr<natsOptions, freed_by<natsOptions_Destroy>>;

/// Makes nats.c's options for one server: credentials, timeouts, pings, send-asap, no reconnect.
/// The event loop is not set. `from` must outlive the attempt to connect. Fails with bad_request if
/// a credential file cannot be used. Any thread.
[[nodiscard]] result<nats_options_ptr> make_nats_options(const connection_options& from, const server_address& server);

/// Whether this nats.c can begin with the TLS handshake (connection_options::tls_first).
inline constexpr bool has_tls_first = NATS_VERSION_NUMBER >= 0x030900;

/// Returns the name that the broker is told: `NAME-INSTANCE`, or `NAME`. Any thread.
[[nodiscard]] std::string connection_name(const connection_options& from);

/// Returns `PREFIX.RANDOM` with 96 random bits. Any thread.
[[nodiscard]] std::string make_inbox_prefix(const connection_options& from);

} // namespace marquee::detail
