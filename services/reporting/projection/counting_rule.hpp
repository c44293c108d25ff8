// The rule of counting: what a view is, what a duplicate is, and which time decides. Nothing else
// makes or changes a count, so all instances and all rebuilds agree.
//
// - View: a message of subject `events` is one event, or one a line (schemas/event_lines.hpp), as
//   JSON, as a CloudEvent (schemas/cloud_event.hpp) or as `asset:user`; no header decides.
//   Each event is a view of its asset and of its user. Any other message or line is rejected, and
//   counted as such, and the other lines of the message count regardless.
// - Duplicate: an event whose id was counted before, by a message whose timestamp is less than the
//   dedupe window away from its own, earlier or later, or by an earlier line of its own message,
//   unless that use of the id is forgotten. A duplicate is no view, and takes no id. An event
//   without an id is never a duplicate.
// - Time: only the timestamps that the stream gave the two messages count. They may run backwards,
//   since a broker may have started under a wrong clock. An event's own `time` decides nothing, nor
//   does any clock of this program.
// - Forgotten: a use of an id is forgotten once, at its message or a later one, the smallest
//   timestamp among the last 10,000 messages is a window past it. It stays forgotten, whether its
//   row is still in the database or not. So a few messages under a wrong clock forget nothing.
//
// A change of this text, of the code or of an option that changes a count is another rule, and
// needs another counting_version.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace marquee
{

/// Version 1 compared with the latest timestamp so far in place of a message's own. Version 2 took
/// each message for one event, and rejected those of several lines.
inline constexpr int counting_version = 3;

/// The rule that a database was counted by.
struct counting_rule
{
    int version = counting_version;
    std::chrono::nanoseconds dedupe_window = std::chrono::hours(24);

    friend bool operator==(const counting_rule&, const counting_rule&) = default;
};

/// True where two messages are less than `window` apart. All in nanoseconds.
[[nodiscard]] constexpr bool repeats(std::int64_t one, std::int64_t other, std::int64_t window) noexcept
{
    return one < other ? other - one < window : one - other < window;
}

/// Uses of ids by messages up to `sequence` are forgotten where their timestamp is `time` or less.
/// Its bytes are stored in the database.
struct forgotten_until
{
    std::int64_t sequence = 0;
    std::int64_t time = 0; ///< nanoseconds

    friend bool operator==(const forgotten_until&, const forgotten_until&) = default;
};

/// Decides which uses of ids are forgotten, from the timestamps of the last messages. A value: a
/// copy keeps the state of a moment. Times are nanoseconds since the epoch.
class id_memory
{
public:
    static constexpr std::size_t messages_looked_at = 10'000;
    static constexpr std::size_t block_size = 100; ///< messages; a block is a row in the database
    static constexpr std::size_t blocks = messages_looked_at / block_size;

    explicit id_memory(std::chrono::nanoseconds window = {});

    /// Adds the next message of the stream, whatever its payload is.
    void add(std::uint64_t sequence, std::chrono::nanoseconds timestamp);

    /// Whether the use of an id by the message at `sequence`, stored at `time`, is forgotten.
    [[nodiscard]] bool is_forgotten(std::int64_t sequence, std::int64_t time) const noexcept;

    /// From the next message on uses are forgotten by this window.
    void set_window(std::chrono::nanoseconds window) noexcept { window_ = window.count(); }

    /// Subtracts `by` from all sequences: another stream begins, and the uses stay.
    void lower_sequences(std::int64_t by);

    /// Descending by time, ascending by sequence; the last entry is of the newest message. Rows
    /// that the first entry forgets can be deleted.
    [[nodiscard]] const std::vector<forgotten_until>& forgotten() const noexcept { return forgotten_; }

    /// Removes the first entry if it is this one: no row that it forgets is left.
    void drop(const forgotten_until& entry);

    /// Number of messages added.
    [[nodiscard]] std::uint64_t messages() const noexcept { return messages_; }

    /// For the database, in this machine's byte order: the entries of forgotten(), and the
    /// timestamps of a block.
    [[nodiscard]] std::string forgotten_bytes() const;
    [[nodiscard]] std::string block_bytes(std::size_t block) const;

    /// Restore what the two functions above gave; every block is to be restored. False where the
    /// bytes cannot be that.
    [[nodiscard]] bool restore(std::uint64_t messages, std::string_view forgotten);
    [[nodiscard]] bool restore_block(std::size_t block, std::string_view bytes);

private:
    void find_smallest(std::size_t block);
    void forget(std::int64_t sequence, std::int64_t until);

    std::int64_t window_;
    std::uint64_t messages_ = 0;
    std::vector<std::int64_t> times_;    ///< of the last messages; a ring
    std::vector<std::int64_t> smallest_; ///< of each block
    std::vector<forgotten_until> forgotten_;
};

} // namespace marquee
