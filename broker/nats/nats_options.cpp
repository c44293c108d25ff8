#include "broker/nats/nats_options.hpp"

#include "broker/base/small_file.hpp"
#include "broker/nats/connect_interceptor.hpp"
#include "broker/nats/nkey.hpp"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <tuple>

namespace marquee::detail
{

namespace
{

/// Keeps the first failure of several calls, with the option it belongs to.
class step_list
{
public:
    void step(natsStatus s, const char* about)
    {
        if (failed_.empty() && s != NATS_OK)
        {
            failed_ = std::string(about) + ": " + natsStatus_GetText(s);
            if (const auto last = nats_error_text(); !last.empty())
                failed_ += " (" + last + ")";
        }
    }
    [[nodiscard]] const std::string& failed() const { return failed_; }

private:
    std::string failed_;
};

void set_times(step_list& set, natsOptions* o, const connection_options& from)
{
    set.step(natsOptions_SetAllowReconnect(o, false), "reconnect"); // see nats_link.hpp
    // nats_link abandons the attempt at connect_timeout. nats.c's own timeout must come later: it
    // may spin after it (connect_interceptor.hpp).
    set.step(natsOptions_SetTimeout(o, from.connect_timeout.count() + from.connect_timeout.count() / 8),
             "connect timeout");
    set.step(natsOptions_SetPingInterval(o, from.ping_interval.count()), "ping interval");
    set.step(natsOptions_SetMaxPingsOut(o, 2), "pings");
}

/// nats.c frees what these return.
natsStatus give_jwt(char** jwt, char** /*error*/, void* options)
{
    *jwt = ::strdup(static_cast<const connection_options*>(options)->user_jwt.c_str());
    return *jwt != nullptr ? NATS_OK : NATS_NO_MEMORY;
}

/// A bearer token needs no signature: an empty one.
natsStatus sign_nonce(char** /*error*/, unsigned char** signature, int* size, const char* nonce, void* options)
{
    const auto& seed = static_cast<const connection_options*>(options)->user_seed;
    if (!seed.empty())
        return nats_Sign(seed.c_str(), nonce, signature, size);
    *size = 0;
    *signature = static_cast<unsigned char*>(std::calloc(1, 1)); // NOLINT(cppcoreguidelines-no-malloc): see above
    return *signature != nullptr ? NATS_OK : NATS_NO_MEMORY;
}

natsStatus set_user_jwt(natsOptions* o, const connection_options& from)
{
    auto* closure = const_cast<connection_options*>(&from); // NOLINT(cppcoreguidelines-pro-type-const-cast): read only
    return natsOptions_SetUserCredentialsCallbacks(o, give_jwt, closure, sign_nonce, closure);
}

void set_credentials(step_list& set, natsOptions* o, const connection_options& from, const server_address& server)
{
    if (!server.user.empty())
        set.step(natsOptions_SetUserInfo(o, server.user.c_str(), server.password.c_str()), "--server");
    else if (!server.token.empty())
        set.step(natsOptions_SetToken(o, server.token.c_str()), "--server");
    else if (!from.user.empty())
        set.step(natsOptions_SetUserInfo(o, from.user.c_str(), from.password.c_str()), "--user");
    if (!from.token.empty() && !server.has_user_info())
        set.step(natsOptions_SetToken(o, from.token.c_str()), "--token");
    if (!from.creds_file.empty())
        set.step(natsOptions_SetUserCredentialsFromFiles(o, from.creds_file.c_str(), nullptr), "--creds");
    if (!from.user_jwt.empty())
        set.step(set_user_jwt(o, from), "user_jwt");
}

void set_tls(step_list& set, natsOptions* o, const connection_options& from, const server_address& server)
{
    if (!server.tls_name.empty())
        set.step(natsOptions_SetExpectedHostname(o, server.tls_name.c_str()), "TLS");
    bool secure = from.tls_first || !from.tls_ca_file.empty() || !from.tls_cert_file.empty();
    for (const auto& each : from.servers)
        secure = secure || each.starts_with("tls://");
    if (!secure)
        return;
    set.step(natsOptions_SetSecure(o, true), "TLS");
    if (!from.tls_ca_file.empty())
        set.step(natsOptions_LoadCATrustedCertificates(o, from.tls_ca_file.c_str()), "--tlsca");
    if (!from.tls_cert_file.empty())
        set.step(natsOptions_LoadCertificatesChain(o, from.tls_cert_file.c_str(), from.tls_key_file.c_str()),
                 "--tlscert, --tlskey");
#if NATS_VERSION_NUMBER >= 0x030900
    if (from.tls_first)
        set.step(natsOptions_TLSHandshakeFirst(o), "--tlsfirst");
#endif
}

/// nats.c reads the files itself, some only when it connects, and reports any fault as "Error"; it
/// would block on a FIFO.
result<void> check_files(const connection_options& from)
{
    const std::tuple<const char*, const std::string&, secrecy> files[] = {
        {"--creds", from.creds_file, secrecy::secret},
        {"--tlsca", from.tls_ca_file, secrecy::open},
        {"--tlscert", from.tls_cert_file, secrecy::open},
        {"--tlskey", from.tls_key_file, secrecy::secret}};
    for (const auto& [option, file, what] : files)
        if (!file.empty())
            if (auto readable = check_small_file(file, what); readable.has_error())
                return fail(errc::bad_request, readable.error().detail, option);
    return {};
}

} // namespace

result<nats_options_ptr> make_nats_options(const connection_options& from, const server_address& server)
{
    natsOptions* raw = nullptr;
    if (natsOptions_Create(&raw) != NATS_OK)
        return fail(errc::bad_request, "cannot make connection options");
    nats_options_ptr made(raw);

    if (auto readable = check_files(from); readable.has_error())
        return readable.error();
    if (from.tls_first && !has_tls_first)
        return fail(errc::bad_request,
                    "--tlsfirst (tls_first of a context) needs nats.c 3.9 or newer; this program has " +
                        std::string(nats_GetVersion()),
                    "--tlsfirst");

    step_list set;
    set.step(natsOptions_SetURL(raw, ("nats://" + server.host_port).c_str()), "--server");
    set.step(natsOptions_SetName(raw, connection_name(from).c_str()), "connection name");
    // Without it a flusher thread delays every write by a millisecond. In event-loop mode writes of
    // a loop turn are batched all the same.
    set.step(natsOptions_SetSendAsap(raw, true), "send asap");
    set_times(set, raw, from);
    set_credentials(set, raw, from, server);
    set_tls(set, raw, from, server);
    if (!from.nkey_file.empty())
    {
        auto key = public_nkey(from.nkey_file);
        if (key.has_error())
            return key.error();
        set.step(natsOptions_SetNKeyFromSeed(raw, key->c_str(), from.nkey_file.c_str()), "--nkey");
    }
    if (!set.failed().empty())
        return fail(errc::bad_request, set.failed());
    return made;
}

std::string connection_name(const connection_options& from)
{
    return from.instance.empty() ? from.name : from.name + '-' + from.instance;
}

std::string make_inbox_prefix(const connection_options& from)
{
    std::random_device random;
    std::array<char, 32> unique{};
    std::snprintf(unique.data(), unique.size(), "%08x%08x%08x", random(), random(), random());
    return from.inbox_prefix + '.' + unique.data();
}

} // namespace marquee::detail
