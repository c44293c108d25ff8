// Whether as much is held of a bucket as stands in it. A message that expires or is purged vanishes without a word to those who watch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace marquee
{

/// How much there is, up to a message.
struct held_count
{
    std::uint64_t upto = 0;
    std::uint64_t subjects = 0; ///< by which records are told: several messages may stand on one, and a delete marker is one
    std::uint64_t messages = 0;

    [[nodiscard]] bool same_amount(const held_count& other) const noexcept
    {
        return subjects == other.subjects && messages == other.messages;
    }
};

/// What was held after each message taken in while the bucket is asked how much it has: its answer is as of a message that may have been taken long
/// ago when it arrives, or is still to come.
class held_counts
{
public:
    void begin(const held_count& now);
    void taken(const held_count& now);
    void end();

    /// What was held when the last of everything up to that message had been taken in; nothing where that was before begin().
    [[nodiscard]] std::optional<held_count> at(std::uint64_t message) const;

    /// Whether every message from begin() up to that one was taken in. One that was overwritten before it was delivered counts for the bucket in between and
    /// for nobody else.
    [[nodiscard]] bool complete_to(std::uint64_t message) const noexcept;

private:
    bool under_way_ = false;
    std::vector<held_count> counts_; ///< by message
};

} // namespace marquee
