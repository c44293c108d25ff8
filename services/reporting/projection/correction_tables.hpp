// Finds and takes back views that are written. Private to this room.
#pragma once

#include "services/reporting/projection/projection_tables.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace marquee
{

/// A view that took an event id.
struct counted_view
{
    std::uint64_t sequence = 0;
    std::size_t line = 0;
    std::string asset; ///< empty, as `user`: not known any more, or never
    std::string user;
    std::int64_t hour = -1;  ///< of the view's time; below 0: not known, or taken back before
    std::int64_t use = 0;    ///< key in first_uses; 0: in a batch
    std::size_t of_line = 0; ///< in a batch: the place of the line in its set
};

/// Statements of corrections, which are rare, are prepared for each call; those of find(), which
/// live views ask too, are kept. Every function is part of the caller's transaction and throws
/// SQLite::Exception. The tables and the database must outlive it.
class correction_tables
{
public:
    correction_tables(SQLite::Database& db, projection_tables& tables);

    using filter = std::function<bool(std::int64_t sequence, std::int64_t time)>;

    /// The latest use of the id in the stream, of those that the filter takes.
    [[nodiscard]] std::optional<counted_view> find(const std::string& id, const filter& takes);

    /// Takes the view back: counts, steps, viewers, and the use itself. `view.hour` is known.
    void take_back(const counted_view& view);

    /// Deletes the user and what it has seen; its ids are another matter (erased_users.hpp).
    /// Returns the number of its views. `changed`: is called with the id of each asset that has
    /// lost a viewer.
    std::uint64_t erase(const std::string& user, const std::function<void(const std::string&)>& changed);

private:
    [[nodiscard]] std::optional<counted_view> find_single(const std::string& id, const filter& takes);
    [[nodiscard]] std::optional<counted_view> find_in_batch(const std::string& id, const filter& takes);
    void mark(const counted_view& view);
    void subtract(const counted_view& view);

    SQLite::Database& db_;
    projection_tables& tables_;
    SQLite::Statement single_;
    SQLite::Statement in_batch_;
};

} // namespace marquee
