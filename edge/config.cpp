#include "edge/config.hpp"

#include "edge/limit_options.hpp"

#include <boost/program_options/value_semantic.hpp>

#include <charconv>

namespace marquee
{

namespace po = boost::program_options;

namespace
{

template <class Number>
bool read_number(std::string_view text, Number& into)
{
    const auto [stop, problem] = std::from_chars(text.data(), text.data() + text.size(), into);
    return problem == std::errc() && stop == text.data() + text.size() && !text.empty();
}

/// The failure of an option, with its name in front.
error about(const std::string& option, const error& what)
{
    return fail(errc::bad_request, "--" + option + ": " + what.detail, option);
}

template <class Number>
result<Number> read_count(const po::variables_map& given, const std::string& option, Number lowest, Number highest)
{
    Number count{};
    if (!read_number(given[option].as<std::string>(), count) || count < lowest || count > highest)
        return about(option,
                     fail(errc::bad_request, "a number from " + std::to_string(lowest) + " to " + std::to_string(highest)));
    return count;
}

result<std::chrono::milliseconds> read_time(const po::variables_map& given, const std::string& option)
{
    auto time = parse_duration(given[option].as<std::string>());
    if (time.has_error())
        return about(option, time.error());
    return time;
}

} // namespace

result<listen_address> parse_listen_address(std::string_view text)
{
    const auto wrong = fail(errc::bad_request, "an address is HOST:PORT, an IPv6 address in brackets");
    const auto colon = text.rfind(':');
    if (colon == std::string_view::npos)
        return wrong;
    auto host = text.substr(0, colon);
    const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
    if (bracketed)
        host = host.substr(1, host.size() - 2);
    else if (host.find_first_of(":[]") != std::string_view::npos)
        return wrong;
    listen_address address;
    address.host = host;
    if (host.empty() || !read_number(text.substr(colon + 1), address.port))
        return wrong;
    return address;
}

result<std::chrono::milliseconds> parse_duration(std::string_view text)
{
    constexpr std::int64_t highest = 3'600'000;
    const auto digits = text.substr(0, text.find_first_not_of("0123456789"));
    const auto unit = text.substr(digits.size());
    const std::int64_t factor = unit == "ms" ? 1 : unit == "s" || unit.empty() ? 1000 : unit == "m" ? 60'000 : 0;
    std::int64_t number = 0;
    if (factor == 0 || !read_number(digits, number) || number < 1 || number > highest / factor)
        return fail(errc::bad_request, "a time is a number with ms, s or m, or of seconds, from 1ms to 60m");
    return std::chrono::milliseconds(number * factor);
}

void add_edge_options(po::options_description& options)
{
    const auto text = [](const char* fallback, const char* name)
    { return po::value<std::string>()->default_value(fallback)->value_name(name); };
    options.add_options()                                                                                                       //
        ("listen", text("127.0.0.1:8080", "HOST:PORT"), "where to take HTTP requests; port 0: any free one")                    //
        ("tls-cert", text("", "FILE"), "certificate chain in PEM: HTTPS instead of HTTP; read again on SIGHUP")                 //
        ("tls-key", text("", "FILE"), "its private key in PEM")                                                                 //
        ("threads", text("1", "N"), "io threads, each with its own connection to the broker")                                   //
        ("timeout", text("2s", "TIME"), "of a request, in all: 2s, 1500ms or seconds")                                          //
        ("admin-token-file", text("", "FILE"), "holds the bearer token for changes to /content and /url; read again on change") //
        ("jwt-key", text("", "FILE"),
         "HS256 secret, PEM public key or JWKS: a user's plays and views then need a bearer token of that user; "
         "read again on change")                                                       //
        ("jwt-issuer", text("", "TEXT"), "what iss in such a token must be")           //
        ("jwt-audience", text("", "TEXT"), "what aud in such a token must name")       //
        ("drain-timeout", text("10s", "TIME"), "for requests under way when stopping") //
        ("max-connections", text("10000", "N"), "HTTP connections in all")             //
        ("max-in-flight", text("1024", "N"), "requests a thread works on at once; beyond it 503");
    add_limit_options(options);
}

result<edge_config> read_edge_config(const po::variables_map& given)
{
    edge_config config;
    auto listen = parse_listen_address(given["listen"].as<std::string>());
    if (listen.has_error())
        return about("listen", listen.error());
    auto threads = read_count<unsigned>(given, "threads", 1, 256);
    auto connections = read_count<std::size_t>(given, "max-connections", 1, 1'000'000);
    auto in_flight = read_count<std::size_t>(given, "max-in-flight", 1, 1'000'000);
    auto timeout = read_time(given, "timeout");
    auto drain = read_time(given, "drain-timeout");
    for (const auto& wrong : {threads.error(), connections.error(), in_flight.error(), timeout.error(), drain.error()})
        if (wrong.code != errc{})
            return wrong;
    config.listen = std::move(*listen);
    config.threads = *threads;
    config.max_connections = *connections;
    config.max_in_flight = *in_flight;
    config.timeout = *timeout;
    config.drain_timeout = *drain;
    config.admin_token_file = given["admin-token-file"].as<std::string>();
    if (auto limits = read_limit_options(given, config); limits.has_error())
        return limits.error();
    config.tls = {given["tls-cert"].as<std::string>(), given["tls-key"].as<std::string>()};
    if (config.tls.certificate.empty() != config.tls.key.empty())
        return about(config.tls.key.empty() ? "tls-cert" : "tls-key",
                     fail(errc::bad_request, "--tls-cert and --tls-key are needed together"));
    config.jwt.key_file = given["jwt-key"].as<std::string>();
    config.jwt.expected = {given["jwt-issuer"].as<std::string>(), given["jwt-audience"].as<std::string>()};
    for (const auto* option : {"jwt-issuer", "jwt-audience"})
        if (config.jwt.key_file.empty() && !given[option].as<std::string>().empty())
            return about(option, fail(errc::bad_request, "is of no use without --jwt-key"));
    return config;
}

} // namespace marquee
