// The events of one message of subject `events`: one event, or one a line (contract, section 2).
#pragma once

#include "schemas/event.hpp"

#include <cstddef>
#include <optional>
#include <string_view>
#include <utility>

namespace marquee
{

/// An event that refers to the payload, or to the reader that gave it.
struct event_view
{
    std::string_view id; ///< empty: none, so it is never a duplicate
    std::string_view asset;
    std::string_view user;
    std::optional<time_in_ms> time = {}; ///< as in play_event
};

/// Recognises an event exactly as an edge writes it, without escapes; nothing for all other events.
/// Where it recognises one, parse_event() gives the same. Thread-safe.
[[nodiscard]] std::optional<event_view> scan_event(std::string_view json);

/// Reads the events of a payload. A payload that as a whole is one event is one event, whatever
/// line breaks it has. Any other with an LF is read line by line: a CR before an LF and empty lines
/// are ignored, and each other line is an event, or no event by itself. A payload whose first byte
/// is `{` is never text: where its first line is no JSON object, such as in an event over several
/// lines that is cut off, no line is taken for `asset:user`. The payload outlives it.
class event_reader
{
public:
    explicit event_reader(std::string_view payload);
    event_reader(const event_reader&) = delete;
    event_reader& operator=(const event_reader&) = delete;

    /// Moves to the first event, or to the next; false after the last. There is at least one.
    [[nodiscard]] bool next();

    /// Passes over as many of the events that next() would move to, without parsing them.
    void skip(std::size_t events);

    /// The event; valid until next(). Fails as parse_event() does.
    [[nodiscard]] const result<event_view>& event() const noexcept { return event_; }

    /// The number of the event, from 0; empty lines have none.
    [[nodiscard]] std::size_t line() const noexcept { return line_; }

    /// The event as it stands in the payload.
    [[nodiscard]] std::string_view text() const noexcept { return text_; }

    /// Whether the payload is read line by line.
    [[nodiscard]] bool has_lines() const noexcept { return lines_; }

private:
    void read(std::string_view text);
    [[nodiscard]] bool take_line(std::string_view& into);

    std::string_view rest_;
    std::string_view text_;
    std::size_t line_ = 0;
    bool lines_ = false;
    bool begun_ = false;
    bool text_counts_ = true;          ///< lines may be `asset:user`
    std::optional<play_event> parsed_; ///< what event_ refers to, unless that is the payload
    result<event_view> event_;
};

/// An id as an edge gives it to an event without a key: `BATCH.LINE`, a ULID and the number of the
/// event in its message, in digits without a leading zero.
struct batch_event_id
{
    std::string_view batch; ///< 26 characters
    std::size_t line = 0;
};

/// Nothing for an id of any other form. Thread-safe.
[[nodiscard]] std::optional<batch_event_id> parse_batch_event_id(std::string_view id) noexcept;

} // namespace marquee
