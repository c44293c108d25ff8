// Cells of CSV as JSON values, and back.
#pragma once

#include "schemas/error.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace marquee::catalogue_files
{

/// What the cells of a column are.
enum class cell_kind : std::uint8_t
{
    text,
    list, ///< texts between separators, or a JSON array
    json,
};

/// The value of a cell as JSON; empty for an empty cell: no value. Fails with bad_request.
/// `separator` is not empty. Thread-safe.
[[nodiscard]] result<std::string> value_of_cell(const std::string& cell, cell_kind kind, std::string_view separator);

/// The cell of a JSON value: the text of a string; nothing for null; texts joined by `separator`
/// for an array of strings, where value_of_cell() makes that array of it; any other value as it is
/// written. Thread-safe.
[[nodiscard]] std::string cell_of_value(std::string_view raw, std::string_view separator);

} // namespace marquee::catalogue_files
