// The rule of counting: what a view is, what a duplicate is, which time decides, and what a
// correction does. Nothing else makes or changes a count, so all instances and all rebuilds agree.
//
// - View: a message of subject `events` is one event, or one a line (schemas/event_lines.hpp), as
//   JSON, as a CloudEvent (schemas/cloud_event.hpp) or as `asset:user`; no header decides.
//   Each event is a view of its asset and of its user. Any other message or line is rejected, and
//   counted as such, and the other lines of the message count regardless.
// - Duplicate: an event whose id was counted before, by a message whose timestamp is less than the
//   dedupe window away from its own, earlier or later, or by an earlier line of its own message,
//   unless that use of the id is forgotten. A duplicate is no view, and takes no id. An event
//   without an id is never a duplicate.
// - Which time decides that: only the timestamps that the stream gave the two messages. They may
//   run backwards, since a broker may have started under a wrong clock. An event's own `time` does
//   not decide it, nor does any clock of this program.
// - Forgotten: a use of an id is forgotten once, at its message or a later one, the smallest
//   timestamp among the last 10,000 messages is a window past it. It stays forgotten, whether its
//   row is still in the database or not. So a few messages under a wrong clock forget nothing.
// - Time of a view: the event's `time`, where it has one that is not before 1970 and not later than
//   the timestamp of its message by more than five minutes; else that timestamp. All in whole
//   milliseconds, rounded down. It decides hour, day, `last` and the order of a history, and no
//   count: hours and days are those of UTC.
// - Viewer: a user with a view of the asset. Each counts once for an asset, and each asset once for
//   a user, however many views there are.
// - Correction: a message of subject `events.admin`, {"retract":"EVENT ID"} or {"erase":"USER"};
//   any other is rejected. It acts on what was counted before it, at its place in the stream.
// - Retraction: takes back the view whose event took the id, where the two messages make a
//   duplicate (the latest such use in the stream). The counts, hours, days, viewers and assets are
//   as if the view had not been; each `last` stays; what has no views left is gone. The id stays
//   used. Where there is no such use, or its view was taken back before, or its user was erased, or
//   an older rule counted it, the retraction is rejected and does nothing later.
// - Erasure: the user's count and history are gone, and the user is no viewer any more. The views
//   of assets, hours and days stay. The user's ids stay used, as hashes. A later view is one of a
//   new user. To erase a user who has no views is no fault.
//
// A change of this text, of the code or of an option that changes a count is another rule, and
// needs another counting_version.
#pragma once

#include "schemas/rfc3339.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace marquee
{

/// Version 1 compared with the latest timestamp so far in place of a message's own. Version 2 took
/// each message for one event, and rejected those of several lines. Version 3 kept neither times of
/// views nor pairs of users and assets, and rejected corrections and CloudEvents.
inline constexpr int counting_version = 4;

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

/// The time of a view, in milliseconds since 1970. `said`: by the event; `stored`: the timestamp of
/// its message.
[[nodiscard]] constexpr std::int64_t view_time(const std::optional<time_in_ms>& said,
                                               std::chrono::nanoseconds stored) noexcept
{
    constexpr std::int64_t most_ahead = 300'000;
    const auto by_stream = std::chrono::floor<std::chrono::milliseconds>(stored).count();
    const auto by_event = said ? said->time_since_epoch().count() : -1;
    return by_event < 0 || by_event - by_stream > most_ahead ? std::max<std::int64_t>(by_stream, 0) : by_event;
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
