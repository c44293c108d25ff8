// Making a KV bucket, and filling a new one.
#pragma once

#include "broker/jetstream/stream_settings.hpp"
#include "broker/nats/connection.hpp"
#include "services/catalogue/catalogue_store.hpp"

#include <string>
#include <vector>

namespace marquee
{

/// Creates the bucket where it is missing, as the stream `config`, and writes `seeds` into a new
/// one. Tries for half a minute, or until `until`: JetStream may have to elect a leader first.
/// Fails as ensure_stream does. On the connection's io thread.
[[nodiscard]] asio::awaitable<result<void>> ensure_bucket(connection& nats, std::string bucket, stream_config config,
                                                          std::vector<catalogue_seed> seeds, deadline until);

} // namespace marquee
