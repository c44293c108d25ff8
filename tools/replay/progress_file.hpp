// The progress of a replay, in a file that survives the process.
#pragma once

#include "tools/replay/event_file.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace marquee::replay
{

struct tally
{
    std::uint64_t acknowledged = 0; ///< events that are stored, each counted once, however often it was sent
    std::uint64_t duplicate = 0;    ///< of these, events stored before, also by an attempt of ours
    std::uint64_t rejected = 0;     ///< of these, events that reporting rejects
    std::uint64_t refused = 0;      ///< events that JetStream answered with an error at least once
    std::uint64_t skipped = 0;      ///< lines that cannot be sent (--skip-bad)
    friend bool operator==(const tally&, const tally&) = default;
};

struct replay_progress
{
    file_identity file; ///< the beginning of the file, up to `at` at least; the rest may be edited
    std::uint64_t round = 1;
    file_position at; ///< everything before it is acknowledged in this round
    tally counts;
    friend bool operator==(const replay_progress&, const replay_progress&) = default;
};

/// Reads a progress file. Nothing if there is none. Fails with bad_request if it is malformed.
[[nodiscard]] result<std::optional<replay_progress>> load_progress(const std::string& path);

/// Writes a progress file atomically: a new file is written, synced and renamed. Fails with
/// unavailable.
[[nodiscard]] result<void> save_progress(const std::string& path, const replay_progress& progress);

/// Saves the progress of one replay twice per second. Not thread-safe.
class progress_saver
{
public:
    using clock = std::chrono::steady_clock;

    /// `path`: the progress file; empty: nothing is saved. `events`: the file that is replayed.
    progress_saver(std::string path, std::string events);

    /// Saves now. Sets `progress.file`. Fails with unavailable, or as prefix_digest::up_to() does.
    [[nodiscard]] result<void> save(replay_progress& progress);

    /// Saves if it is time and there is something new.
    [[nodiscard]] result<void> save_if_due(replay_progress& progress);

    [[nodiscard]] clock::time_point due() const noexcept { return saved_ + interval; }

private:
    static constexpr std::chrono::milliseconds interval{500};

    const std::string path_;
    prefix_digest digest_;
    clock::time_point saved_ = clock::now();
    file_position saved_at_;
};

} // namespace marquee::replay
