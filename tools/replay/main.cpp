#include "broker/base/log.hpp"
#include "broker/program/options.hpp"
#include "broker/program/program.hpp"
#include "broker/program/progress.hpp"
#include "broker/program/same_file.hpp"
#include "tools/replay/check.hpp"
#include "tools/replay/replayer.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/signal_set.hpp>

#include <csignal>
#include <cstdlib>
#include <iostream>
#include <utility>

#include <unistd.h>

namespace
{

using namespace marquee;
using namespace marquee::replay;
namespace po = boost::program_options;

const char* const name = "marquee-replay";

const char* const summary = R"(publishes a file of events to stream EVENTS, in order and pipelined

  marquee-replay FILE [options]

A line of FILE is a payload of subject `events`: an event {…} as it is, sent with its id as
Nats-Msg-Id; a JSON string "…" whose text is sent without one; or ["latin1","…"], the same for bytes
that are no UTF-8. A payload that is no valid event is sent too: reporting rejects it, and the log
names the line. Blank lines are ignored. Any other line ends the replay with its number and the
reason; with --skip-bad it is written to that file instead, and so is a line larger than the broker
takes.

FILE may be `-`, standard input, or a FIFO: a stream, of which no state is kept.

--check sends nothing and needs no broker: it prints each line that cannot be sent, and each that
reporting will reject, with the reason. Exit code 1: there are lines that cannot be sent.

SIGINT or SIGTERM: nothing more is sent, what was sent gets settled, and the next run with the same
FILE goes on there. Exit code 0: all is acknowledged, or it was stopped so; 1: it could not go on,
nothing is lost, the next run goes on there; 2: wrong usage.

After a crash (kill -9, power cut) the next run goes on from the last state written, at most half a
second old: what was acknowledged since then is sent again. The same holds for what was under way
when the broker went away. An event with an id is counted once all the same; one without an id
(`asset:user`) may be counted twice.

What follows the lines that were acknowledged may be corrected between two runs, and the file may
grow; what is before them may not change.

--batch N sends up to N valid events {…} with ids in one message, one a line, as an edge does. JetStream
then does not see their ids: reporting alone finds those that come twice.

--loop begins anew at the end, until it is stopped. Each round counts: from the second on, an
event's id ends in `.rN`, N being the round.)";

struct command
{
    replay_settings replay;
    bool restart = false;
    bool check = false;
    std::chrono::milliseconds progress{0};
};

po::options_description all_options()
{
    po::options_description options("Options");
    options.add_options()                                                                                       //
        ("file", po::value<std::string>()->value_name("FILE"), "the events; the word FILE alone will do")       //
        ("rate", po::value<double>()->value_name("N"), "events a second (default: as many as JetStream takes)") //
        ("batch", po::value<std::size_t>()->value_name("N")->default_value(1),
         "as many events of consecutive lines share a message, up to 256 and 64 KiB")                             //
        ("loop", po::bool_switch(), "begin anew at the end, with fresh ids")                                      //
        ("state", po::value<std::string>()->value_name("FILE"), "how far the replay is (default: FILE.progress)") //
        ("restart", po::bool_switch(), "forget how far an earlier run came")                                      //
        ("skip-bad", po::value<std::string>()->value_name("FILE"),
         "append lines that cannot be sent to FILE and go on")                     //
        ("check", po::bool_switch(), "send nothing; say what a replay would meet") //
        ("timeout", po::value<double>()->value_name("SECONDS")->default_value(30),
         "give up when nothing was acknowledged for so long") //
        ("progress", po::value<double>()->value_name("SECONDS"),
         "how often to say how far it is (default: 1 on a terminal, else 10)");
    po::options_description connection("Connection");
    add_connection_options(connection);
    return options.add(connection);
}

result<std::chrono::milliseconds> read_seconds(const po::variables_map& given, const char* option)
{
    const auto seconds = given[option].as<double>();
    if (!(seconds >= 0.001 && seconds <= 1e6))
        return fail(errc::bad_request, std::string("--") + option + ": seconds, from 0.001 to 1000000");
    return std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000));
}

