// The tables of the views of each hour and each day. Private to this room.
//
// A row is the views in one step of up to 1,024 assets whose numbers are neighbours: the numbers
// and counts of those that have views, in one value. So a commit rewrites few rows, and a window
// of 30 steps is read in as many small scans. The row of part 0 has the views of all assets. Days
// are the sums of their hours.
#pragma once

#include "services/reporting/projection/steps.hpp"

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iosfwd>
#include <span>
#include <string>
#include <vector>

namespace marquee
{

/// As projection_tables.
class step_tables
{
public:
    explicit step_tables(SQLite::Database& db);

    /// Adds views of one step, in the order of the assets. Returns the number of rows written.
    std::size_t add(step_kind kind, std::int64_t step, std::span<const step_views> views);

    /// Subtracts a view that was added.
    void take_back(step_kind kind, std::int64_t step, std::uint32_t asset);

    [[nodiscard]] std::uint64_t views(step_kind kind, std::int64_t step);
    [[nodiscard]] std::uint64_t views(step_kind kind, std::int64_t step, std::uint32_t asset);

    using visitor = std::function<void(std::span<const step_views>)>;

    /// Calls `visit` with all views of the step.
    void each(step_kind kind, std::int64_t step, const visitor& visit);

    /// In the order of the steps and of the ids of assets.
    void dump(std::ostream& out);

private:
    struct statements
    {
        statements(SQLite::Database& db, const std::string& table);
        SQLite::Statement total;
        SQLite::Statement read;
        SQLite::Statement scan;
        SQLite::Statement save;
        SQLite::Statement remove;
    };

    void add_part(statements& of, std::int64_t place, std::span<const step_views> views);
    void save(statements& of, std::int64_t place, std::uint64_t views, std::span<const step_views> counts);

    SQLite::Database& db_;
    std::array<statements, 2> of_; ///< by step_kind
    std::vector<step_views> copy_;
    std::vector<step_views> merged_; ///< of the present row
};

} // namespace marquee
