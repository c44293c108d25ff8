// Counts that are not yet written. They are read before the tables, and written in one transaction
// that may take several calls: freeze() fixes what belongs to the transaction, write() writes a
// part of it, written() follows the commit. Counting goes on in between.
#pragma once

#include "schemas/messages.hpp"

#include <cstdint>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace marquee
{

class projection_tables;

/// The views of assets, or of users. Keeps counters for a while after they are written: what was
/// watched just now is watched again. Single-threaded. All but freeze(), written() and clear() may
/// throw SQLite::Exception. The tables must outlive it.
class view_counters
{
public:
    using reader = std::uint64_t (projection_tables::*)(const std::string&);
    using writer = void (projection_tables::*)(const std::string&, std::uint64_t);
    using ranking = std::vector<views_reply> (projection_tables::*)(std::size_t);

    view_counters(projection_tables& tables, reader from, writer to, ranking most = nullptr)
        : tables_(&tables), read_(from), write_(to), rank_(most)
    {
    }

    [[nodiscard]] std::uint64_t views(const std::string& id) const;

    /// Returns the views with this one.
    std::uint64_t add_one(const std::string& id);

    /// The most viewed, most first; equal ones in byte order of their ids.
    [[nodiscard]] std::vector<views_reply> top(std::size_t limit) const;

    /// What has changed so far is to be written, with its present counts.
    void freeze();

    /// Writes at most `rows` of what is frozen, in the order of the ids, since neighbours share
    /// pages. Returns how many; fewer than `rows`: that was all. Part of the caller's transaction.
    std::size_t write(std::size_t rows);

    /// The transaction is committed.
    void written();

    /// Forgets everything: what is not written is going to be counted again.
    void clear();

    /// Drops written counters while there are more than `most_known`; looks at `looks` buckets at
    /// most, so that no call takes long.
    void evict(std::size_t looks);

    static constexpr std::size_t most_known = 200'000; ///< counters kept after they are written

    [[nodiscard]] std::size_t known() const noexcept { return known_.size(); }

private:
    struct counter
    {
        std::uint64_t views = 0;
        bool changed = false; ///< since the last freeze()
        bool frozen = false;  ///< and not yet written
    };
    using entry = std::pair<const std::string, counter>;
    struct row
    {
        entry* of;
        std::uint64_t views;
    };

    projection_tables* tables_;
    reader read_;
    writer write_;
    ranking rank_;
    std::unordered_map<std::string, counter> known_;
    std::vector<entry*> changed_;  ///< nodes of known_, which do not move
    std::vector<row> frozen_;      ///< nodes of known_
    std::size_t rows_written_ = 0; ///< of frozen_
    std::size_t evict_from_ = 0;   ///< a bucket of known_
};

} // namespace marquee
