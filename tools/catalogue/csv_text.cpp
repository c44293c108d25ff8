#include "tools/catalogue/csv_text.hpp"

#include <csv.h>

namespace marquee::catalogue_files
{
namespace
{

void append_quoted(std::string& line, const std::string& field)
{
    const auto from = line.size();
    line.resize(from + 2 * field.size() + 2); // the most: all of it is quotes
    line.resize(from + csv_write(line.data() + from, line.size() - from, field.data(), field.size()));
}

} // namespace

std::string csv_line(const std::vector<std::string>& fields, char delimiter)
{
    const std::string special = std::string("\"\r\n") + delimiter;
    std::string line;
    for (const auto& field : fields)
    {
        if (&field != &fields.front())
            line += delimiter;
        if (field.find_first_of(special) != std::string::npos || (field.empty() && fields.size() == 1))
            append_quoted(line, field);
        else
            line += field;
    }
    return line;
}

} // namespace marquee::catalogue_files
