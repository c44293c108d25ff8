// Whether memory has as much as the bucket: a message that expires or is purged vanishes without a
// message to the watchers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace marquee
{

/// How much there is, up to and including a message.
struct held_count
{
    std::uint64_t upto = 0;
    std::uint64_t subjects = 0; ///< with a record or a delete marker
    std::uint64_t messages = 0; ///< several may be on one subject

    [[nodiscard]] bool same_amount(const held_count& other) const noexcept
    {
        return subjects == other.subjects && messages == other.messages;
    }
};

/// What memory held after each message, while the bucket is asked how much it has: its answer is as
/// of a message that may have come long before the answer, or is still to come. Not thread-safe.
class held_counts
{
public:
    void begin(const held_count& now);

    /// After each message; ignored outside begin() and end().
    void taken(const held_count& now);

    void end();

    /// What was held once everything up to that message had come; none where that was before
    /// begin().
    [[nodiscard]] std::optional<held_count> at(std::uint64_t message) const;

    /// Whether every message from begin() up to that one came. One that was overwritten before it
    /// was delivered is counted by the bucket in between, and by no watcher.
    [[nodiscard]] bool complete_to(std::uint64_t message) const noexcept;

private:
    bool recording_ = false;
    std::vector<held_count> counts_; ///< by message
};

} // namespace marquee
