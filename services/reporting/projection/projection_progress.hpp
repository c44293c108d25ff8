// Values that the projection shares with its tables and its uncommitted counts.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace marquee
{

struct projection_settings
{
    std::string path;
    std::chrono::nanoseconds dedupe_window = std::chrono::hours(24); ///< of a new file; an existing one keeps its own
    bool accept_loss = false; ///< go on where events that were not counted are gone from the stream
};

/// How far a projection has counted. All members but the last three are a function of the stream
/// and the rule of counting alone: a rebuild gives the same.
struct projection_progress
{
    std::string stream_id;                      ///< of the stream counted; empty: it has none, or is not known yet
    std::uint64_t last_sequence = 0;            ///< everything up to this sequence is counted
    std::chrono::nanoseconds last_timestamp{0}; ///< of the message at last_sequence, by the stream; 0: not known
    std::uint64_t applied = 0;                  ///< events counted
    std::uint64_t duplicates = 0;
    std::uint64_t rejected = 0;
    std::uint64_t retracted = 0;  ///< views of `applied` that were taken back
    std::uint64_t erased = 0;     ///< views of `applied` whose user was erased
    std::uint32_t next_asset = 1; ///< the next number (counter_rows.hpp)
    std::uint32_t next_user = 1;
    std::uint64_t last_reject_sequence = 0;
    std::string last_reject_reason;
    std::uint64_t skipped = 0;    ///< messages gone from the stream before they were counted (accept_loss)
    std::uint64_t rule_since = 0; ///< counts up to here may be by another rule (see take_over); 0: all are by this one
    bool rebuilt = false;         ///< the rebuild that was asked for is done
};

/// What can be done with the file after a failure.
enum class file_condition
{
    sound = 1,
    full,  ///< no disk space: the last change was not made; the next may be tried
    broken ///< neither written nor read any more; the program has to end
};

/// The event that took an event id.
struct first_use
{
    std::string asset; ///< asset and user are empty where only the stream has them
    std::string user;
    std::uint64_t sequence = 0;
    std::size_t line = 0; ///< of the event in its message, from 0
};

/// An event that is about to take an event id. The references are valid for the call only.
struct id_use
{
    std::uint64_t sequence;
    std::size_t line;
    std::int64_t time;   ///< timestamp of the message, nanoseconds
    std::int64_t viewed; ///< time of the view, milliseconds
    const std::string& asset;
    const std::string& user;
};

} // namespace marquee
