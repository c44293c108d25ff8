// The settings of the edge and their command-line options.
#pragma once

#include "edge/auth/player_token.hpp"
#include "edge/limits/limit_options.hpp"
#include "edge/page/site.hpp"
#include "edge/server/listen.hpp"
#include "edge/server/tls_files.hpp"
#include "schemas/error.hpp"

#include <boost/program_options/options_description.hpp>
#include <boost/program_options/variables_map.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace marquee
{

/// The settings of the edge, apart from the connection to the broker.
struct edge_config
{
    listen_address listen;
    std::optional<listen_address> admin_listen; ///< where routes for operators are served, and only there
    unsigned threads = 1;
    std::chrono::milliseconds timeout{2000};        ///< per request
    std::chrono::milliseconds drain_timeout{10000}; ///< for requests in flight when the edge stops
    std::string admin_token_file;                   ///< empty: /content and /url cannot be changed
    jwt_settings jwt;                               ///< how players' tokens are verified
    tls_files tls;                                  ///< no certificate: plain HTTP
    std::size_t max_connections = 10000;            ///< of all threads together
    std::size_t max_in_flight = 1024;               ///< requests per thread
    std::size_t max_live = 2000;                    ///< live streams of all threads together
    std::size_t max_media = 500;                    ///< files being sent by all threads together
    site_settings site;
    bool batch_views = true; ///< where every reporting can count batches
    limit_settings limits;
};

/// Adds --listen, --admin-listen, --tls-cert, --tls-key, --threads, --timeout, --admin-token-file,
/// --drain-timeout, --max-connections, --max-in-flight, --max-live, --max-media, --web-root,
/// --media-root, --no-web, --batch-views, and those of limit_options.hpp.
void add_edge_options(boost::program_options::options_description& options);

/// Reads the options of add_edge_options(). Fails with bad_request, with the option in detail and
/// field. Files are not opened here.
[[nodiscard]] result<edge_config> read_edge_config(const boost::program_options::variables_map& given);

} // namespace marquee
