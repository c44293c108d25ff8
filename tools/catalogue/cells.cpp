#include "tools/catalogue/cells.hpp"

#include "schemas/json.hpp"
#include "tools/catalogue/raw_json.hpp"

namespace marquee::catalogue_files
{
namespace
{

std::string split(const std::string& cell, std::string_view separator)
{
    std::string list = "[";
    for (std::size_t from = 0;;)
    {
        const auto end = cell.find(separator, from);
        list += encode_string(cell.substr(from, end == std::string::npos ? end : end - from));
        if (end == std::string::npos)
            return list += ']';
        list += ',';
        from = end + separator.size();
    }
}

} // namespace

result<std::string> value_of_cell(const std::string& cell, cell_kind kind, std::string_view separator)
{
    if (cell.empty())
        return std::string();
    switch (kind)
    {
    case cell_kind::text:
        return encode_string(cell);
    case cell_kind::list:
        if (cell.front() == '[' && elements_of_array(cell))
            return cell;
        return split(cell, separator);
    case cell_kind::json:
        if (auto fault = fault_of_json(cell); !fault.empty())
            return fail(errc::bad_request, std::move(fault));
        return cell;
    }
    return std::string();
}

std::string cell_of_value(std::string_view raw, std::string_view separator)
{
    if (raw.empty() || raw == "null" || raw == "[]")
        return {};
    if (auto text = text_of_string(raw))
        return std::move(*text);
    const auto elements = raw.front() == '[' ? elements_of_array(raw) : std::nullopt;
    if (!elements)
        return std::string(raw);
    std::string cell;
    for (const auto& each : *elements)
    {
        const auto text = text_of_string(each);
        if (!text || text->find(separator) != std::string::npos)
            return std::string(raw);
        if (&each != &elements->front())
            cell += separator;
        cell += *text;
    }
    return cell.empty() || cell.front() == '[' ? std::string(raw) : cell;
}

} // namespace marquee::catalogue_files
