// What a projection has counted and not yet written: read before the tables, written in one transaction. That may take several steps: freeze()
// says what belongs to the transaction, write() writes some of it, written() tells that it is committed. Meanwhile counting goes on.
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

    /// What has changed so far is to be written, with the counts of now.
    void freeze();

    /// Writes at most `rows` of that, in the order of the ids: neighbours share pages. Answers how many; fewer: that was all. Part of the caller's transaction.
    std::size_t write(std::size_t rows);

    void written();

    /// Forgets everything: what was not written is to be counted again.
    void clear();

    /// Lets go of some that are written already where there are more than `most_known`; looks at `looks` places at most, so that no call takes long.
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

    projection_tables& tables_;
    reader read_;
    writer write_;
    ranking rank_;
    std::unordered_map<std::string, counter> known_;
    std::vector<entry*> changed_; ///< in known_, whose nodes do not move
    std::vector<row> frozen_;
    std::size_t rows_written_ = 0; ///< of frozen_
    std::size_t evict_from_ = 0;   ///< a bucket of known_
};

/// Event ids taken and not yet written: which events repeat one by the rule of counting.
class taken_ids
{
public:
    explicit taken_ids(projection_tables& tables) : tables_(tables) {}

    /// False where the id was taken less than `window` away, and that is not forgotten.
    [[nodiscard]] bool take(const std::string& id, const id_use& use, const id_memory& memory, std::int64_t window);

    /// The event that took it, and that one stored at `time` would repeat.
    [[nodiscard]] std::optional<first_use> find(const std::string& id, std::int64_t time, const id_memory& memory,
                                                std::int64_t window) const;

    /// As those of view_counters.
    void freeze();
    std::size_t write(std::size_t rows);
    void written();
    void clear();

private:
    static constexpr std::size_t none = static_cast<std::size_t>(-1);

    struct taken
    {
        std::string id;
        first_use first;
        std::int64_t time = 0;
        std::size_t before = none; ///< of the same id
    };

    /// Uses in the order of the stream, and the latest of each id.
    struct uses
    {
        std::vector<taken> all;
        std::unordered_map<std::string, std::size_t> latest;
        void add(taken use);
        [[nodiscard]] const taken* find(const std::string& id, std::int64_t time, const id_memory& memory,
                                        std::int64_t window) const;
    };

    [[nodiscard]] const taken* find_unwritten(const std::string& id, std::int64_t time, const id_memory& memory,
                                              std::int64_t window) const;

    /// The sequence of the latest use that is written, and that counts.
    [[nodiscard]] std::optional<std::int64_t> find_written(const std::string& id, std::int64_t time, const id_memory& memory,
                                                           std::int64_t window) const;

    projection_tables& tables_;
    uses fresh_;  ///< since the last freeze()
    uses frozen_; ///< and not yet written
    std::size_t rows_written_ = 0;
};

} // namespace marquee
