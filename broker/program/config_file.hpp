// Configuration files: lines of `name = value`.
#pragma once

#include "schemas/error.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace marquee
{

/// One value of a configuration file.
struct config_line
{
    std::string name;  ///< lower-case letters, digits and hyphens
    std::string value; ///< without blanks around it; may be empty
    std::size_t number = 0;
};

constexpr std::size_t max_config_line_bytes = 8192;

/// Reads the lines of `text` in order. A line is `name = value`, empty, or a comment: one whose
/// first character is `#`. A `#` elsewhere belongs to the value, and so do quotes. Lines end with
/// LF or CRLF. Fails with bad_request; the detail begins with `path:LINE: ` and repeats nothing
/// that may be a secret.
[[nodiscard]] result<std::vector<config_line>> parse_config(std::string_view text, const std::string& path);

/// The values of a file, and what its mode lets others do.
struct config_file
{
    std::vector<config_line> lines;
    bool others_write = false; ///< the group, or everybody
    bool all_read = false;
};

/// Reads a file of up to 1 MiB. Fails with bad_request, and a detail that names the file, where it
/// cannot be read, is not a regular file, or parse_config() fails.
[[nodiscard]] result<config_file> read_config_file(const std::string& path);

} // namespace marquee