/// Reads the options that name files.
result<void> read_files(const po::variables_map& given, command& out)
{
    if (given.count("file") == 0)
        return fail(errc::bad_request, "which FILE?");
    auto& replay = out.replay;
    replay.file = given["file"].as<std::string>();
    out.check = given["check"].as<bool>();
    replay.loop = given["loop"].as<bool>();
    out.restart = given["restart"].as<bool>();
    if (replay.file == "-" && (replay.loop || given.count("state") > 0))
        return fail(errc::bad_request, "standard input has no state and cannot be read again: no --loop, no --state");
    if (given.count("skip-bad") > 0)
        replay.skip_file = given["skip-bad"].as<std::string>();
    replay.state_file = given.count("state") > 0 ? given["state"].as<std::string>() : replay.file + ".progress";
    if (!replay.skip_file.empty() &&
        (is_same_file(replay.skip_file, replay.file) || is_same_file(replay.skip_file, replay.state_file)))
        return fail(errc::bad_request, "--skip-bad: a file of its own");
    return {};
}

result<command> read_command(const po::variables_map& given)
{
    command out;
    if (const auto files = read_files(given, out); files.has_error())
        return files.error();
    if (given.count("rate") > 0)
    {
        out.replay.rate = given["rate"].as<double>();
        if (!(out.replay.rate >= 0.001 && out.replay.rate <= 1e9))
            return fail(errc::bad_request, "--rate: events a second, from 0.001 to 1000000000");
    }
    out.replay.batch = given["batch"].as<std::size_t>();
    if (out.replay.batch < 1 || out.replay.batch > 256)
        return fail(errc::bad_request, "--batch: events a message, from 1 to 256");
    const auto timeout = read_seconds(given, "timeout");
    if (timeout.has_error())
        return timeout.error();
    out.replay.timeout = *timeout;
    out.progress = std::chrono::seconds(::isatty(STDERR_FILENO) == 1 ? 1 : 10);
    if (given.count("progress") > 0)
    {
        const auto progress = read_seconds(given, "progress");
        if (progress.has_error())
            return progress.error();
        out.progress = *progress;
    }
    return out;
}

/// Returns the progress of an earlier run, whose part of the file must be unchanged, or the start.
result<replay_progress> find_start(const command& what)
{
    replay_progress start;
    if (what.restart || what.replay.state_file.empty())
        return start;
    const auto earlier = load_progress(what.replay.state_file);
    if (earlier.has_error())
        return fail(errc::bad_request, earlier.error().detail + " (--restart begins anew)");
    if (!*earlier)
        return start;
    const auto beginning = prefix_digest(what.replay.file).up_to((*earlier)->file.size);
    if (beginning.has_error())
        return fail(errc::bad_request, beginning.error().detail + " (--restart begins anew)");
    if (*beginning != (*earlier)->file)
        return fail(errc::bad_request, what.replay.file + ": the part that was sent has changed since the run that " +
                                           what.replay.state_file + " tells of (--restart begins anew)");
    return **earlier;
}

void report(const tally& counts)
{
    std::cout << "acknowledged " << counts.acknowledged << ", duplicate " << counts.duplicate << ", rejected "
              << counts.rejected << ", refused " << counts.refused;
    if (counts.skipped > 0)
        std::cout << ", skipped " << counts.skipped;
    std::cout << '\n';
}

void report(const replayer& done, bool whole, bool stream)
{
    const auto& p = done.progress();
    report(p.counts);
    if (!whole && stream)
        std::cout << "stopped after line " << p.at.line << "; a stream keeps no state\n";
    else if (!whole)
        std::cout << "stopped in round " << p.round << " after line " << p.at.line << "; the next run goes on there\n";
    if (const auto uncertain = done.uncertain(); uncertain > 0)
        std::cout << uncertain << " events without an id were under way and may be counted twice\n";
}

