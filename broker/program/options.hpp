// The command-line options of a connection, with the names natscli uses.
#pragma once

#include "broker/nats/connection_options.hpp"
#include "schemas/error.hpp"

#include <boost/program_options/options_description.hpp>
#include <boost/program_options/variables_map.hpp>

#include <cstdint>
#include <string>

namespace marquee
{

/// Adds --context, --server, --user, --password, --token, --creds, --nkey, --tlsca, --tlscert,
/// --tlskey, --tlsfirst, --inbox-prefix, --js-domain and --js-api-prefix.
void add_connection_options(boost::program_options::options_description& options);

/// Adds --reply-prefix, for programs that serve requests.
void add_reply_options(boost::program_options::options_description& options);

/// Whether the context that `nats context select` has chosen counts.
enum class selected_context : std::uint8_t
{
    ignored, ///< a daemon must not follow `nats context select prod`
    used     ///< for tools, which name it before they change anything: where nothing names a server or a context
};

/// Reads the values of these options. For an option that is not given: its environment variable
/// (NATS_CONTEXT, NATS_URL, NATS_USER, NATS_PASSWORD, NATS_TOKEN, NATS_CREDS, NATS_NKEY, NATS_CA,
/// NATS_CERT, NATS_KEY), else the context, else the default. Where --user, --token, --creds or
/// --nkey says who connects, no credentials of the environment count, but NATS_PASSWORD for --user,
/// and none of the context; nor do the latter where the environment says it. Sets `context`, and a
/// random `instance`. Fails with bad_request if a value is invalid. Call before a second thread
/// starts.
[[nodiscard]] result<connection_options> read_connection_options(const boost::program_options::variables_map& given,
                                                                 selected_context selected = selected_context::ignored);

/// Whether read_connection_options() would fail, and how; for settings_description::check.
[[nodiscard]] result<void> check_connection_options(const boost::program_options::variables_map& given,
                                                    selected_context selected = selected_context::ignored);

/// What is used for an option that is not given: the value, and where it comes from (`environment
/// NATS_URL`, `context prod`; empty: the default). An empty value: it has no other.
struct option_fallback
{
    std::string value;
    std::string from;
};

/// `used`: what read_connection_options() gave for `given`.
[[nodiscard]] option_fallback fallback_of(const std::string& option, const boost::program_options::variables_map& given,
                                          const connection_options& used);

/// Returns the server URLs without user info, joined by commas, for logs.
[[nodiscard]] std::string servers_for_log(const connection_options& options);

/// Overwrites the values of --password and --token, and of --server with user info, in the argument
/// vector of the process, so that `ps` does not show them. Call right after parsing.
void hide_secrets(int argc, char** argv);

} // namespace marquee
