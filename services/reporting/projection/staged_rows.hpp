// Counts that are not yet written. They are read before the tables, and written in one transaction
// that may take several calls: freeze() fixes what belongs to the transaction, write() writes a
// part of it, written() follows the commit. Counting goes on in between.
#pragma once

#include "services/reporting/projection/counter_rows.hpp"

#include <boost/unordered/unordered_flat_map.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace marquee
{

class counter_tables;

/// The rows of assets (asset_row), or of users (user_row). Keeps rows for a while after they are
/// written: what was watched just now is watched again. Single-threaded. All but freeze(),
/// written() and clear() may throw SQLite::Exception. The tables must outlive it.
template <class Row>
class staged_rows
{
public:
    /// What evict() leaves of written rows.
    struct limits
    {
        std::size_t rows = 200'000;
        std::size_t weight = 4'000'000; ///< of the rows together, 16 bytes each
    };

    explicit staged_rows(counter_tables& tables) : staged_rows(tables, limits()) {}
    staged_rows(counter_tables& tables, limits most) : tables_(&tables), most_(most) {}

    /// The row of an id; one with number 0 where there is none. Valid until the next call.
    [[nodiscard]] const Row& get(const std::string& id);

    /// The views of an id, without the rest of its row.
    [[nodiscard]] std::uint64_t views(const std::string& id) const;

    /// The row of an id, to be changed; valid until evict(), forget() or clear(). A new row takes
    /// the number `next`, which moves on.
    Row& change(const std::string& id, std::uint32_t& next);

    /// Whether the tables may have another row than get() gives.
    [[nodiscard]] bool is_staged(const std::string& id) const;

    /// Calls `visit(id, row)` with each row that is_staged(), once.
    template <class Visit>
    void each_staged(Visit visit) const
    {
        for (const auto* each : changed_)
            visit(each->first, each->second.row);
        for (const auto& each : frozen_)
            if (!each.of->second.changed)
                visit(each.of->first, each.of->second.row);
    }

    /// What has changed so far is to be written, with its present counts.
    void freeze();

    /// Writes at most `rows` of what is frozen, in the order of the numbers, since neighbours share
    /// pages. Returns how many; fewer than `rows`: that was all. Part of the caller's transaction.
    std::size_t write(std::size_t rows);

    /// The transaction is committed.
    void written();

    /// Forgets everything: what is not written is going to be counted again.
    void clear();

    /// Forgets a row that was changed in the tables. It must not be staged.
    void forget(const std::string& id);

    /// Drops written rows while there are more than the limits; looks at `looks` rows at most,
    /// so that no call takes long.
    void evict(std::size_t looks);

    [[nodiscard]] std::size_t known() const noexcept { return entries_.size(); }

private:
    struct counter
    {
        Row row;
        std::size_t place = 0;  ///< in entries_
        std::size_t weight = 0; ///< part of weight_; 0 while it is changed
        bool changed = false;   ///< since the last freeze()
        bool frozen = false;    ///< and not yet written
    };
    using entry = std::pair<const std::string, counter>;
    struct frozen_row
    {
        entry* of;
        typename Row::snapshot row;
    };

    [[nodiscard]] const entry* find(const std::string& id) const;
    entry& know(const std::string& id, std::uint32_t& next);
    void drop(const entry& which);

    counter_tables* tables_;
    limits most_;
    std::vector<std::unique_ptr<entry>> entries_;               ///< in no order
    boost::unordered_flat_map<std::string_view, entry*> known_; ///< of entries_, whose texts are the keys
    Row other_;                                                 ///< the last one that get() found in the tables
    std::vector<entry*> changed_;
    std::vector<frozen_row> frozen_;
    std::size_t rows_written_ = 0; ///< of frozen_
    std::size_t weight_ = 0;       ///< of rows that are not changed
    std::size_t evict_at_ = 0;     ///< of entries_
};

extern template class staged_rows<asset_row>;
extern template class staged_rows<user_row>;

} // namespace marquee
