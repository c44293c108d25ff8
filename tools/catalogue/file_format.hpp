// The forms of a file of titles.
#pragma once

#include "schemas/error.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace marquee::catalogue_files
{

enum class file_format : std::uint8_t
{
    csv,
    ndjson,
};

/// `csv` or `ndjson`.
[[nodiscard]] std::optional<file_format> parse_format(std::string_view name);

/// By the end of a file's name: .csv, .tsv; .ndjson, .jsonl, .json. Nothing for another one.
[[nodiscard]] std::optional<file_format> format_of_name(std::string_view path);

/// By the first bytes of a file: JSON begins with `{`.
[[nodiscard]] file_format format_of_text(std::string_view head);

/// One character, `tab` or `\t`. Fails with bad_request for one that cannot separate fields.
[[nodiscard]] result<char> parse_delimiter(std::string_view text);

/// A tab for the name of a .tsv, else a comma.
[[nodiscard]] char delimiter_of_name(std::string_view path);

} // namespace marquee::catalogue_files
