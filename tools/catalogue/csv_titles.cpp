// Titles of a file of CSV.
#include "schemas/json.hpp"
#include "tools/catalogue/cells.hpp"
#include "tools/catalogue/csv_rows.hpp"
#include "tools/catalogue/title.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <utility>

namespace marquee::catalogue_files
{
namespace
{

constexpr std::string_view url_member = "url";

/// One member that a column makes.
struct target
{
    std::string member;
    cell_kind kind = cell_kind::text;
    bool as_cell = true;
};

struct column
{
    std::string name;
    bool is_id = false;
    bool ignored = false;
    std::vector<target> makes;
};

target target_of(const std::string& member, const column_mapping& mapping)
{
    if (mapping.json.contains(member))
        return {member, cell_kind::json, false};
    if (mapping.arrays.contains(member))
        return {member, cell_kind::list, false};
    return {member, member == "tags" ? cell_kind::list : cell_kind::text, true};
}

std::string listed(const std::vector<std::string>& names)
{
    std::string text;
    for (const auto& name : names)
        (text += text.empty() ? "" : ", ") += name;
    return text;
}

/// Every column that an option names must be there.
result<void> check_named(const std::vector<std::string>& names, const column_mapping& mapping)
{
    const auto check = [&](const std::string& name, const char* option) -> result<void>
    {
        if (std::find(names.begin(), names.end(), name) != names.end())
            return {};
        return fail(errc::bad_request,
                    "the file has no column \"" + name + "\" (" + option + "); its columns are: " + listed(names));
    };
    if (auto found = check(mapping.id, "--id"); found.has_error())
        return found;
    for (const auto& [member, from] : mapping.from)
        if (auto found = check(from, "--map"); found.has_error())
            return found;
    for (const auto& ignored : mapping.ignored)
        if (auto found = check(ignored, "--ignore"); found.has_error())
            return found;
    return {};
}

result<std::vector<column>> read_header(const std::vector<std::string>& names, const column_mapping& mapping)
{
    if (auto named = check_named(names, mapping); named.has_error())
        return named.error();
    std::vector<column> columns;
    std::map<std::string, std::string> makers;
    for (const auto& name : names)
    {
        auto& each = columns.emplace_back(column{name, name == mapping.id, mapping.ignored.contains(name), {}});
        if (!name.empty() && !each.ignored && std::count(names.begin(), names.end(), name) > 1)
            return fail(errc::bad_request, "two columns are called \"" + name + "\" (--ignore leaves them out)");
        for (const auto& [member, from] : mapping.from)
            if (from == name && !each.ignored)
                each.makes.push_back(target_of(member, mapping));
        if (each.makes.empty() && !each.is_id && !each.ignored && !name.empty())
            each.makes.push_back(target_of(name, mapping));
        for (const auto& made : each.makes)
            if (const auto [at, is_new] = makers.emplace(made.member, name); !is_new)
                return fail(errc::bad_request, "columns \"" + at->second + "\" and \"" + name +
                                                   "\" are both the member \"" + made.member +
                                                   "\" (--ignore leaves one out, --map renames one)");
            else if (made.member == "id")
                return fail(errc::bad_request, "column \"" + name +
                                                   "\" cannot be the member \"id\": that is the column of --id (" +
                                                   mapping.id + "); --ignore leaves it out, --map renames it");
    }
    return columns;
}

class csv_titles final : public title_reader
{
public:
    csv_titles(std::unique_ptr<byte_source> source, char delimiter, encoding from, column_mapping mapping)
        : rows_(std::move(source), delimiter), encoding_(from), mapping_(std::move(mapping))
    {
    }

