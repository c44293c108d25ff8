#include "broker/program/command_line.hpp"
#include "broker/program/options.hpp"
#include "schemas/duration.hpp"
#include "tools/catalogue/connected_run.hpp"
#include "tools/catalogue/csv_rows.hpp"
#include "tools/catalogue/exporter.hpp"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <utility>
#include <variant>

namespace
{

using namespace marquee;
using namespace marquee::catalogue_files;
namespace po = boost::program_options;

const char* const name = "marquee-export";

const char* const summary = R"(writes the titles of metadata and cdnurl to a file

  marquee-export FILE [options]

FILE is CSV (RFC 4180) with a header, or NDJSON, one object a line, in byte order of the ids; without
FILE, or with `-`, it is standard output. marquee-import takes the file as it is, and finds all rows
equal.

The columns of CSV are id, title, genre, summary, url, and every other member of a record in the
order in which they first come. A list of texts is written with --separator between them, any other
value that is no text as JSON. A field is in quotes where it has the delimiter, a quote or a line
break. NDJSON keeps every value as it is.

FILE is replaced when all is written: a failed export leaves the one that was there. Exit code 0: all
is written; 1: it is not; 2: wrong usage.)";

po::options_description all_options()
{
    po::options_description options("Options");
    options.add_options() //
        ("file", po::value<std::string>()->value_name("FILE")->default_value("-"),
         "the titles; the word FILE alone will do")                                                                //
        ("format", po::value<std::string>()->value_name("NAME"), "csv or ndjson (default: by the name, else csv)") //
        ("columns", po::value<std::string>()->value_name("LIST"), "the columns of CSV, in order: id,title,year")   //
        ("views", po::bool_switch(), "add the views of each title, as column or member `views`")                   //
        ("delimiter", po::value<std::string>()->value_name("C"),
         "between fields of CSV (default: a comma; of .tsv a tab)") //
        ("separator", po::value<std::string>()->value_name("TEXT")->default_value("|"),
         "between the texts of a list")                     //
        ("crlf", po::bool_switch(), "end lines with CR LF") //
        ("timeout", po::value<std::string>()->value_name("TIME")->default_value("30s"),
         "give up when nothing was answered for so long");
    po::options_description connection("Connection");
    add_connection_options(connection);
    return options.add(connection);
}

result<std::vector<std::string>> read_columns(const std::string& list)
{
    csv_rows rows(text_source(list, list.size()), ',');
    csv_row names;
    const auto read = rows.next(names, true);
    if (read.has_error() || *read == read_outcome::end || !names.fault.empty())
        return fail(errc::bad_request, "--columns: names with commas between them");
    const std::set<std::string> different(names.fields.begin(), names.fields.end());
    if (different.size() != names.fields.size() || different.contains(""))
        return fail(errc::bad_request, "--columns: a name is empty or there twice");
    return std::move(names.fields);
}

result<export_settings> read_command(const po::variables_map& given, const std::string& file)
{
    export_settings out;
    out.format = format_of_name(file).value_or(file_format::csv);
    if (given.count("format") > 0)
    {
        const auto format = parse_format(given["format"].as<std::string>());
        if (!format)
            return fail(errc::bad_request, "--format: csv or ndjson");
        out.format = *format;
    }
    if (given.count("columns") > 0)
    {
        if (out.format != file_format::csv)
            return fail(errc::bad_request, "--columns: NDJSON has none");
        auto columns = read_columns(given["columns"].as<std::string>());
        if (columns.has_error())
            return columns.error();
        out.columns = std::move(*columns);
    }
    out.views = given["views"].as<bool>();
    out.delimiter = delimiter_of_name(file);
    if (given.count("delimiter") > 0)
    {
        const auto delimiter = parse_delimiter(given["delimiter"].as<std::string>());
        if (delimiter.has_error())
            return delimiter.error();
        out.delimiter = *delimiter;
    }
    out.separator = given["separator"].as<std::string>();
    if (out.separator.empty())
        return fail(errc::bad_request, "--separator: is empty");
    out.line_end = given["crlf"].as<bool>() ? "\r\n" : "\n";
    const auto timeout = parse_duration(given["timeout"].as<std::string>(), std::chrono::milliseconds(10),
                                        std::chrono::milliseconds(std::chrono::hours(24)));
    if (timeout.has_error())
        return fail(errc::bad_request, "--timeout: " + timeout.error().detail);
    out.patience = *timeout;
    return out;
}

int export_titles(const export_settings& settings, const connection_options& connect, std::ostream& out)
{
    asio::io_context io(1);
    std::unique_ptr<exporter> running;
    const auto run = [&](connection& nats)
    {
        running = std::make_unique<exporter>(nats, settings, out);
        return running->run();
    };
    const auto stop = [&]
    {
        if (running)
            running->stop();
    };
    const auto code = run_connected(name, io, connect, {run, stop});
    if (!running)
        return code;
    for (const auto& member : running->left_out())
        std::cerr << name << ": member " << member << " of some records is left out: the file has no place for it\n";
    std::cerr << running->titles() << " titles\n";
    return code;
}

int export_to_file(const export_settings& settings, const connection_options& connect, const std::string& file)
{
    const auto part = file + ".part";
    std::ofstream out(part, std::ios::binary | std::ios::trunc);
    if (!out)
        return wrong_usage(
            name, fail(errc::bad_request, part + ": " + std::strerror(errno))); // NOLINT(concurrency-mt-unsafe)
    auto code = export_titles(settings, connect, out);
    out.close();
    std::error_code ec;
    if (code == exit_ok && out)
        std::filesystem::rename(part, file, ec);
    else
        std::filesystem::remove(part, ec);
    if (code == exit_ok && (!out || ec))
    {
        std::cerr << name << ": " << file << ": cannot be written\n";
        code = exit_failed;
    }
    return code;
}

} // namespace

int main(int argc, char** argv)
{
    const nats_threads until_the_end;
    const auto check = [](const po::variables_map& given)
    { return check_connection_options(given, selected_context::used); };
    const auto read =
        read_settings(argc, argv, {name, summary, all_options(), check, "file", {}, selected_context::used});
    if (const auto* code = std::get_if<int>(&read))
        return *code;
    const auto& given = std::get<program_settings>(read).values();
    const auto file = given["file"].as<std::string>();
    const auto settings = read_command(given, file);
    if (settings.has_error())
        return wrong_usage(name, settings.error());
    const auto connect = read_connection_options(given, selected_context::used);
    if (connect.has_error())
        return wrong_usage(name, connect.error());
    std::signal(SIGPIPE, SIG_IGN); // NOLINT(cert-err33-c): a broken connection is an error code, never a death
    return file == "-" ? export_titles(*settings, *connect, std::cout) : export_to_file(*settings, *connect, file);
}
