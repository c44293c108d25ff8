// Messages that were received and are still to be counted.
#pragma once

#include "broker/jetstream/stored_message.hpp"

#include <cstddef>
#include <span>
#include <vector>

namespace marquee
{

/// In the order of the stream. On one thread.
class counting_queue
{
public:
    void add(std::vector<stored_message> batch);

    /// Events in it, at most.
    [[nodiscard]] std::size_t events() const noexcept { return events_; }
    [[nodiscard]] bool empty() const noexcept { return at_ == counting_.size() && added_.empty(); }

    /// Takes the messages at the front, of about `events` events, up to a correction: that is
    /// written at once, and other work is to have its turn then. At least one, unless it is empty.
    /// They are valid until the next call, also after clear().
    [[nodiscard]] std::span<const stored_message> take(std::size_t events);

    /// The last message that take() knows of.
    [[nodiscard]] const stored_message& newest() const { return counting_.back(); }

    void clear();

private:
    std::vector<stored_message> counting_; ///< those before at_ are taken
    std::size_t at_ = 0;
    std::vector<stored_message> added_; ///< after those
    std::size_t events_ = 0;
};

/// Whether the message is a correction.
[[nodiscard]] bool is_correction(const stored_message& m);

} // namespace marquee
