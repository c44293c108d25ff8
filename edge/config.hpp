// The edge's own settings and their options.
#pragma once

#include "edge/player_token.hpp"
#include "edge/rate_limit.hpp"
#include "edge/session.hpp"
#include "edge/tls.hpp"
#include "schemas/error.hpp"

#include <boost/program_options/options_description.hpp>
#include <boost/program_options/variables_map.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace marquee
{

struct listen_address
{
    std::string host = "127.0.0.1"; ///< a name or an address, without brackets
    std::uint16_t port = 8080;      ///< 0: any free one
};

struct edge_config
{
    listen_address listen;
    unsigned threads = 1;
    std::chrono::milliseconds timeout{2000};
    std::chrono::milliseconds drain_timeout{10000};
    std::string admin_token_file;        ///< empty: /content and /url cannot be changed
    jwt_settings jwt;                    ///< who is playing
    tls_files tls;                       ///< no certificate: plain HTTP
    std::size_t max_connections = 10000; ///< of all threads together
    std::size_t max_in_flight = 1024;    ///< requests a thread
    session_settings session;
    rate_settings rates;
    std::size_t max_connections_per_address = 0; ///< 0: any number
};

/// `HOST:PORT`, an IPv6 address in brackets. Fails with bad_request.
[[nodiscard]] result<listen_address> parse_listen_address(std::string_view text);

/// `1500ms`, `2s`, `1m` or a plain number of seconds; from 1 ms to 1 hour. Fails with bad_request.
[[nodiscard]] result<std::chrono::milliseconds> parse_duration(std::string_view text);

/// Adds --listen, --tls-cert, --tls-key, --threads, --timeout, --admin-token-file, --drain-timeout, --max-connections, --max-in-flight, and those of limit_options.hpp.
void add_edge_options(boost::program_options::options_description& options);

/// Reads them back. Fails with bad_request and says which option is wrong.
[[nodiscard]] result<edge_config> read_edge_config(const boost::program_options::variables_map& given);

} // namespace marquee
