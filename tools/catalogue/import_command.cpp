#include "tools/catalogue/import_command.hpp"

#include "broker/program/options.hpp"
#include "broker/program/same_file.hpp"
#include "schemas/duration.hpp"
#include "tools/catalogue/refusals.hpp"

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include <unistd.h>

namespace marquee::catalogue_files
{

namespace po = boost::program_options;

const char* const import_summary = R"(puts the titles of a file into metadata and cdnurl

  marquee-import FILE [options]

FILE is CSV (RFC 4180) with a header, or NDJSON, one object a line; `-` is standard input. Column
`id` names the title, column `url` its URL; every other column is a member of the metadata record
under its own name. What a title has beyond the columns of the file stays as it is.

A cell is a text; an empty one means that the record has no such member, or "" for title, genre and
summary, and leaves a URL as it is. Column `tags`, and those of --array, are lists of texts between
--separator. Values of NDJSON are kept as they are.

A row that is equal to what stands is skipped. So after SIGINT, a crash or a lost connection the same
command goes on where it was. A put is a compare-and-set on what was read: where somebody else was
faster the row is refused. Refused rows do not stop the import: FILE.refused.csv has line, column,
reason and id of each; of several rows with one id the first counts.

Exit code 0: all rows are taken; 1: some are refused, or it could not go on or was stopped; 2: wrong
usage, nothing was done.)";

po::options_description import_options()
{
    const auto many = [] { return po::value<std::vector<std::string>>()->composing(); };
    po::options_description options("Options");
    options.add_options()                                                                                 //
        ("file", po::value<std::string>()->value_name("FILE"), "the titles; the word FILE alone will do") //
        ("format", po::value<std::string>()->value_name("NAME"),
         "csv or ndjson (default: by the name, else by the first bytes)") //
        ("encoding", po::value<std::string>()->value_name("NAME")->default_value("utf8"),
         "utf8, latin1 or windows-1252") //
        ("delimiter", po::value<std::string>()->value_name("C"),
         "between fields of CSV (default: a comma; of .tsv a tab)")                                          //
        ("id", po::value<std::string>()->value_name("COLUMN")->default_value("id"), "the column of the ids") //
        ("map", many()->value_name("MEMBER=COLUMN"), "the column of a member, as in title=Name; may repeat") //
        ("ignore", many()->value_name("COLUMN"), "a column that is left out; may repeat")                    //
        ("array", many()->value_name("MEMBER"), "a member whose cells are lists, as tags are; may repeat")   //
        ("json", many()->value_name("MEMBER"), "a member whose cells are JSON, as numbers are; may repeat")  //
        ("separator", po::value<std::string>()->value_name("TEXT")->default_value("|"),
         "between the texts of a list")                                                                        //
        ("dry-run", po::bool_switch(), "put nothing; say how many rows would be new, changed, equal, refused") //
        ("refused", po::value<std::string>()->value_name("FILE"),
         "the file of refused rows (default: FILE.refused.csv)") //
        ("delete-missing", po::bool_switch(),
         "afterwards delete the titles that FILE does not have; not where a row was refused") //
        ("yes", po::bool_switch(), "delete without a question")                               //
        ("timeout", po::value<std::string>()->value_name("TIME")->default_value("30s"),
         "give up when nothing was answered for so long") //
        ("progress", po::value<std::string>()->value_name("TIME")->default_value("10s"),
         "how often to say how far it is; on a terminal each second");
    po::options_description connection("Connection");
    add_connection_options(connection);
    return options.add(connection);
}

