// The command line of marquee-import.
#pragma once

#include "tools/catalogue/file_format.hpp"
#include "tools/catalogue/importer.hpp"
#include "tools/catalogue/title.hpp"

#include <boost/program_options/options_description.hpp>
#include <boost/program_options/variables_map.hpp>

#include <chrono>
#include <optional>
#include <string>

namespace marquee::catalogue_files
{

struct import_command
{
    std::string file;
    std::optional<file_format> format;
    std::optional<char> delimiter;
    encoding from = encoding::utf8;
    column_mapping mapping;
    import_settings import;
    std::string refused;
    bool delete_missing = false;
    bool yes = false;
    std::chrono::milliseconds progress{0};
};

/// What --help says before the options.
extern const char* const import_summary;

[[nodiscard]] boost::program_options::options_description import_options();

/// Fails with bad_request; the detail names the option.
[[nodiscard]] result<import_command> read_import_command(const boost::program_options::variables_map& given);

} // namespace marquee::catalogue_files
