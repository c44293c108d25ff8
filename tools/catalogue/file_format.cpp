#include "tools/catalogue/file_format.hpp"

namespace marquee::catalogue_files
{

std::optional<file_format> parse_format(std::string_view name)
{
    if (name == "csv")
        return file_format::csv;
    if (name == "ndjson")
        return file_format::ndjson;
    return std::nullopt;
}

std::optional<file_format> format_of_name(std::string_view path)
{
    if (path.ends_with(".csv") || path.ends_with(".tsv"))
        return file_format::csv;
    if (path.ends_with(".ndjson") || path.ends_with(".jsonl") || path.ends_with(".json"))
        return file_format::ndjson;
    return std::nullopt;
}

file_format format_of_text(std::string_view head)
{
    const auto first = head.find_first_not_of(" \t\r\n");
    return first != std::string_view::npos && head[first] == '{' ? file_format::ndjson : file_format::csv;
}

result<char> parse_delimiter(std::string_view text)
{
    if (text == "tab" || text == "\\t")
        return '\t';
    if (text.size() != 1 || text.find_first_of("\"\r\n\0") != std::string_view::npos ||
        static_cast<unsigned char>(text.front()) >= 0x80)
        return fail(errc::bad_request, "--delimiter: one character, such as ; or tab");
    return text.front();
}

char delimiter_of_name(std::string_view path) { return path.ends_with(".tsv") ? '\t' : ','; }

} // namespace marquee::catalogue_files
