#include "edge/config.hpp"

#include "schemas/duration.hpp"
#include "schemas/parse_number.hpp"

#include <boost/program_options/value_semantic.hpp>

#include <string>

namespace marquee
{

namespace po = boost::program_options;

namespace
{

/// The error of an option's value, with the option's name in front of the detail.
error option_error(const std::string& option, const error& what)
{
    return fail(errc::bad_request, "--" + option + ": " + what.detail, option);
}

template <class Number>
result<Number> read_count(const po::variables_map& given, const std::string& option, Number lowest, Number highest)
{
    const auto count = parse_number<Number>(given[option].as<std::string>());
    if (!count || *count < lowest || *count > highest)
        return option_error(option, fail(errc::bad_request,
                                         "a number from " + std::to_string(lowest) + " to " + std::to_string(highest)));
    return *count;
}

result<std::chrono::milliseconds> read_time(const po::variables_map& given, const std::string& option)
{
    auto time = parse_duration(given[option].as<std::string>(), shortest_time, longest_time);
    if (time.has_error())
        return option_error(option, time.error());
    return time;
}

} // namespace

void add_edge_options(po::options_description& options)
{
    const auto text = [](const char* fallback, const char* name)
    { return po::value<std::string>()->default_value(fallback)->value_name(name); };
    options.add_options()                                                                                    //
        ("listen", text("127.0.0.1:8080", "HOST:PORT"), "where to take HTTP requests; port 0: any free one") //
        ("admin-listen", text("", "HOST:PORT"),
         "where to serve, and only there, what operators use: changes to /content and /url, DELETE of a user, /metrics "
         "and /services")                                                                                       //
        ("tls-cert", text("", "FILE"), "certificate chain in PEM: HTTPS instead of HTTP; read again on SIGHUP") //
        ("tls-key", text("", "FILE"), "its private key in PEM")                                                 //
        ("threads", text("1", "N"), "io threads, each with its own connection to the broker")                   //
        ("timeout", text("2s", "TIME"), "of a request, in all: 2s, 1500ms or seconds")                          //
        ("admin-token-file", text("", "FILE"),
         "holds the bearer token for changes to /content and /url and for DELETE of a user; read again on change") //
        ("jwt-key", text("", "FILE"),
         "HS256 secret, PEM public key or JWKS: a user's plays and views then need a bearer token of that user; "
         "read again on change")                                                                          //
        ("jwt-issuer", text("", "TEXT"), "what iss in such a token must be")                              //
        ("jwt-audience", text("", "TEXT"), "what aud in such a token must name")                          //
        ("drain-timeout", text("10s", "TIME"), "for requests in flight when stopping")                    //
        ("max-connections", text("10000", "N"), "HTTP connections in all")                                //
        ("max-in-flight", text("1024", "N"), "requests a thread works on at once; beyond it 503")         //
        ("max-live", text("2000", "N"), "live streams (/events/live) in all; beyond it 503")              //
        ("max-media", text("500", "N"), "files of the page and videos being sent at once; beyond it 503") //
        ("web-root", text("", "DIR"),
         "folder with the page's files, index.html first, instead of the one that comes with it")         //
        ("media-root", text("", "DIR"), "folder with the videos under /media/, instead of the two clips") //
        ("no-web", po::bool_switch(), "no page and no videos: the API alone")                             //
        ("batch-views", text("auto", "auto|off"),
         "views of one moment travel in one message where every reporting of the last hour counts such; off: never");
    add_limit_options(options);
}

result<edge_config> read_edge_config(const po::variables_map& given)
{
    edge_config config;
    auto listen = parse_listen_address(given["listen"].as<std::string>());
    if (listen.has_error())
        return option_error("listen", listen.error());
    if (const auto& text = given["admin-listen"].as<std::string>(); !text.empty())
    {
        auto admin = parse_listen_address(text);
        if (admin.has_error())
            return option_error("admin-listen", admin.error());
        config.admin_listen = std::move(*admin);
    }
    auto threads = read_count<unsigned>(given, "threads", 1, 256);
    auto connections = read_count<std::size_t>(given, "max-connections", 1, 1'000'000);
    auto in_flight = read_count<std::size_t>(given, "max-in-flight", 1, 1'000'000);
    auto live = read_count<std::size_t>(given, "max-live", 0, 1'000'000);
    auto media = read_count<std::size_t>(given, "max-media", 0, 1'000'000);
    auto timeout = read_time(given, "timeout");
    auto drain = read_time(given, "drain-timeout");
    for (const auto& wrong : {threads.error(), connections.error(), in_flight.error(), live.error(), media.error(),
                              timeout.error(), drain.error()})
        if (wrong.code != errc{})
            return wrong;
    config.listen = std::move(*listen);
    config.threads = *threads;
    config.max_connections = *connections;
    config.max_in_flight = *in_flight;
    config.max_live = *live;
    config.max_media = *media;
    config.site = {!given["no-web"].as<bool>(), given["web-root"].as<std::string>(),
                   given["media-root"].as<std::string>()};
    for (const auto* option : {"web-root", "media-root"})
        if (!config.site.served && !given[option].as<std::string>().empty())
            return option_error(option, fail(errc::bad_request, "is of no use with --no-web"));
    config.timeout = *timeout;
    config.drain_timeout = *drain;
    const auto& batches = given["batch-views"].as<std::string>();
    if (batches != "auto" && batches != "off")
        return option_error("batch-views", fail(errc::bad_request, "auto or off"));
    config.batch_views = batches == "auto";
    config.admin_token_file = given["admin-token-file"].as<std::string>();
    if (auto limits = read_limit_options(given, config.limits); limits.has_error())
        return limits.error();
    config.tls = {given["tls-cert"].as<std::string>(), given["tls-key"].as<std::string>()};
    if (config.tls.certificate.empty() != config.tls.key.empty())
        return option_error(config.tls.key.empty() ? "tls-cert" : "tls-key",
                            fail(errc::bad_request, "--tls-cert and --tls-key are needed together"));
    config.jwt.key_file = given["jwt-key"].as<std::string>();
    config.jwt.expected = {given["jwt-issuer"].as<std::string>(), given["jwt-audience"].as<std::string>()};
    for (const auto* option : {"jwt-issuer", "jwt-audience"})
        if (config.jwt.key_file.empty() && !given[option].as<std::string>().empty())
            return option_error(option, fail(errc::bad_request, "is of no use without --jwt-key"));
    return config;
}

} // namespace marquee
