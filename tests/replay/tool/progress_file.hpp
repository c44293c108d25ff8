// How far a replay is, in a file that survives the process.
#pragma once

#include "tests/replay/tool/event_file.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace marquee::replay
{

struct tally
{
    std::uint64_t acknowledged = 0; ///< events that the stream has: each is counted once, however often it was sent
    std::uint64_t duplicate = 0;    ///< of these, those it had already, also from an attempt whose acknowledgement got lost
    std::uint64_t rejected = 0;     ///< of these, those that reporting rejects
    std::uint64_t refused = 0;      ///< events that JetStream answered with an error, once at least, whatever became of them
    std::uint64_t skipped = 0;      ///< lines that cannot be sent (--skip-bad)
    friend bool operator==(const tally&, const tally&) = default;
};

struct replay_progress
{
    file_identity file; ///< the beginning of the file, up to `at` at least: what follows may have been corrected since
    std::uint64_t round = 1;
    file_position at; ///< everything before it is acknowledged, in this round
    tally counts;
    friend bool operator==(const replay_progress&, const replay_progress&) = default;
};

/// Nothing where there is no such file. Fails with bad_request where it is something else.
[[nodiscard]] result<std::optional<replay_progress>> load_progress(const std::string& path);

/// Whole or not at all, whatever dies (written beside it, synced, renamed). Fails with unavailable.
[[nodiscard]] result<void> save_progress(const std::string& path, const replay_progress& progress);

} // namespace marquee::replay
