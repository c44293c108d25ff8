// Checks documents against the JSON Schemas of schemas/json.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace marquee::test
{

/// The text of schemas/json/NAME.schema.json. Throws std::runtime_error where there is none.
[[nodiscard]] std::string schema_text(const std::string& name);

/// The text of schemas/NAME.json. Throws std::runtime_error where there is none.
[[nodiscard]] std::string document_text(const std::string& name);

/// The names of all schema files, sorted, without `.schema.json`.
[[nodiscard]] std::vector<std::string> schema_names();

/// What is wrong with a JSON text by the schema NAME, one complaint a line; empty where it fits.
/// Text that is no JSON is a complaint too.
[[nodiscard]] std::string complaints(const std::string& name, std::string_view json);

} // namespace marquee::test
