#include "broker/program/command_line.hpp"
#include "broker/program/options.hpp"
#include "broker/program/progress.hpp"
#include "tools/catalogue/confirmation.hpp"
#include "tools/catalogue/connected_run.hpp"
#include "tools/catalogue/import_command.hpp"
#include "tools/catalogue/missing_titles.hpp"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <iostream>
#include <memory>
#include <utility>
#include <variant>

#include <unistd.h>

namespace
{

using namespace marquee;
using namespace marquee::catalogue_files;
namespace po = boost::program_options;

const char* const name = "marquee-import";

result<std::unique_ptr<title_reader>> open_titles(const import_command& what)
{
    auto file = open_file(what.file);
    if (file.has_error())
        return file.error();
    std::string head;
    auto begun = with_head(std::move(*file), head);
    if (begun.has_error())
        return begun.error();
    const auto by_name = format_of_name(what.file);
    const auto format = what.format ? *what.format : by_name ? *by_name : format_of_text(head);
    if (format == file_format::ndjson)
        return read_json_titles(std::move(*begun), what.from, what.mapping);
    return read_csv_titles(std::move(*begun), what.delimiter.value_or(delimiter_of_name(what.file)), what.from,
                           what.mapping);
}

/// The parts of a run, and what it came to.
struct import_run
{
    const import_command& what;
    title_reader& titles;
    seen_ids seen = seen_ids();
    refusals refused;
    std::unique_ptr<importer> rows = {};
    std::unique_ptr<confirmation> question = {};
    std::unique_ptr<missing_titles> others = {};
    missing_count missing = {};
    deletion_tally deletions = {};
    bool counted = false; ///< the missing titles
    bool declined = false;
    bool withheld = false; ///< nothing is deleted, because rows were refused
    bool stopped = false;
};

asio::awaitable<result<void>> delete_missing(import_run& run, connection& nats)
{
    if (run.refused.count() > 0 || run.seen.size() == 0)
    {
        run.withheld = true;
        co_return result<void>();
    }
    run.others = std::make_unique<missing_titles>(nats, run.seen, run.what.import.patience);
    auto counting = run.others->count();
    const auto found = co_await std::move(counting);
    if (found.has_error())
        co_return found.error();
    if (run.stopped)
        co_return result<void>();
    run.missing = *found;
    run.counted = true;
    if (run.what.import.dry_run || found->titles == 0)
        co_return result<void>();
    if (!run.what.yes)
    {
        run.question = std::make_unique<confirmation>(nats.context());
        auto asking = run.question->ask("delete " + std::to_string(found->titles) + " titles that " + run.what.file +
                                        " does not have?");
        run.declined = !co_await std::move(asking);
        if (run.declined)
            co_return result<void>();
    }
    auto erasing = run.others->erase(*found, run.deletions);
    co_return co_await std::move(erasing);
}

asio::awaitable<result<void>> import_all(import_run& run, connection& nats)
{
    run.rows = std::make_unique<importer>(nats, run.what.import, run.titles, run.seen, run.refused);
    result<void> outcome;
    {
        const auto where = [&run] { return progress_place{run.rows->tally().rows(), run.titles.bytes_read(), 1}; };
        const bool terminal = ::isatty(STDERR_FILENO) == 1;
        const auto interval = terminal ? std::min<std::chrono::milliseconds>(run.what.progress, std::chrono::seconds(1))
                                       : run.what.progress;
        const progress_printer shown(nats.context(), {"rows", run.titles.source().size()}, where, interval);
        auto importing = run.rows->run();
        outcome = co_await std::move(importing);
    }
    if (outcome.has_value() && run.what.delete_missing && !run.rows->stopped())
    {
        auto deleting = delete_missing(run, nats);
        outcome = co_await std::move(deleting);
    }
    const auto written = run.refused.finish();
    co_return outcome.has_error() ? outcome : written;
}

void report(const import_run& run, bool failed)
{
    const auto& rows = run.rows->tally();
    std::cout << (run.what.import.dry_run ? "dry run: new " : "new ") << rows.added << ", changed " << rows.changed
              << ", equal " << rows.equal << ", refused " << rows.refused;
    if (run.counted && run.what.import.dry_run)
        std::cout << ", to be deleted " << run.missing.titles;
    else if (run.counted)
        std::cout << ", deleted " << run.deletions.deleted;
    std::cout << '\n';
    if (run.refused.count() > 0)
        std::cout << "refused rows are in " << run.refused.path() << '\n';
    if (run.withheld)
        std::cout << "nothing is deleted, because "
                  << (run.seen.size() == 0 ? "the file has no title" : "rows were refused") << '\n';
    if (run.declined)
        std::cout << "nothing is deleted\n";
    if (run.deletions.kept > 0)
        std::cout << "kept " << run.deletions.kept << " titles that somebody else has changed meanwhile\n";
    if (failed || run.stopped)
        std::cout << "stopped before the end; the same command goes on, for what is equal is skipped\n";
}

int import_titles(const import_command& what, const connection_options& connect, title_reader& titles)
{
    asio::io_context io(1);
    import_run run{what, titles, seen_ids(), refusals(what.refused)};
    const auto stop = [&run]
    {
        run.stopped = true;
        if (run.rows)
            run.rows->stop();
        if (run.question)
            run.question->cancel();
        if (run.others)
            run.others->stop();
    };
    const auto code =
        run_connected(name, io, connect, {[&run](connection& nats) { return import_all(run, nats); }, stop});
    if (!run.rows) // there is no connection
        return code;
    report(run, code != exit_ok);
    const bool whole = !run.stopped && !run.withheld && run.refused.count() == 0 && run.deletions.kept == 0;
    return code == exit_ok && !whole ? exit_failed : code;
}

} // namespace

int main(int argc, char** argv)
{
    const nats_threads until_the_end;
    const auto check = [](const po::variables_map& given)
    { return check_connection_options(given, selected_context::used); };
    const auto read = read_settings(
        argc, argv,
        {name, import_summary, import_options(), check, "file", {"delete-missing", "yes"}, selected_context::used});
    if (const auto* code = std::get_if<int>(&read))
        return *code;
    const auto& given = std::get<program_settings>(read).values();
    const auto what = read_import_command(given);
    if (what.has_error())
        return wrong_usage(name, what.error());
    const auto connect = read_connection_options(given, selected_context::used);
    if (connect.has_error())
        return wrong_usage(name, connect.error());
    std::signal(SIGPIPE, SIG_IGN); // NOLINT(cert-err33-c): a broken connection is an error code, never a death
    const auto titles = open_titles(*what);
    if (titles.has_error())
        return wrong_usage(name, titles.error());
    return import_titles(*what, *connect, **titles);
}
