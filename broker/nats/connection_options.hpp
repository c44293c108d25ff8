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
    std::string name; ///< shown by `nats server ls` and in the broker's log
    std::vector<std::string> servers = {"nats://127.0.0.1:4222"};
    std::string user;
    std::string password;
    std::string token;
    std::string creds_file;
    std::string nkey_file; ///< a file with the seed
    std::string tls_ca_file;
    std::string tls_cert_file;
    std::string tls_key_file;
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
