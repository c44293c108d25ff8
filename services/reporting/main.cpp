#include "broker/jetstream/state_streams.hpp"
#include "broker/program/log_options.hpp"
#include "broker/program/options.hpp"
#include "broker/program/trace_options.hpp"
#include "services/reporting/option_values.hpp"
#include "services/reporting/projection/backup.hpp"
#include "services/reporting/reporting_service.hpp"

#include <iostream>

namespace po = boost::program_options;

namespace
{

po::options_description all_options()
{
    po::options_description database("Database");
    database.add_options() //
        ("db", po::value<std::string>()->value_name("FILE")->default_value("./reporting.db"),
         "SQLite file of the counts; created where it is missing. One process per file: it is locked by FILE.lock") //
        ("dedupe-window",
         po::value<marquee::duration_option>()->value_name("TIME")->default_value({std::chrono::hours(24)}, "24h"),
         "an event whose id was counted less than this earlier is a duplicate (500ms, 90s, 15m, 24h, 7d)") //
        ("rebuild", po::bool_switch(),
         "count the stream anew from its start, into FILE.new; the counts that are there serve meanwhile, where they "
         "fit the stream, and are kept as FILE.old. Done once, as long as this option stays") //
        ("backup", po::value<std::string>()->value_name("COPY"),
         "copy the counts of FILE, as they are at one moment, to COPY and exit; an instance that uses FILE goes on") //
        ("accept-loss", po::bool_switch(),
         "go on although events that were never counted are gone from the stream, and, at the start, behind the end of "
         "one that is not the one that was counted; the counts stay. With a rebuild: take its counts although the "
         "stream's start is gone");
    po::options_description stream("Stream EVENTS; all but the last only where it is missing and gets made");
    stream.add_options() //
        ("replicas", po::value<marquee::replicas_option>()->value_name("N")->default_value({1}),
         "copies on a NATS cluster, 1 to 5") //
        ("max-age", po::value<marquee::duration_option>()->value_name("TIME"),
         "drop events older than this (default: never)") //
        ("max-bytes", po::value<marquee::size_option>()->value_name("SIZE"),
         "refuse new events beyond this size, e.g. 10G (default: no limit)") //
        ("allow-discard-old", po::bool_switch(), "accept a stream that drops its oldest events when it is full");
    po::options_description options("Connection");
    marquee::add_connection_options(options);
    marquee::add_reply_options(options);
    marquee::add_access_log_options(options);
    marquee::add_trace_options(options);
    return options.add(database).add(stream);
}

marquee::reporting_settings read_reporting_settings(const po::variables_map& given)
{
    marquee::reporting_settings settings;
    settings.database.path = given["db"].as<std::string>();
    settings.database.dedupe_window = given["dedupe-window"].as<marquee::duration_option>().value;
    settings.rebuild = given["rebuild"].as<bool>();
    settings.database.accept_loss = given["accept-loss"].as<bool>();
    settings.stream = marquee::events_stream();
    settings.stream.allow_discard_old = given["allow-discard-old"].as<bool>();
    settings.stream.replicas = given["replicas"].as<marquee::replicas_option>().value;
    if (given.count("max-age") > 0)
        settings.stream.max_age = given["max-age"].as<marquee::duration_option>().value;
    if (given.count("max-bytes") > 0)
        settings.stream.max_bytes = given["max-bytes"].as<marquee::size_option>().value;
    return settings;
}

marquee::result<void> check_options(const po::variables_map& given)
{
    if (given.count("backup") > 0) // connects to nothing
        return {};
    if (auto traces = marquee::check_trace_options(given); traces.has_error())
        return traces;
    return marquee::check_connection_options(given);
}

int copy_counts(const std::string& program, const std::string& file, const std::string& copy)
{
    const auto copied = marquee::back_up(file, copy);
    if (copied.has_error())
    {
        std::cerr << program << ": " << copied.error().detail << '\n';
        return copied.error() == marquee::errc::bad_request ? marquee::exit_usage : marquee::exit_failed;
    }
    std::cout << copy << ": " << copied->applied << " views, counted up to sequence " << copied->last_sequence << '\n';
    return marquee::exit_ok;
}

} // namespace

int main(int argc, char** argv)
{
    const marquee::nats_threads until_the_end;
    marquee::block_sighup();
    const std::string name = "marquee-reporting";
    const auto read = marquee::read_settings(
        argc, argv, {name, "Views of each asset and of each user", all_options(), check_options, {}, {"backup"}});
    if (const auto* code = std::get_if<int>(&read))
        return *code;
    const auto& settings = std::get<marquee::program_settings>(read);
    const auto& given = settings.values();
    if (given.count("backup") > 0)
        return copy_counts(name, given["db"].as<std::string>(), given["backup"].as<std::string>());
    auto connect = marquee::read_connection_options(given).value();
    connect.name = name;
    const auto reporting = read_reporting_settings(given);
    const auto traces = marquee::start_export(given, name, connect.instance);
    if (traces.has_error())
        return marquee::report_unusable(traces.error());
    return marquee::run_program(
        connect, std::chrono::seconds(10),
        [&](marquee::connection& nats, marquee::fatal_handler fatal)
        { return marquee::start_reporting(nats, reporting, std::move(fatal)); },
        &settings);
}
