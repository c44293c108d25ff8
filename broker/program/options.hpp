// The command-line options of a connection, with the names natscli uses.
#pragma once

#include "broker/nats/connection_options.hpp"
#include "schemas/error.hpp"

#include <boost/program_options/options_description.hpp>
#include <boost/program_options/variables_map.hpp>

#include <string>

namespace marquee
{

/// Adds --server, --user, --password, --token, --creds, --nkey, --tlsca, --tlscert, --tlskey and
/// --inbox-prefix.
void add_connection_options(boost::program_options::options_description& options);

/// Adds --reply-prefix, for programs that serve requests.
void add_reply_options(boost::program_options::options_description& options);

/// Reads the values of these options. For an option that is not given: its environment variable
/// (NATS_URL, NATS_USER, NATS_PASSWORD, NATS_TOKEN, NATS_CREDS, NATS_NKEY, NATS_CA, NATS_CERT,
/// NATS_KEY), else the default. Fails with bad_request if a value is invalid. Call before a second
/// thread starts.
[[nodiscard]] result<connection_options> read_connection_options(const boost::program_options::variables_map& given);

/// What read_connection_options() uses for an option that is not given: the value, and where it
/// comes from (`environment NATS_URL`; empty: the default). An empty value: it has no other.
struct option_fallback
{
    std::string value;
    std::string from;
};
[[nodiscard]] option_fallback connection_fallback(const std::string& option);

/// Returns the server URLs without user info, joined by commas, for logs.
[[nodiscard]] std::string servers_for_log(const connection_options& options);

/// Overwrites the values of --password and --token, and of --server with user info, in the argument
/// vector of the process, so that `ps` does not show them. Call right after parsing.
void hide_secrets(int argc, char** argv);

} // namespace marquee
