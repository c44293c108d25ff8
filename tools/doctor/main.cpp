#include "broker/program/options.hpp"
#include "broker/program/program.hpp"
#include "schemas/duration.hpp"
#include "tools/doctor/checks.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <csignal>
#include <exception>
#include <iostream>
#include <variant>

namespace
{

using namespace marquee;
using namespace marquee::doctor;
namespace po = boost::program_options;

const char* const name = "marquee-doctor";

const char* const summary = R"(examines a running system and this machine, and changes nothing

A line for each thing that was looked at: `ok`, `warning` (it works; views or records may be lost,
or it will soon not work) or `problem`, and under it what cures it. It looks at the broker's
version, JetStream and its limits, the streams EVENTS, KV_metadata and KV_cdnurl (settings, room,
replicas), clocks, the instances of metadata, cdnurl and reporting (whether they answer, their
alarms, versions and rules of counting), the limits of open files of edges and servers on this
machine, and disks. Edges are not asked: `curl EDGE/readyz` does that. With --credentials it tries
the users of `./run --secure`: one thing that each may do, and one that it may not.

Exit code 0: no problem; 1: problems; 2: wrong usage.)";

po::options_description all_options()
{
    po::options_description options("Options");
    options.add_options()("data", po::value<std::vector<std::string>>()->value_name("FOLDER")->composing(),
                          "a folder whose disk is to be looked at, such as the broker's or reporting's; may repeat")(
        "credentials", po::value<std::string>()->value_name("FOLDER"),
        "the seeds of the users of ./run --secure, USER.nk each: also check what these users may do")(
        "timeout", po::value<std::string>()->value_name("TIME")->default_value("2s"), "of each request");
    po::options_description connection("Connection");
    add_connection_options(connection);
    return options.add(connection);
}

asio::awaitable<void> examine(connection& nats, std::chrono::milliseconds timeout, findings& into)
{
    broker_access of{nats, timeout};
    auto broker = check_broker(of, into);
    co_await std::move(broker);
    auto streams = check_streams(of, into);
    co_await std::move(streams);
    auto services = check_services(of, into);
    co_await std::move(services);
    if (const auto& complaint = nats.last_complaint(); !complaint.empty())
        into.push_back({severity::warning, "permissions", "the broker refused this user something, last: " + complaint,
                        ask_as_operator()});
    auto closing = nats.close(deadline::in(std::chrono::seconds(2)));
    co_await std::move(closing);
}

/// What the broker and the services tell.
findings examine_system(const connection_options& how, std::chrono::milliseconds timeout)
{
    findings found;
    asio::io_context io(1);
    auto nats = connection::open(io, how);
    if (nats.has_error())
    {
        found.push_back(
            {severity::problem, "broker",
             nats.error().detail.empty() ? "cannot connect to " + servers_for_log(how) : nats.error().detail,
             "start the broker, or name it with --server"});
        return found;
    }
    asio::co_spawn(io, examine(**nats, timeout, found),
                   [&io](const std::exception_ptr& bug)
                   {
                       if (bug)
                           std::rethrow_exception(bug);
                       io.stop();
                   });
    io.run();
    return found;
}

result<void> check_options(const po::variables_map& given)
{
    return check_connection_options(given, selected_context::used);
}

int wrong_usage(const error& why)
{
    std::cerr << name << ": " << why.detail << " (see --help)\n";
    return exit_usage;
}

} // namespace

int main(int argc, char** argv)
{
    const nats_threads until_the_end;
    const auto read =
        read_settings(argc, argv, {name, summary, all_options(), check_options, {}, {}, selected_context::used});
    if (const auto* code = std::get_if<int>(&read))
        return *code;
    const auto& given = std::get<program_settings>(read).values();
    const auto timeout = parse_duration(given["timeout"].as<std::string>(), std::chrono::milliseconds(1),
                                        std::chrono::milliseconds(std::chrono::minutes(10)));
    if (timeout.has_error())
        return wrong_usage(fail(errc::bad_request, "--timeout: " + timeout.error().detail));
    auto how = read_connection_options(given, selected_context::used);
    if (how.has_error())
        return wrong_usage(how.error());
    how->name = name;
    std::signal(SIGPIPE, SIG_IGN); // NOLINT(cert-err33-c): a broken connection is an error code, never a death

    if (!how->context.empty())
        std::cout << text_of({severity::ok, "context", how->context + ", server " + servers_for_log(*how), {}}) << '\n';
    auto found = examine_system(*how, *timeout);
    if (given.count("credentials") > 0)
        check_users(*how, given["credentials"].as<std::string>(), *timeout, found);
    check_open_files(found);
    if (given.count("data") > 0)
        for (const auto& folder : given["data"].as<std::vector<std::string>>())
            check_disk(folder, found);
    for (const auto& each : found)
        std::cout << text_of(each) << '\n';
    const auto problems = count(found, severity::problem);
    std::cout << problems << (problems == 1 ? " problem, " : " problems, ") << count(found, severity::warning)
              << " warnings\n";
    return problems > 0 ? exit_failed : exit_ok;
}