namespace
{

std::vector<std::string> list_of(const po::variables_map& given, const char* option)
{
    return given.count(option) > 0 ? given[option].as<std::vector<std::string>>() : std::vector<std::string>();
}

result<column_mapping> read_mapping(const po::variables_map& given)
{
    column_mapping out;
    out.id = given["id"].as<std::string>();
    for (const auto& pair : list_of(given, "map"))
    {
        const auto at = pair.find('=');
        if (at == std::string::npos || at == 0 || at + 1 == pair.size())
            return fail(errc::bad_request, "--map: MEMBER=COLUMN, as in title=Name");
        out.from.emplace_back(pair.substr(0, at), pair.substr(at + 1));
        const auto& member = out.from.back().first;
        if (member == "id")
            return fail(errc::bad_request, "--map: the column of the ids is that of --id");
        if (std::count_if(out.from.begin(), out.from.end(), [&](const auto& each) { return each.first == member; }) > 1)
            return fail(errc::bad_request, "--map: two columns for the member " + member);
    }
    const auto set_of = [&](const char* option)
    {
        const auto list = list_of(given, option);
        return std::set<std::string>(list.begin(), list.end());
    };
    out.ignored = set_of("ignore");
    out.arrays = set_of("array");
    out.json = set_of("json");
    out.separator = given["separator"].as<std::string>();
    if (out.ignored.contains(out.id))
        return fail(errc::bad_request, "--ignore: the column of the ids is needed");
    if (out.separator.empty())
        return fail(errc::bad_request, "--separator: is empty");
    return out;
}

result<std::chrono::milliseconds> read_time(const po::variables_map& given, const char* option)
{
    const auto time = parse_duration(given[option].as<std::string>(), std::chrono::milliseconds(10),
                                     std::chrono::milliseconds(std::chrono::hours(24)));
    if (time.has_error())
        return fail(errc::bad_request, std::string("--") + option + ": " + time.error().detail);
    return time;
}

/// Reads the options that say how the file is read.
result<void> read_file_options(const po::variables_map& given, import_command& out)
{
    if (given.count("file") == 0)
        return fail(errc::bad_request, "which FILE?");
    out.file = given["file"].as<std::string>();
    if (given.count("format") > 0)
    {
        out.format = parse_format(given["format"].as<std::string>());
        if (!out.format)
            return fail(errc::bad_request, "--format: csv or ndjson");
    }
    const auto from = parse_encoding(given["encoding"].as<std::string>());
    if (!from)
        return fail(errc::bad_request, "--encoding: utf8, latin1 or windows-1252");
    out.from = *from;
    if (given.count("delimiter") > 0)
    {
        const auto delimiter = parse_delimiter(given["delimiter"].as<std::string>());
        if (delimiter.has_error())
            return delimiter.error();
        out.delimiter = *delimiter;
    }
    auto mapping = read_mapping(given);
    if (mapping.has_error())
        return mapping.error();
    out.mapping = std::move(*mapping);
    return {};
}

} // namespace

result<import_command> read_import_command(const po::variables_map& given)
{
    import_command out;
    if (const auto read = read_file_options(given, out); read.has_error())
        return read.error();
    out.import.separator = out.mapping.separator;
    out.import.dry_run = given["dry-run"].as<bool>();
    out.refused = given.count("refused") > 0 ? given["refused"].as<std::string>()
                                             : (out.file == "-" ? "stdin" : out.file) + ".refused.csv";
    if (is_same_file(out.refused, out.file))
        return fail(errc::bad_request, "--refused: a file of its own");
    if (const auto free = refusals::may_replace(out.refused); free.has_error())
        return free.error();
    out.delete_missing = given["delete-missing"].as<bool>();
    out.yes = given["yes"].as<bool>();
    if (out.delete_missing && !out.yes && !out.import.dry_run && (out.file == "-" || ::isatty(STDIN_FILENO) != 1))
        return fail(errc::bad_request, "--delete-missing asks before it deletes: without a terminal it needs --yes");
    const auto timeout = read_time(given, "timeout");
    if (timeout.has_error())
        return timeout.error();
    out.import.patience = *timeout;
    const auto progress = read_time(given, "progress");
    if (progress.has_error())
        return progress.error();
    out.progress = *progress;
    return out;
}

} // namespace marquee::catalogue_files
