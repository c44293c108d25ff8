// natscli's contexts: files with the settings of a connection, under a name.
#pragma once

#include "broker/nats/connection_options.hpp"
#include "schemas/error.hpp"

#include <string>

namespace marquee
{

/// A context that was read. Members of `settings` that the file does not name have their defaults.
struct nats_context
{
    std::string name; ///< of a context in a file of its own: that file's name without `.json`
    std::string file;
    bool has_servers = false; ///< the file has a url
    connection_options settings;
};

/// Reads a context as natscli does. `which` is a file where it has a `/`, or ends in `.json` and
/// exists; else the name of `$XDG_CONFIG_HOME/nats/context/NAME.json` (`~/.config` without that
/// variable). In creds, nkey, cert, key and ca, `$VARIABLE` and a leading `~` are replaced. Of
/// several kinds of credentials the first counts: user, creds, nkey, user_jwt; a token counts with
/// each. Keys that natscli does not know are ignored.
///
/// Fails with bad_request: no such context, no JSON, a value of another kind, or a key that cannot
/// be honoured (nsc, socks_proxy, windows_cert_store; credentials that are kept elsewhere). The
/// detail names the file and the key, and repeats no value. At the start, on one thread.
[[nodiscard]] result<nats_context> read_nats_context(const std::string& which);

/// The name that `nats context select` has chosen; empty if there is none. At the start, on one
/// thread.
[[nodiscard]] std::string selected_nats_context();

} // namespace marquee
