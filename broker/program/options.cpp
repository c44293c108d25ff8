#include "broker/program/options.hpp"

#include "broker/base/instance_id.hpp"
#include "broker/nats/jetstream_prefix.hpp"
#include "broker/nats/reply_prefixes.hpp"
#include "broker/nats/server_list.hpp"
#include "broker/program/nats_context.hpp"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <string_view>

namespace marquee
{

namespace po = boost::program_options;

namespace
{

struct option_name
{
    const char* option;
    const char* environment;
    std::string connection_options::*member;
};

constexpr option_name text_options[] = {
    {"user", "NATS_USER", &connection_options::user},
    {"password", "NATS_PASSWORD", &connection_options::password},
    {"token", "NATS_TOKEN", &connection_options::token},
    {"creds", "NATS_CREDS", &connection_options::creds_file},
    {"nkey", "NATS_NKEY", &connection_options::nkey_file},
    {"tlsca", "NATS_CA", &connection_options::tls_ca_file},
    {"tlscert", "NATS_CERT", &connection_options::tls_cert_file},
    {"tlskey", "NATS_KEY", &connection_options::tls_key_file},
};

/// The option, else the environment variable, else nothing.
std::string given_or_environment(const po::variables_map& given, const char* option, const char* environment)
{
    if (given.count(option) > 0)
        return given[option].as<std::string>();
    const char* value = std::getenv(environment); // NOLINT(concurrency-mt-unsafe): read at start, one thread
    return value != nullptr ? value : "";
}

/// Those that say who connects; a password completes a user.
constexpr std::string_view identities[] = {"user", "token", "creds", "nkey"};

bool is_given(const po::variables_map& given, std::string_view option)
{
    const std::string name(option);
    return given.count(name) > 0 && !given[name].as<std::string>().empty();
}

/// False: who connects is given by an option, so what a shell has in this variable for the `nats`
/// CLI is another one's.
bool counts_in_environment(const po::variables_map& given, std::string_view option)
{
    if (option == "password" && is_given(given, "user"))
        return true;
    const bool says_who = option == "password" || std::count(std::begin(identities), std::end(identities), option) > 0;
    return !says_who || std::none_of(std::begin(identities), std::end(identities),
                                     [&](std::string_view each) { return is_given(given, each); });
}

/// The value of one of `text_options`; empty where there is none.
std::string credential(const po::variables_map& given, const option_name& of)
{
    if (counts_in_environment(given, of.option))
        return given_or_environment(given, of.option, of.environment);
    return is_given(given, of.option) ? given[of.option].as<std::string>() : std::string();
}

result<std::vector<std::string>> split_servers(const std::string& list)
{
    std::vector<std::string> servers;
    std::size_t from = 0;
    while (from <= list.size())
    {
        const auto comma = std::min(list.find(',', from), list.size());
        auto server = list.substr(from, comma - from);
        server.erase(0, server.find_first_not_of(' '));
        server.erase(server.find_last_not_of(' ') + 1);
        if (const auto read = detail::parse_server(server); read.has_error())
            return read.error();
        servers.push_back(server);
        from = comma + 1;
    }
    return servers;
}

bool is_prefix(std::string_view prefix)
{
    if (prefix.empty() || prefix.front() == '.' || prefix.back() == '.' || prefix.find("..") != std::string_view::npos)
        return false;
    return prefix.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.") ==
           std::string_view::npos;
}

/// The options of the context that is meant, else the defaults.
result<connection_options> read_context(const po::variables_map& given, selected_context selected)
{
    auto which = given_or_environment(given, "context", "NATS_CONTEXT");
    const bool names_one = !which.empty() || given.count("context") > 0;
    if (!names_one && selected == selected_context::used && given_or_environment(given, "server", "NATS_URL").empty())
        which = selected_nats_context();
    if (which.empty() && !names_one)
        return connection_options();
    auto context = read_nats_context(which);
    if (context.has_error())
        return context.error();
    auto read = std::move(context->settings);
    read.context = context->name;
    if (context->has_servers)
    {
        auto servers = split_servers(read.servers.front());
        if (servers.has_error())
            return fail(errc::bad_request, context->file + ": url: " + servers.error().detail, "--context");
        read.servers = std::move(*servers);
    }
    return read;
}

result<void> read_servers(const po::variables_map& given, connection_options& read)
{
    const auto list = given_or_environment(given, "server", "NATS_URL");
    if (list.empty() && given.count("server") == 0)
        return {};
    auto servers = split_servers(list);
    if (servers.has_error())
        return servers.error();
    read.servers = std::move(*servers);
    return {};
}

/// Who connects is said in one place. A password alone completes a context that lacks it.
result<void> read_credentials(const po::variables_map& given, connection_options& read)
{
    const auto has = [&](std::string_view name)
    {
        return std::any_of(std::begin(text_options), std::end(text_options),
                           [&](const option_name& each)
                           { return each.option == name && !credential(given, each).empty(); });
    };
    if (std::any_of(std::begin(identities), std::end(identities), has))
        for (auto member : {&connection_options::user, &connection_options::password, &connection_options::token,
                            &connection_options::creds_file, &connection_options::nkey_file,
                            &connection_options::user_jwt, &connection_options::user_seed})
            (read.*member).clear();
    if (has("tlscert") || has("tlskey"))
        for (auto member : {&connection_options::tls_cert_file, &connection_options::tls_key_file})
            (read.*member).clear();
    for (const auto& each : text_options)
        if (auto value = credential(given, each); !value.empty())
            read.*each.member = std::move(value);
    if (!read.password.empty() && read.user.empty())
        return fail(errc::bad_request, "a password needs a user", "--password");
    if (read.tls_cert_file.empty() != read.tls_key_file.empty())
        return fail(errc::bad_request, "a client certificate and its key come together", "--tlscert");
    return {};
}

/// Reads where JetStream is.
result<void> read_jetstream(const po::variables_map& given, connection_options& read)
{
    const bool domain = given.count("js-domain") > 0;
    const bool prefix = given.count("js-api-prefix") > 0;
    if (domain && prefix)
        return fail(errc::bad_request, "a JetStream domain or a prefix of its API, not both", "--js-domain");
    if (domain)
    {
        const auto& name = given["js-domain"].as<std::string>();
        if (!is_prefix(name) || name.find('.') != std::string::npos)
            return fail(errc::bad_request, "a JetStream domain is one token of [A-Za-z0-9_-]", "--js-domain");
        read.jetstream_prefix = jetstream_prefix_of(name);
    }
    if (prefix)
        read.jetstream_prefix = given["js-api-prefix"].as<std::string>();
    const auto& at = read.jetstream_prefix;
    if ((prefix || !at.empty()) && !is_prefix(at.starts_with('$') ? std::string_view(at).substr(1) : at))
        return fail(errc::bad_request,
                    "a prefix of JetStream's API is tokens of [A-Za-z0-9_-] joined by dots; $ may come first",
                    prefix ? "--js-api-prefix" : "--context");
    return {};
}

/// Reads what subjects begin with.
result<void> read_prefixes(const po::variables_map& given, connection_options& read)
{
    if (given.count("inbox-prefix") > 0)
        read.inbox_prefix = given["inbox-prefix"].as<std::string>();
    if (!is_prefix(read.inbox_prefix))
        return fail(errc::bad_request, "an inbox prefix is tokens of [A-Za-z0-9_-] joined by dots", "--inbox-prefix");
    if (given.count("reply-prefix") > 0)
        read.reply_prefixes = given["reply-prefix"].as<std::vector<std::string>>();
    if (!std::all_of(read.reply_prefixes.begin(), read.reply_prefixes.end(), is_reply_prefix))
        return fail(errc::bad_request,
                    "a reply prefix is tokens of [A-Za-z0-9_-] joined by dots, the last may end with *",
                    "--reply-prefix");
    return read_jetstream(given, read);
}

/// The value of a connection option as text; empty where it has none, or is none of these.
std::string text_of(const std::string& option, const connection_options& in)
{
    if (option == "server")
    {
        std::string all;
        for (const auto& each : in.servers)
            (all += all.empty() ? "" : ",") += each;
        return all;
    }
    if (option == "inbox-prefix")
        return in.inbox_prefix;
    if (option == "js-api-prefix")
        return in.jetstream_prefix;
    if (option == "tlsfirst")
        return in.tls_first ? "true" : "";
    for (const auto& each : text_options)
        if (option == each.option)
            return in.*each.member;
    return {};
}

} // namespace

void add_connection_options(po::options_description& options)
{
    auto text = [] { return po::value<std::string>()->value_name("TEXT"); };
    auto file = [] { return po::value<std::string>()->value_name("FILE"); };
    options.add_options() //
        ("context", po::value<std::string>()->value_name("NAME|FILE"),
         "natscli context with what the options below do not say (NATS_CONTEXT)") //
        ("server,s", po::value<std::string>()->value_name("URL[,URL…]"),
         "NATS servers, or one of a cluster; user info percent-encoded (NATS_URL; nats://127.0.0.1:4222)")     //
        ("user", text(), "user name (NATS_USER)")                                                              //
        ("password", text(), "password (NATS_PASSWORD)")                                                       //
        ("token", text(), "token (NATS_TOKEN)")                                                                //
        ("creds", file(), "credentials: JWT and seed (NATS_CREDS)")                                            //
        ("nkey", file(), "user NKey seed (NATS_NKEY)")                                                         //
        ("tlsca", file(), "certificate authorities to trust, PEM (NATS_CA)")                                   //
        ("tlscert", file(), "client certificate chain, PEM (NATS_CERT)")                                       //
        ("tlskey", file(), "client private key, PEM (NATS_KEY)")                                               //
        ("tlsfirst", po::bool_switch(), "begin with the TLS handshake, before the server's greeting")          //
        ("inbox-prefix", po::value<std::string>()->value_name("SUBJECT"), "prefix of reply subjects (_INBOX)") //
        ("js-domain", po::value<std::string>()->value_name("NAME"), "JetStream domain")                        //
        ("js-api-prefix", po::value<std::string>()->value_name("SUBJECT"),
         "prefix of JetStream's API where another account exports it ($JS.API)");
}

void add_reply_options(po::options_description& options)
{
    options.add_options() //
        ("reply-prefix", po::value<std::vector<std::string>>()->value_name("SUBJECT"),
         "a reply goes to subjects that begin so, a request that names another is not carried out; may be repeated; "
         "`_INBOX_*` "
         "takes what begins "
         "with it (_INBOX, _INBOX_*, _R_); --inbox-prefix is always taken");
}

result<connection_options> read_connection_options(const po::variables_map& given, selected_context selected)
{
    auto read = read_context(given, selected);
    if (read.has_error())
        return read;
    if (auto done = read_servers(given, *read); done.has_error())
        return done.error();
    if (auto done = read_credentials(given, *read); done.has_error())
        return done.error();
    if (auto done = read_prefixes(given, *read); done.has_error())
        return done.error();
    read->tls_first = read->tls_first || given["tlsfirst"].as<bool>();
    read->instance = make_instance_id();
    return read;
}

result<void> check_connection_options(const po::variables_map& given, selected_context selected)
{
    if (auto read = read_connection_options(given, selected); read.has_error())
        return read.error();
    return {};
}

option_fallback fallback_of(const std::string& option, const po::variables_map& given, const connection_options& used)
{
    const char* variable = option == "server"      ? "NATS_URL"
                           : option == "context"   ? "NATS_CONTEXT"
                           : option == "log-level" ? "MARQUEE_LOG"
                                                   : nullptr;
    for (const auto& each : text_options)
        if (option == each.option && counts_in_environment(given, option))
            variable = each.environment;
    if (variable != nullptr)
        if (auto value = given_or_environment({}, option.c_str(), variable); !value.empty())
            return {std::move(value), std::string("environment ") + variable};
    auto fallback = text_of(option, connection_options());
    if (used.context.empty())
        return {std::move(fallback), {}};
    if (option == "context")
        return {used.context, "nats context select"};
    if (auto value = text_of(option, used); value != fallback)
        return {std::move(value), "context " + used.context};
    return {std::move(fallback), {}};
}

std::string servers_for_log(const connection_options& options)
{
    std::string all;
    for (std::string server : options.servers)
    {
        const auto scheme = server.find("://");
        const auto host = scheme == std::string::npos ? 0 : scheme + 3;
        const auto at = server.rfind('@');
        if (at != std::string::npos && at >= host)
            server.erase(host, at + 1 - host);
        all += (all.empty() ? "" : ",") + server;
    }
    return all;
}

void hide_secrets(int argc, char** argv)
{
    auto wipe_if = [](bool secret, char* value)
    {
        for (; secret && *value != '\0'; ++value)
            *value = '*';
    };
    auto has_user_info = [](const char* value) { return std::strchr(value, '@') != nullptr; };

    for (int i = 1; i < argc; ++i)
    {
        const std::string_view whole = argv[i];
        const auto equals = whole.find('=');
        const auto name = whole.substr(0, equals);
        const bool joined = equals != std::string_view::npos;
        char* value = joined ? argv[i] + equals + 1 : (i + 1 < argc ? argv[i + 1] : nullptr);
        if (whole.starts_with("-s") && whole.size() > 2) // -sURL
            wipe_if(has_user_info(argv[i]), argv[i] + 2);
        else if (value != nullptr && (name == "--password" || name == "--token"))
            wipe_if(true, value);
        else if (value != nullptr && (name == "--server" || name == "-s"))
            wipe_if(has_user_info(value), value);
    }
}

} // namespace marquee
