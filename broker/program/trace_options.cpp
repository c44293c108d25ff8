#include "broker/program/trace_options.hpp"

#include "broker/base/log.hpp"
#include "broker/program/command_line.hpp"

namespace marquee
{

namespace po = boost::program_options;

namespace
{

std::string text_of(const po::variables_map& given, const char* option)
{
    return given.count(option) > 0 ? given[option].as<std::string>() : std::string();
}

/// Empty without --otlp.
result<exporter_settings> read_trace_options(const po::variables_map& given)
{
    exporter_settings settings;
    settings.headers_file = text_of(given, "otlp-headers-file");
    if (const auto endpoint = text_of(given, "otlp"); !endpoint.empty())
    {
        auto url = traces_url(endpoint);
        if (url.has_error())
            return fail(errc::bad_request, "--otlp: " + url.error().detail, "otlp");
        settings.url = std::move(*url);
    }
    else if (!settings.headers_file.empty())
        return fail(errc::bad_request, "--otlp-headers-file: is of no use without --otlp", "otlp-headers-file");
    return settings;
}

} // namespace

void add_trace_options(po::options_description& options)
{
    options.add_options() //
        ("otlp", po::value<std::string>()->value_name("URL"),
         "send the spans of sampled traces to this OpenTelemetry collector, by OTLP over HTTP; http://HOST:4318 stands "
         "for http://HOST:4318/v1/traces") //
        ("otlp-headers-file", po::value<std::string>()->value_name("FILE"),
         "headers for it, NAME=VALUE a line; read again on change");
}

result<void> check_trace_options(const po::variables_map& given)
{
    if (auto read = read_trace_options(given); read.has_error())
        return read.error();
    return {};
}

result<std::unique_ptr<otlp_exporter>> start_export(const po::variables_map& given, const std::string& program,
                                                    const std::string& instance)
{
    auto settings = read_trace_options(given);
    if (settings.has_error())
        return settings.error();
    if (settings->url.empty())
        return std::unique_ptr<otlp_exporter>();
    settings->resource = {program, instance, MARQUEE_VERSION};
    auto started = otlp_exporter::start(std::move(*settings));
    if (started.has_value())
        set_process_sink(started->get());
    return started;
}

int report_unusable(const error& why)
{
    log(log_level::error, "cannot start", {{"error", std::string(name_of(why.code))}, {"detail", why.detail}});
    return exit_usage;
}

} // namespace marquee
