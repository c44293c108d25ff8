// How to reach the broker, with the names natscli uses.
#pragma once

#include "schemas/error.hpp"

#include <boost/program_options/options_description.hpp>
#include <boost/program_options/variables_map.hpp>

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

namespace marquee
{

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
    std::vector<std::string> reply_prefixes;         ///< where replies may go besides inbox_prefix; empty: the usual ones
    std::size_t send_room = 32 << 20;                ///< bytes that may wait to be sent beyond the write buffer
    std::chrono::milliseconds send_patience{1000};   ///< how long a large message may wait
    std::chrono::milliseconds connect_timeout{2000}; ///< a server
    std::chrono::milliseconds reconnect_wait{100};
    std::chrono::milliseconds reconnect_jitter{100};
    std::chrono::milliseconds ping_interval{2000}; ///< two unanswered pings: the link is down
    bool wait_for_server = false;
    bool replies_by_callback = false; ///< take replies through a library thread although the faster way is there
};

/// Adds --server, --user, --password, --token, --creds, --nkey, --tlsca, --tlscert, --tlskey and --inbox-prefix.
void add_connection_options(boost::program_options::options_description& options);

/// Adds --reply-prefix, for programs that answer requests.
void add_reply_options(boost::program_options::options_description& options);

/// Reads them back; an option that was not given falls back to its environment variable (NATS_URL, NATS_USER, NATS_PASSWORD, NATS_TOKEN,
/// NATS_CREDS, NATS_NKEY, NATS_CA, NATS_CERT, NATS_KEY), then to the default. Fails with bad_request on a value that cannot be right.
[[nodiscard]] result<connection_options> read_connection_options(const boost::program_options::variables_map& given);

/// The servers without user info, for logs.
[[nodiscard]] std::string servers_for_log(const connection_options& options);

/// Overwrites the values of --password, --token and of user info in --server in the process's own argument vector, so that
/// they do not stand in `ps`. Call once, first thing after parsing.
void hide_secrets(int argc, char** argv);

} // namespace marquee
