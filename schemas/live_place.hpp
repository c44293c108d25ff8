// Places in the feed of counted views: the ids of its events (contract, section 5).
#pragma once

#include <compare>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

namespace marquee
{

/// A place in a stream of events: up to and including one event of a message, or a whole message.
struct live_position
{
    static constexpr std::uint64_t whole = std::numeric_limits<std::uint64_t>::max();

    std::uint64_t sequence = 0;  ///< of the message; 0: before the first one
    std::uint64_t index = whole; ///< of the event in its message, from 0; `whole`: all of them

    // NOLINTNEXTLINE(modernize-use-nullptr): the 0 that a default comparison compares with
    friend auto operator<=>(const live_position&, const live_position&) = default;
};

/// A place as text: `EPOCH-SEQUENCE-INDEX` for an event, `EPOCH-SEQUENCE` for a whole message. A
/// reader who names it has seen everything up to and including it.
struct live_place
{
    std::string epoch; ///< of the stream: see live_epoch()
    live_position at;

    /// Nothing where the text is no place in exactly this form. Thread-safe, as all functions here.
    [[nodiscard]] static std::optional<live_place> parse(std::string_view text);

    [[nodiscard]] std::string text() const;

    friend bool operator==(const live_place&, const live_place&) = default;
};

/// The epoch of a stream: the letters and digits of its id, 64 at most, and `0` where there are
/// none.
[[nodiscard]] std::string live_epoch(std::string_view stream_id);

/// False where two epochs are of different streams. No id on either side says nothing.
[[nodiscard]] bool may_be_same_epoch(std::string_view one, std::string_view other) noexcept;

} // namespace marquee
