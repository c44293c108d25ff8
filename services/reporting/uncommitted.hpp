// What a projection has counted and not yet written: read before the tables, written in one transaction.
#pragma once

#include "services/reporting/projection_tables.hpp"

#include <cstdint>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace marquee
{

/// The views of assets, or of users; they only grow. Keeps what it has counted for a while after it is written: what was watched just now is watched again.
class view_counters
{
public:
    using reader = std::uint64_t (projection_tables::*)(const std::string&);
    using writer = void (projection_tables::*)(const std::string&, std::uint64_t);

    using ranking = std::vector<views_reply> (projection_tables::*)(std::size_t);

    view_counters(projection_tables& tables, reader from, writer to, ranking most = nullptr)
        : tables_(tables), read_(from), write_(to), rank_(most)
    {
    }

    [[nodiscard]] std::uint64_t views(const std::string& id) const;
    void add_one(const std::string& id);

    /// The most viewed, most first; equals in byte order of the ids.
    [[nodiscard]] std::vector<views_reply> top(std::size_t limit) const;

    /// Writes what has changed, in the order of the ids: neighbours share pages. Part of the caller's transaction; written() tells of its end.
    void write();
    void written();

    /// Forgets everything: what was not written is to be counted again.
    void clear();

private:
    struct counter
    {
        std::uint64_t views = 0;
        bool changed = false;
    };
    using entry = std::pair<const std::string, counter>;

    projection_tables& tables_;
    reader read_;
    writer write_;
    ranking rank_;
    std::unordered_map<std::string, counter> known_;
    std::vector<entry*> changed_; ///< in known_, whose nodes do not move
};

/// Event ids taken and not yet written.
class taken_ids
{
public:
    explicit taken_ids(projection_tables& tables) : tables_(tables) {}

    /// False where the id was taken less than `window` earlier.
    [[nodiscard]] bool take(const std::string& id, const id_use& use, std::int64_t window);

    /// The event that took it, unless it was taken at stream time `forgotten` or earlier.
    [[nodiscard]] std::optional<first_use> find(const std::string& id, std::int64_t forgotten) const;

    /// Part of the caller's transaction.
    void write();
    void clear();

private:
    struct taken
    {
        std::string id;
        first_use first;
        std::int64_t time = 0;
    };

    projection_tables& tables_;
    std::vector<taken> uses_; ///< in the order of the stream
    std::unordered_map<std::string, std::size_t> latest_;
};

} // namespace marquee
