// What a row of a file says about a title, and how it is said.
#pragma once

#include "tools/catalogue/byte_source.hpp"
#include "tools/catalogue/encoding.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace marquee::catalogue_files
{

/// A member of a metadata record.
struct title_member
{
    std::string name;
    std::string raw;      ///< its value as JSON; empty: the record has no such member
    std::string cell;     ///< of CSV: the text of the cell
    bool as_cell = false; ///< of CSV: what export_cell() writes as `cell` is equal, whatever its type
};

/// Why a row is not taken.
struct refusal
{
    std::string column; ///< its name in the file; empty: the row as a whole
    std::string reason;
};

/// A row. With a refusal only `line` and `id` count.
struct title_row
{
    std::uint64_t line = 0;
    std::string id; ///< valid without a refusal
    std::vector<title_member> members;
    std::optional<std::string> url; ///< none: the row says nothing of it
    std::optional<refusal> refused;
};

/// How columns become members (--id, --map, --ignore, --array, --json, --separator).
struct column_mapping
{
    std::string id = "id";                                 ///< the column, or member of JSON, that has the id
    std::vector<std::pair<std::string, std::string>> from; ///< member, column; a column may make several
    std::set<std::string> ignored = {};                    ///< columns
    std::set<std::string> arrays = {};                     ///< members whose cells are lists
    std::set<std::string> json = {};                       ///< members whose cells are JSON
    std::string separator = "|";                           ///< of lists, one byte or more
};

/// Reads titles row by row, in a bounded memory. Not thread-safe.
class title_reader
{
public:
    virtual ~title_reader() = default;

    /// Reads the next row, which may be refused. Fails as byte_source::read() does.
    [[nodiscard]] virtual result<read_outcome> next(title_row& row, bool wait) = 0;

    [[nodiscard]] virtual std::uint64_t bytes_read() const noexcept = 0;
    [[nodiscard]] virtual const byte_source& source() const noexcept = 0;
};

/// Reads CSV; waits for its header. Fails with bad_request where the header cannot be used.
[[nodiscard]] result<std::unique_ptr<title_reader>> read_csv_titles(std::unique_ptr<byte_source> source, char delimiter,
                                                                    encoding from, column_mapping mapping);

/// Reads JSON objects, one a line. The sets of `mapping` do not matter but `ignored`.
[[nodiscard]] std::unique_ptr<title_reader> read_json_titles(std::unique_ptr<byte_source> source, encoding from,
                                                             column_mapping mapping);

/// Why a text is no id of a new record; empty: it is one.
[[nodiscard]] std::string fault_of_id(std::string_view text);

} // namespace marquee::catalogue_files
