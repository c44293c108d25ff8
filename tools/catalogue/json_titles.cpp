// Titles of a file of JSON objects, one a line.
#include "tools/catalogue/csv_rows.hpp"
#include "tools/catalogue/raw_json.hpp"
#include "tools/catalogue/title.hpp"

#include "schemas/ids.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace marquee::catalogue_files
{
namespace
{

/// What spreadsheets show where a formula gave no value: Excel's and Google's.
constexpr std::array<std::string_view, 18> spreadsheet_errors{
    "#NAME?",  "#REF!",     "#VALUE!",   "#DIV/0!",   "#N/A",       "#NULL!",   "#NUM!",  "#SPILL!", "#CALC!",
    "#FIELD!", "#BLOCKED!", "#CONNECT!", "#UNKNOWN!", "#EXTERNAL!", "#PYTHON!", "#BUSY!", "#ERROR!", "#GETTING_DATA"};

/// LibreOffice has numbers, too: Err:502.
bool is_spreadsheet_error(std::string_view text)
{
    constexpr std::string_view numbered = "Err:";
    if (text.starts_with(numbered))
        return text.size() == numbered.size() + 3 &&
               text.find_first_not_of("0123456789", numbered.size()) == std::string_view::npos;
    return std::find(spreadsheet_errors.begin(), spreadsheet_errors.end(), text) != spreadsheet_errors.end();
}

class json_titles final : public title_reader
{
public:
    json_titles(std::unique_ptr<byte_source> source, encoding from, column_mapping mapping)
        : source_(std::move(source)), encoding_(from), mapping_(std::move(mapping))
    {
    }

    result<read_outcome> next(title_row& row, bool wait) override
    {
        for (;;)
        {
            const auto read = read_line(wait);
            if (read.has_error() || *read != read_outcome::found)
                return read;
            if (line_.find_first_not_of(" \t\r") == std::string::npos && !too_large_)
                continue;
            row = title_row();
            row.line = line_number_;
            row.refused = take(row);
            return read;
        }
    }

    [[nodiscard]] std::uint64_t bytes_read() const noexcept override { return bytes_; }
    [[nodiscard]] const byte_source& source() const noexcept override { return *source_; }

private:
    /// Reads up to a line feed, which is not part of line_; of a line that is too large no more
    /// than its beginning is kept.
    result<read_outcome> read_line(bool wait)
    {
        if (std::exchange(whole_, false))
        {
            line_.clear();
            too_large_ = false;
        }
        for (;;)
        {
            if (unread_.empty())
            {
                const auto read = source_->read(unread_, wait);
                if (read.has_error() || *read == read_outcome::later)
                    return read;
                if (*read == read_outcome::end && line_.empty() && !too_large_)
                    return read;
                bytes_ += unread_.size();
                if (*read == read_outcome::end)
                    break;
            }
            const auto end = unread_.find('\n');
            const auto part = unread_.substr(0, end);
            too_large_ = too_large_ || line_.size() + part.size() > max_row_bytes;
            if (!too_large_)
                line_ += part;
            unread_.remove_prefix(end == std::string_view::npos ? unread_.size() : end + 1);
            if (end != std::string_view::npos)
                break;
        }
        whole_ = true;
        ++line_number_;
        return read_outcome::found;
    }

    std::optional<refusal> take(title_row& row)
    {
        if (too_large_)
            return refusal{"", "larger than " + std::to_string(max_row_bytes) + " bytes"};
        if (line_.ends_with('\r'))
            line_.pop_back();
        if (auto fault = decode_text(line_, encoding_); !fault.empty())
            return refusal{"", std::move(fault)};
        if (auto fault = fault_of_json(line_); !fault.empty())
            return refusal{"", std::move(fault)};
        const auto members = members_of_object(line_);
        if (!members)
            return refusal{"", "is JSON, but no object: one object a line is wanted"};
        std::optional<refusal> bad_id = refusal{mapping_.id, "is missing"};
        for (const auto& each : *members)
            if (each.name == mapping_.id)
                bad_id = take_id(each.value, row);
        if (bad_id)
            return bad_id;
        for (const auto& each : *members)
            if (auto refused = take_member(each, row))
                return refused;
        return std::nullopt;
    }

    std::optional<refusal> take_id(std::string_view raw, title_row& row) const
    {
        auto text = text_of_string(raw);
        if (!text)
            return refusal{mapping_.id, "must be a string"};
        if (auto fault = fault_of_id(*text); !fault.empty())
            return refusal{mapping_.id, std::move(fault)};
        row.id = std::move(*text);
        return std::nullopt;
    }

    std::optional<refusal> take_member(const raw_member& from, title_row& row) const
    {
        bool is_mapped = from.name == mapping_.id || mapping_.ignored.contains(from.name);
        if (mapping_.ignored.contains(from.name))
            return std::nullopt;
        for (const auto& [member, column] : mapping_.from)
        {
            if (column != from.name)
                continue;
            is_mapped = true;
            if (auto refused = set(member, from, row))
                return refused;
        }
        return is_mapped ? std::nullopt : set(from.name, from, row);
    }

    static std::optional<refusal> set(const std::string& member, const raw_member& from, title_row& row)
    {
        if (member == "id")
            return refusal{from.name, "cannot be the member \"id\" (--ignore leaves it out, --map renames it)"};
        if (member == "url")
        {
            auto text = text_of_string(from.value);
            if (!text)
                return refusal{from.name, "must be a string"};
            if (!text->empty())
                row.url = std::move(text);
            return std::nullopt;
        }
        const auto same = [&](const title_member& each) { return each.name == member; };
        if (std::any_of(row.members.begin(), row.members.end(), same))
            return refusal{from.name, "is there twice"};
        row.members.push_back({member, std::string(from.value), {}, false});
        return std::nullopt;
    }

    std::unique_ptr<byte_source> source_;
    encoding encoding_;
    column_mapping mapping_;
    std::string_view unread_;
    std::uint64_t bytes_ = 0;
    std::string line_;
    std::uint64_t line_number_ = 0;
    bool whole_ = false; ///< line_ is a whole line
    bool too_large_ = false;
};

} // namespace

std::string fault_of_id(std::string_view text)
{
    if (text.empty())
        return "an id is missing";
    if (is_spreadsheet_error(text))
        return std::string(text) + " is an error value of a spreadsheet, no id";
    if (const auto id = asset_id::parse(text); id.has_error())
        return id.error().detail;
    return is_path_id(text) ? "" : "an asset cannot be called . or ..";
}

std::unique_ptr<title_reader> read_json_titles(std::unique_ptr<byte_source> source, encoding from,
                                               column_mapping mapping)
{
    return std::make_unique<json_titles>(std::move(source), from, std::move(mapping));
}

} // namespace marquee::catalogue_files
