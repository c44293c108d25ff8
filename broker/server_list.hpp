// The servers of a broker: those that were given, and those that their INFO names.
#pragma once

#include "schemas/error.hpp"

#include <cstddef>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace marquee::detail
{

/// One server and how to log in there.
struct server_address
{
    std::string host_port; ///< `host`, `host:port`, `[v6]:port`
    std::string user;      ///< these three: of the URL, decoded; they come before --user, --password and --token
    std::string password;
    std::string token;
    std::string tls_name; ///< the name its certificate must be for; empty: its host

    [[nodiscard]] bool has_user_info() const noexcept { return !user.empty() || !token.empty(); }
};

/// Of a URL that --server takes: scheme, user info (percent-encoded, RFC 3986), host and port. Fails with
/// bad_request and a reason that repeats no secret.
[[nodiscard]] result<server_address> parse_server(std::string_view url);

/// What a server says of itself before anybody has logged in. Nothing of it is proven.
struct server_info
{
    bool known = false;                    ///< it said something that can be understood
    std::vector<std::string> connect_urls; ///< `host:port` of the members of its cluster
    bool jetstream = false;
    bool clustered = false;
};

/// Of an INFO line; without what cannot be understood.
[[nodiscard]] server_info parse_info(std::string_view line);

/// The order in which servers are tried. Those that were given stay for ever.
class server_list
{
public:
    /// Of URLs that parse_server takes; in an order of chance, so that clients spread over a cluster.
    explicit server_list(const std::vector<std::string>& urls);

    [[nodiscard]] const std::vector<server_address>& all() const noexcept { return servers_; }

    /// Adds the members that `from` named, those that are new, and returns them.
    std::vector<server_address> add(const server_address& from, const std::vector<std::string>& host_ports);

    /// The same of a server that took us: members that it does not name any more are forgotten.
    void replace(const server_address& from, const std::vector<std::string>& host_ports);

    /// A link to it was lost: the others first.
    void move_to_end(const server_address& which);

private:
    std::vector<server_address> servers_; ///< in the order in which they are tried
    std::vector<std::string> given_;      ///< host and port of those that were given
    std::minstd_rand random_{std::random_device{}()};
};

} // namespace marquee::detail
