#include "broker/program/options.hpp"

#include "broker/nats/reply_prefixes.hpp"
#include "broker/nats/server_list.hpp"

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

} // namespace

void add_connection_options(po::options_description& options)
{
    auto text = [] { return po::value<std::string>()->value_name("TEXT"); };
    auto file = [] { return po::value<std::string>()->value_name("FILE"); };
    options.add_options() //
        ("server,s", po::value<std::string>()->value_name("URL[,URL…]"),
         "NATS servers, or one of a cluster; user info percent-encoded (NATS_URL; nats://127.0.0.1:4222)") //
        ("user", text(), "user name (NATS_USER)")                                                          //
        ("password", text(), "password (NATS_PASSWORD)")                                                   //
        ("token", text(), "token (NATS_TOKEN)")                                                            //
        ("creds", file(), "credentials: JWT and seed (NATS_CREDS)")                                        //
        ("nkey", file(), "user NKey seed (NATS_NKEY)")                                                     //
        ("tlsca", file(), "certificate authorities to trust, PEM (NATS_CA)")                               //
        ("tlscert", file(), "client certificate chain, PEM (NATS_CERT)")                                   //
        ("tlskey", file(), "client private key, PEM (NATS_KEY)")                                           //
        ("inbox-prefix", po::value<std::string>()->value_name("SUBJECT"), "prefix of reply subjects (_INBOX)");
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

result<connection_options> read_connection_options(const po::variables_map& given)
{
    connection_options read;
    if (auto list = given_or_environment(given, "server", "NATS_URL"); !list.empty() || given.count("server") > 0)
    {
        auto servers = split_servers(list);
        if (servers.has_error())
            return servers.error();
        read.servers = std::move(*servers);
    }
    for (const auto& [option, environment, member] : text_options)
        read.*member = given_or_environment(given, option, environment);
    if (!read.password.empty() && read.user.empty())
        return fail(errc::bad_request, "a password needs a user", "--password");
    if (read.tls_cert_file.empty() != read.tls_key_file.empty())
        return fail(errc::bad_request, "a client certificate and its key come together", "--tlscert");
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
    return read;
}

option_fallback connection_fallback(const std::string& option)
{
    const connection_options defaults;
    const char* variable = option == "server" ? "NATS_URL" : nullptr;
    for (const auto& each : text_options)
        if (option == each.option)
            variable = each.environment;
    const auto value = variable == nullptr ? std::string() : given_or_environment({}, option.c_str(), variable);
    if (!value.empty())
        return {value, std::string("environment ") + variable};
    if (option == "server")
        return {defaults.servers.front(), {}};
    return {option == "inbox-prefix" ? defaults.inbox_prefix : "", {}};
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