    result<void> begin()
    {
        csv_row header;
        const auto read = rows_.next(header, true);
        if (read.has_error())
            return read.error();
        if (*read == read_outcome::end)
            return fail(errc::bad_request, "the file is empty: a header is wanted");
        const auto of_header = "the header, line " + std::to_string(header.line) + ": ";
        if (!header.fault.empty())
            return fail(errc::bad_request, of_header + header.fault);
        for (auto& name : header.fields)
        {
            if (const auto fault = decode_text(name, encoding_); !fault.empty())
                return fail(errc::bad_request, of_header + "a name has " + fault);
            if (name.find_first_of("\r\n\t") != std::string::npos)
                return fail(errc::bad_request, of_header + "a name has a line break or a tab");
        }
        auto columns = read_header(header.fields, mapping_);
        if (columns.has_error())
            return columns.error();
        columns_ = std::move(*columns);
        return {};
    }

    result<read_outcome> next(title_row& row, bool wait) override
    {
        csv_row cells;
        const auto read = rows_.next(cells, wait);
        if (read.has_error() || *read != read_outcome::found)
            return read;
        row = title_row();
        row.line = cells.line;
        row.refused = take(cells, row);
        return read;
    }

    [[nodiscard]] std::uint64_t bytes_read() const noexcept override { return rows_.bytes_read(); }
    [[nodiscard]] const byte_source& source() const noexcept override { return rows_.source(); }

private:
    [[nodiscard]] std::string name_of(std::size_t index) const
    {
        return index < columns_.size() && !columns_[index].name.empty() ? columns_[index].name
                                                                        : std::to_string(index + 1);
    }

    /// The id first, so that a row that is refused for another cell still has it.
    std::optional<refusal> take(csv_row& cells, title_row& row) const
    {
        const auto id = static_cast<std::size_t>(std::distance(
            columns_.begin(), std::find_if(columns_.begin(), columns_.end(), [](const column& c) { return c.is_id; })));
        std::optional<refusal> bad_id;
        if (id < cells.fields.size())
        {
            auto& cell = cells.fields[id];
            auto fault = decode_text(cell, encoding_);
            if (fault.empty())
                fault = fault_of_id(cell);
            if (fault.empty())
                row.id = cell;
            else
                bad_id = refusal{name_of(id), std::move(fault)};
        }
        if (!cells.fault.empty())
            return refusal{name_of(cells.fault_at), cells.fault};
        if (cells.fields.size() != columns_.size())
            return refusal{"", "has " + std::to_string(cells.fields.size()) + " fields, the header has " +
                                   std::to_string(columns_.size())};
        if (bad_id)
            return bad_id;
        for (std::size_t i = 0; i < cells.fields.size(); ++i)
            if (auto refused = take_cell(i, cells.fields[i], row))
                return refused;
        return std::nullopt;
    }

    std::optional<refusal> take_cell(std::size_t index, std::string& cell, title_row& row) const
    {
        const auto& from = columns_[index];
        if (from.is_id && from.makes.empty())
            return std::nullopt;
        if (from.name.empty() && !cell.empty())
            return refusal{name_of(index), "the header has no name for this column"};
        if (from.makes.empty())
            return std::nullopt;
        if (!from.is_id)
            if (auto fault = decode_text(cell, encoding_); !fault.empty())
                return refusal{from.name, std::move(fault)};
        for (const auto& made : from.makes)
        {
            if (made.member == url_member)
            {
                if (!cell.empty())
                    row.url = cell;
                continue;
            }
            auto value = value_of_cell(cell, made.kind, mapping_.separator);
            if (value.has_error())
                return refusal{from.name, value.error().detail};
            row.members.push_back({made.member, std::move(*value), cell, made.as_cell});
        }
        return std::nullopt;
    }

    csv_rows rows_;
    encoding encoding_;
    column_mapping mapping_;
    std::vector<column> columns_;
};

} // namespace

result<std::unique_ptr<title_reader>> read_csv_titles(std::unique_ptr<byte_source> source, char delimiter,
                                                      encoding from, column_mapping mapping)
{
    auto titles = std::make_unique<csv_titles>(std::move(source), delimiter, from, std::move(mapping));
    if (auto begun = titles->begin(); begun.has_error())
        return begun.error();
    return std::unique_ptr<title_reader>(std::move(titles));
}

} // namespace marquee::catalogue_files
