// The parts of a JSON text as they are written, so that a value can be kept byte for byte.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace marquee::catalogue_files
{

/// A member of an object: its name, and its value as it is written.
struct raw_member
{
    std::string name;
    std::string_view value;
};

/// The members of an object, in order; nothing where `text` is no JSON object of at most 32 levels.
/// The values refer to `text`. Thread-safe.
[[nodiscard]] std::optional<std::vector<raw_member>> members_of_object(std::string_view text);

/// The elements of an array; nothing where `text` is no JSON array of at most 32 levels.
/// Thread-safe.
[[nodiscard]] std::optional<std::vector<std::string_view>> elements_of_array(std::string_view text);

/// The text of a JSON string; nothing where `raw` is none. Thread-safe.
[[nodiscard]] std::optional<std::string> text_of_string(std::string_view raw);

/// Whether two values are equal, however they are written. Thread-safe.
[[nodiscard]] bool is_same_value(std::string_view one, std::string_view other);

/// Why `text` is no JSON; empty: it is. Thread-safe.
[[nodiscard]] std::string fault_of_json(std::string_view text);

} // namespace marquee::catalogue_files
