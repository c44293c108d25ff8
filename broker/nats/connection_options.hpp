// How to reach the broker, and the limits of a connection.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

namespace marquee
{

/// Settings of one connection. Programs read them with read_connection_options()
/// (broker/program/options.hpp); connection::open() checks them.
struct connection_options
{
    std::string name; ///< shown by `nats server report connections` and in the broker's log
    /// Distinguishes connections of the same name, which it is appended to: the id of the service
    /// that uses this one. Empty: the name stands alone.
    std::string instance;
    std::string context; ///< the natscli context that these are from; empty: none
    std::vector<std::string> servers = {"nats://127.0.0.1:4222"};
    std::string user;
    std::string password;
    std::string token;
    std::string creds_file;
    std::string nkey_file; ///< a file with the seed
    std::string user_jwt;  ///< the JWT itself, with user_seed, or alone where the JWT is a bearer token
    std::string user_seed; ///< the seed itself
    std::string tls_ca_file;
    std::string tls_cert_file;
    std::string tls_key_file;
    bool tls_first = false; ///< the TLS handshake comes before the server's INFO; needs nats.c 3.9
    /// Stands for `$JS.API` where something is published: `$JS.DOMAIN.API`, or what another account
    /// exports. Keys of buckets are written below it, too. Empty: `$JS.API`.
    std::string jetstream_prefix;
    std::string inbox_prefix = "_INBOX";
    std::vector<std::string> reply_prefixes;         ///< besides inbox_prefix; empty: reply_prefixes::usual()
    std::size_t send_room = 32 << 20;                ///< bytes that may wait to be sent beyond the write buffer
    std::chrono::milliseconds send_patience{1000};   ///< longest wait of a large message for room
    std::chrono::milliseconds connect_timeout{2000}; ///< per server
    std::chrono::milliseconds reconnect_wait{100};
    std::chrono::milliseconds reconnect_jitter{100};
    std::chrono::milliseconds ping_interval{2000}; ///< two unanswered pings: the link is down
    bool wait_for_server = false;                  ///< open() succeeds without a link and goes on connecting
    bool replies_by_callback = false;              ///< take replies on nats.c's thread even if its filter is there
};

} // namespace marquee
