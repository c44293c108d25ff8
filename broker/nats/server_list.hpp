// The servers of a broker: those of the options, and those that servers name in INFO.
#pragma once

#include "schemas/error.hpp"

#include <cstddef>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace marquee::detail
{

/// One server, and the credentials for it.
struct server_address
{
    std::string host_port; ///< `host`, `host:port`, `[v6]:port`
    std::string user;      ///< this and the next two: of the URL, decoded; preferred to the options
    std::string password;
    std::string token;
    std::string tls_name; ///< the name that its certificate must have; empty: the host

    [[nodiscard]] bool has_user_info() const noexcept { return !user.empty() || !token.empty(); }
};

/// Parses a URL: scheme, user info (percent-encoded, RFC 3986), host and port. Fails with
/// bad_request; the detail does not repeat secrets.
[[nodiscard]] result<server_address> parse_server(std::string_view url);

/// The content of INFO, which a server sends before the login. Not authenticated without TLS.
struct server_info
{
    bool known = false;                    ///< INFO was parsed
    std::string version;                   ///< as the server writes it: `2.10.27`
    std::vector<std::string> connect_urls; ///< `host:port` of its cluster's members
    bool jetstream = false;
    bool clustered = false;
};

/// Parses an INFO line. Members that are malformed are left out.
[[nodiscard]] server_info parse_info(std::string_view line);

/// The servers in the order in which they are tried. Those of the options are never removed. Not
/// thread-safe.
class server_list
{
public:
    /// Takes URLs that parse_server() accepts, in random order, so that clients spread over a
    /// cluster.
    explicit server_list(const std::vector<std::string>& urls);

    [[nodiscard]] const std::vector<server_address>& all() const noexcept { return servers_; }

    /// Adds the new ones among the cluster members that `from` named, and returns them.
    std::vector<server_address> add(const server_address& from, const std::vector<std::string>& host_ports);

    /// The same for a server with which a link exists: members that it does not name are removed.
    void replace(const server_address& from, const std::vector<std::string>& host_ports);

    /// Called when a link to `which` was lost, so that the others are tried first.
    void move_to_end(const server_address& which);

private:
    std::vector<server_address> servers_; ///< in the order in which they are tried
    std::vector<std::string> given_;      ///< `host:port` of the servers of the options
    std::minstd_rand rng_{std::random_device{}()};
};

} // namespace marquee::detail
