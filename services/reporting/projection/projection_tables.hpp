// The tables of a projection, and the prepared statements on them. Private to this room.
#pragma once

#include "services/reporting/projection/batch_row.hpp"
#include "services/reporting/projection/counter_tables.hpp"
#include "services/reporting/projection/counting_rule.hpp"
#include "services/reporting/projection/erased_users.hpp"
#include "services/reporting/projection/projection_progress.hpp"
#include "services/reporting/projection/step_tables.hpp"

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>
#include <SQLiteCpp/Transaction.h>

#include <array>
#include <functional>
#include <iosfwd>
#include <optional>
#include <string>

namespace marquee
{

/// Single-threaded. Every function is part of the caller's transaction and throws
/// SQLite::Exception. The database must outlive it.
class projection_tables
{
public:
    explicit projection_tables(SQLite::Database& db);

    /// Reads progress and memory. A new database gets `rule`; returns the rule in the database.
    counting_rule load(projection_progress& into, id_memory& memory, const counting_rule& rule);

    /// Writes progress, and what has changed in `memory` since it had `written` messages.
    void save(const projection_progress& p, const id_memory& memory, std::uint64_t written);

    void set_rule(const counting_rule& rule, std::uint64_t since);

    [[nodiscard]] counter_tables& counters() noexcept { return counters_; }
    [[nodiscard]] step_tables& steps() noexcept { return steps_; }

    using use_visitor = std::function<bool(const first_use& use, std::int64_t time)>;

    /// Calls `visit` with the uses of the id at times between `from` and `to` (both exclusive), the
    /// latest in the stream first, until it returns true; returns whether it did.
    bool any_use(const std::string& id, std::int64_t from, std::int64_t to, const use_visitor& visit);

    /// Equivalent to any_use(), for the id `batch.line` in the rows of batches, which have neither
    /// asset nor user.
    bool any_use_in_batch(const std::string& batch, std::size_t line, std::int64_t from, std::int64_t to,
                          const use_visitor& visit);

    /// Whether any use, in a row of its own or of a batch, has an id of this batch.
    bool knows_batch(const std::string& batch);

    /// Adds a use of the id, or of all ids of a batch.
    void take_id(const std::string& id, const id_use& use);
    void take_batch(const batch_row& row);

    /// Deletes at most `limit` forgotten uses, the earliest first. Returns how many.
    std::size_t prune(const forgotten_until& what, std::size_t limit);

    /// Subtracts from the sequences of all uses what puts the highest at `last`, where it is
    /// beyond, since another stream goes on from there. Returns the difference, or 0.
    std::int64_t lower_uses(std::uint64_t last);

    /// Who was erased. What counts as hidden there is for all functions here a use of a hash, by an
    /// event that is not known.
    [[nodiscard]] erased_users& erased() noexcept { return erased_; }

    /// Makes hashes of ids of erased users.
    void hide(const erased_users::part& part);

    /// All counts, and the uses of ids that are not forgotten.
    void dump(std::ostream& out, const id_memory& memory);

private:
    /// The greatest id in first_uses with the first byte of `id`, or a greater one: an id in the
    /// order of time, as most are, needs no look at the table.
    std::string& greatest_like(const std::string& id);

    /// Whether an id begins with this character.
    [[nodiscard]] bool has_any(char first) { return !greatest_like(std::string(1, first)).empty(); }

    [[nodiscard]] bool has_batch(const std::string& batch);
    [[nodiscard]] bool find_use(const std::string& id, std::int64_t from, std::int64_t to, const use_visitor& visit);
    [[nodiscard]] bool any_hidden_use(const std::string& id, std::int64_t from, std::int64_t to,
                                      const use_visitor& visit);
    [[nodiscard]] bool any_use_while_hiding(const std::string& id, std::int64_t from, std::int64_t to,
                                            const use_visitor& visit);

    SQLite::Database& db_;
    counter_tables counters_;
    step_tables steps_;
    erased_users erased_;
    std::array<std::optional<std::string>, 256> greatest_; ///< by first byte; none: not read yet
    SQLite::Statement save_;
    SQLite::Statement save_block_;
    SQLite::Statement last_like_;
    SQLite::Statement near_;
    SQLite::Statement near_batch_;
    SQLite::Statement knows_batch_;
    SQLite::Statement take_id_;
    SQLite::Statement take_batch_;
    SQLite::Statement oldest_;
    SQLite::Statement prune_;
    SQLite::Statement prune_batches_;
    SQLite::Statement hide_;
};

} // namespace marquee
