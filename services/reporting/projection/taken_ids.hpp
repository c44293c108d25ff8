// Which event ids are taken: those not yet written, before those in the tables.
#pragma once

#include "schemas/event_lines.hpp"
#include "services/reporting/projection/batch_row.hpp"
#include "services/reporting/projection/counting_rule.hpp"
#include "services/reporting/projection/projection_progress.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace marquee
{

class projection_tables;

/// Decides which events are duplicates. An id that an edge gave to a line (parse_batch_event_id)
/// is kept in one row with the other ids of its message, where that holds several events and the
/// id stands in the line that it names; every other id has a row of its own. Both are equal in what
/// they decide. Single-threaded; all but freeze(), written() and clear() may throw
/// SQLite::Exception. The tables must outlive it.
class taken_ids
{
public:
    explicit taken_ids(projection_tables& tables) : tables_(&tables) {}

    /// Uses from here on belong to another message. `has_lines`: it holds several events, so that
    /// its ids may share a row. That row has neither asset nor user: the event of a message that
    /// holds one has a row of its own.
    void begin_message(bool has_lines)
    {
        close_message();
        open_has_lines_ = has_lines;
    }

    /// Takes the id for `use`, unless that is a duplicate (counting_rule.hpp): then it returns the
    /// earlier use. The uses of a message come in the order of its lines.
    [[nodiscard]] std::optional<first_use> take(std::string_view id, const id_use& use, const id_memory& memory,
                                                std::int64_t window);

    /// The view that the event of the last take() was counted as, where that returned nothing.
    void counted(std::uint32_t user, std::uint32_t asset);

    /// The event that took the id, where a message stored at `time` would be its duplicate.
    [[nodiscard]] std::optional<first_use> find(std::string_view id, std::int64_t time, const id_memory& memory,
                                                std::int64_t window) const;

    /// As those of staged_rows.
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
        std::int64_t viewed = 0;
        std::size_t before = none; ///< the previous use of the same id
    };
    struct batch_use
    {
        batch_row row;
        std::size_t before = none; ///< the previous message with the same batch
    };

    /// Uses in the order of the stream, and the latest of each id and batch.
    struct uses
    {
        std::vector<taken> all;
        std::unordered_map<std::string, std::size_t> latest;
        std::unordered_set<std::string> prefixes; ///< batches of ids in `all` that have the form of an edge's
        std::vector<batch_use> batches;
        std::unordered_map<std::string, std::size_t> latest_batches;

        void add(taken use);
        void add(batch_row row);
        [[nodiscard]] bool knows_batch(const std::string& batch) const;
    };

    /// What makes an earlier use a duplicate.
    struct question
    {
        std::int64_t time;
        const id_memory& memory;
        std::int64_t window;

        [[nodiscard]] bool repeats(std::uint64_t sequence, std::int64_t taken_at) const noexcept;
    };

    void close_message();
    [[nodiscard]] bool is_new_batch(std::string_view batch) const;
    [[nodiscard]] static std::optional<first_use>
    find_in(const uses& in, std::string_view id, const std::optional<batch_event_id>& of_batch, const question& q);
    [[nodiscard]] std::optional<first_use>
    find_written(std::string_view id, const std::optional<batch_event_id>& of_batch, const question& q) const;

    projection_tables* tables_;
    batch_row open_; ///< of the present message
    bool open_has_lines_ = false;
    std::optional<std::int64_t> open_viewed_; ///< time of the view of the line added last; none: counted() had it
    bool open_is_new_ = false;                ///< no other message has used an id of its batch
    uses fresh_;                              ///< since the last freeze()
    uses frozen_;                             ///< and not yet written
    std::size_t rows_written_ = 0;
    std::size_t batches_written_ = 0;
};

} // namespace marquee
