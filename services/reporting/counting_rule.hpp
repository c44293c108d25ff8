// The rule of counting: what makes the counts, and nothing else does. All instances and every rebuild follow it, so they agree.
//
// - A message of subject `events` that is an event (schemas/event.hpp) is a view of its asset and of its user; any other is rejected.
// - An event without an id counts each time.
// - An event with an id is a duplicate, and counts for nothing, where the same id was counted by a message whose timestamp is less than the
//   window away from its own, earlier or later, unless that use of the id is forgotten.
// - Timestamps are those that the stream gave the two messages. They may run backwards: a broker may have started under a wrong clock. An
//   event's own `time` decides nothing, nor does any clock of this program.
// - A use is forgotten once, at it or at a later message, the smallest timestamp among the last 10,000 messages is a window past it. It stays
//   forgotten, whether its row is still there or not. So a few messages under a wrong clock forget nothing.
//
// What changes a count by this text, or by an option of it, is another rule: counting_version has to go up.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace marquee
{

/// 1 took the latest timestamp so far in place of a message's own.
inline constexpr int counting_version = 2;

/// What a database was counted by.
struct counting_rule
{
    int version = counting_version;
    std::chrono::nanoseconds dedupe_window = std::chrono::hours(24);

    friend bool operator==(const counting_rule&, const counting_rule&) = default;
};

/// True where two messages of one id are less than `window` apart. All in nanoseconds.
[[nodiscard]] constexpr bool repeats(std::int64_t one, std::int64_t other, std::int64_t window) noexcept
{
    return one < other ? other - one < window : one - other < window;
}

/// Up to a message, uses until a time are forgotten.
struct forgotten_until
{
    std::int64_t sequence = 0; ///< of uses up to this message
    std::int64_t time = 0;     ///< those at this timestamp or earlier

    friend bool operator==(const forgotten_until&, const forgotten_until&) = default;
};

/// What decides which uses are forgotten: the timestamps of the last messages, and what they have forgotten so far. A value: copies stand for
/// moments.
class id_memory
{
public:
    static constexpr std::size_t messages_looked_at = 10'000;
    static constexpr std::size_t block_size = 100;
    static constexpr std::size_t blocks = messages_looked_at / block_size;

    explicit id_memory(std::chrono::nanoseconds window = {});

    /// The next message of the stream, whatever it holds.
    void add(std::uint64_t sequence, std::chrono::nanoseconds timestamp);

    [[nodiscard]] bool is_forgotten(std::int64_t sequence, std::int64_t time) const noexcept;

    /// Uses are forgotten anew by another window from the next message on.
    void set_window(std::chrono::nanoseconds window) noexcept { window_ = window.count(); }

    /// Sequences become smaller by this: the stream begins anew, the uses stay.
    void lower_sequences(std::int64_t by);

    /// In descending order of time, ascending of sequence; the last one is of the newest message. Rows that the first of them forgets are of no use any more.
    [[nodiscard]] const std::vector<forgotten_until>& forgotten() const noexcept { return forgotten_; }

    /// No row is left that only this one forgets.
    void drop(const forgotten_until& entry);

    /// Messages added.
    [[nodiscard]] std::uint64_t messages() const noexcept { return messages_; }

    /// As bytes of this machine's kind, for the database: the entries of forgotten(), and the timestamps of a block.
    [[nodiscard]] std::string forgotten_bytes() const;
    [[nodiscard]] std::string block_bytes(std::size_t block) const;

    /// What was written comes back, all blocks one by one. False: these bytes are none of that.
    [[nodiscard]] bool restore(std::uint64_t messages, std::string_view forgotten);
    [[nodiscard]] bool restore_block(std::size_t block, std::string_view bytes);

private:
    void find_smallest(std::size_t block);
    void forget(std::int64_t sequence, std::int64_t until);

    std::int64_t window_;
    std::uint64_t messages_ = 0;
    std::vector<std::int64_t> times_;    ///< of the last messages: a ring
    std::vector<std::int64_t> smallest_; ///< of each block
    std::vector<forgotten_until> forgotten_;
};

} // namespace marquee