int run(const command& what, const connection_options& connect, const replay_progress& start, line_reader lines)
{
    const auto size = lines.size();
    if (!connect.context.empty()) // before anything is changed where that leads
        std::cerr << name << ": context " << connect.context << ", server " << servers_for_log(connect) << '\n';
    asio::io_context io(1);
    auto nats = connection::open(io, connect);
    if (nats.has_error())
    {
        log(log_level::error, nats.error().detail.empty() ? "cannot connect" : nats.error().detail);
        return nats.error() == errc::bad_request ? exit_usage : exit_failed;
    }
    replayer replay(**nats, what.replay, start, std::move(lines));
    asio::signal_set signals(io, SIGINT, SIGTERM);
    std::function<void()> await_signal = [&]
    {
        signals.async_wait(
            [&](boost::system::error_code cancelled, int)
            {
                if (cancelled)
                    return;
                if (replay.stopped())
                    std::_Exit(exit_failed);
                replay.stop();
                await_signal();
            });
    };
    await_signal();
    log(log_level::info, "replaying", {{"file", what.replay.file}, {"from_line", std::to_string(start.at.line + 1)}});
    result<void> outcome;
    auto work = [&]() -> asio::awaitable<void>
    {
        outcome = co_await replay.run();
        co_await (*nats)->close(deadline::in(std::chrono::seconds(2)));
    };
    asio::co_spawn(io, work,
                   [&](const std::exception_ptr& bug)
                   {
                       if (bug)
                           std::rethrow_exception(bug);
                       io.stop();
                   });
    {
        const auto where = [&replay]
        {
            const auto& at = replay.progress();
            return progress_place{at.counts.acknowledged, at.at.offset, at.round};
        };
        const progress_printer progress(io, {"events", size}, where, what.progress);
        io.run();
    }
    if (outcome.has_error())
        log(log_level::error, outcome.error().detail);
    report(replay, outcome.has_value() && !replay.stopped(), what.replay.state_file.empty());
    return outcome.has_error() ? exit_failed : exit_ok;
}

int failed(const error& why)
{
    log(log_level::error, why.detail);
    return exit_failed;
}

int check(line_reader lines)
{
    const auto outcome = check_lines(lines, std::cout);
    if (outcome.has_error())
        return failed(outcome.error());
    std::cout << "events " << outcome->events << ", to be rejected " << outcome->rejected << ", bad lines "
              << outcome->bad << '\n';
    return outcome->bad > 0 ? exit_failed : exit_ok;
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
        read_settings(argc, argv, {name, summary, all_options(), check_options, "file", {}, selected_context::used});
    if (const auto* code = std::get_if<int>(&read))
        return *code;
    const auto& given = std::get<program_settings>(read).values();
    auto what = read_command(given);
    if (what.has_error())
        return wrong_usage(what.error());
    auto connect = read_connection_options(given, selected_context::used);
    connect->name = name;
    std::signal(SIGPIPE, SIG_IGN); // NOLINT(cert-err33-c): a broken connection is an error code, never a death
    const auto regular = is_regular_file(what->replay.file);
    if (regular.has_error())
        return failed(regular.error());
    if (!*regular && what->replay.loop)
        return wrong_usage(fail(errc::bad_request, "--loop needs a file that can be read again"));
    if (!*regular)
        what->replay.state_file.clear();
    auto start = what->check ? result<replay_progress>(replay_progress()) : find_start(*what);
    if (start.has_error())
        return failed(start.error());
    auto lines = line_reader::open(what->replay.file, start->at);
    if (lines.has_error())
        return failed(lines.error());
    if (what->check)
        return check(std::move(*lines));
    if (!what->replay.loop && start->at.line > 0 && start->at.offset == lines->size())
    {
        log(log_level::info, "all of it is acknowledged already (--restart begins anew)",
            {{"file", what->replay.file}});
        report(start->counts);
        return exit_ok;
    }
    return run(*what, *connect, *start, std::move(*lines));
}
