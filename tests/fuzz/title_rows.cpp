// Files of titles: rows of CSV, and lines of JSON.
#include "tools/catalogue/csv_rows.hpp"
#include "tools/catalogue/csv_text.hpp"
#include "tools/catalogue/record_change.hpp"
#include "tools/catalogue/title.hpp"

#include "schemas/ids.hpp"
#include "tests/fuzz/fuzz.hpp"

#include <string>
#include <vector>

using namespace marquee;
using namespace marquee::catalogue_files;
using marquee::fuzz::require;

namespace
{

std::vector<csv_row> rows_of(const std::string& text, std::size_t piece)
{
    csv_rows rows(text_source(text, piece), ',');
    std::vector<csv_row> all;
    for (csv_row row; rows.next(row, true).value() == read_outcome::found;)
        all.push_back(row);
    return all;
}

void check_rows(const std::string& text)
{
    const auto whole = rows_of(text, text.size() + 1);
    const auto pieces = rows_of(text, 1);
    require(whole.size() == pieces.size(), "pieces make no other rows");
    std::uint64_t line = 0;
    for (std::size_t i = 0; i < whole.size(); ++i)
    {
        require(whole[i].line == pieces[i].line && whole[i].fields == pieces[i].fields, "nor other fields");
        require(whole[i].fault == pieces[i].fault, "nor other faults");
        require(whole[i].line > line, "each row begins on a line of its own");
        line = whole[i].line;
        if (!whole[i].fault.empty())
            continue;
        const auto again = rows_of(csv_line(whole[i].fields, ',') + '\n', 7);
        require(again.size() == 1 && again[0].fields == whole[i].fields, "what is written is read again");
    }
}

void check_titles(title_reader& reader)
{
    for (title_row row; reader.next(row, true).value() == read_outcome::found;)
    {
        require(row.line > 0, "a row has a line");
        require(row.id.empty() || asset_id::parse(row.id).has_value(), "an id is valid");
        if (row.refused)
            continue;
        require(fault_of_id(row.id).empty(), "a row that is not refused has an id");
        if (const auto put = change_metadata({}, row, "|"); put.has_value() && *put)
        {
            const auto again = change_metadata(std::string_view(**put), row, "|");
            require(again.has_value() && !*again, "what was put is equal");
        }
    }
}

} // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    auto input = fuzz::text(data, size);
    const auto from = static_cast<encoding>(fuzz::choice(input) % 3);
    const std::string text(input);
    check_rows(text);
    if (const auto titles = read_csv_titles(text_source(text, 3), ',', from, {}); titles.has_value())
        check_titles(**titles);
    const auto lines = read_json_titles(text_source(text, 3), from, {});
    check_titles(*lines);
    return 0;
}
