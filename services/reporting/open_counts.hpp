// What a start finds at FILE, and whether it can count on from there.
#pragma once

#include "broker/jetstream/streams.hpp"
#include "services/reporting/projection/projection.hpp"

#include <memory>
#include <optional>
#include <string>

namespace marquee
{

struct found_counts
{
    projection counts;               ///< of FILE; projection::none() where FILE cannot be used
    std::string unusable;            ///< why FILE cannot be used; empty: it can
    bool rebuild_unfinished = false; ///< FILE.new is there: a rebuild was begun and is not done
};

/// Opens FILE. Completes a swap that a crash has cut off, and clears the mark of a finished rebuild
/// where `rebuild` is not asked for. Fails where FILE cannot be used and no rebuild is going to
/// replace it.
[[nodiscard]] result<found_counts> open_counts(const projection_settings& settings,
                                               const std::shared_ptr<file_lock>& lock, bool rebuild);

/// Why counts by another rule have to be counted anew; nothing where they stay. They stay where
/// both rules must give the same (no event was counted yet), and, with a warning, where the stream
/// no longer has its start: what is gone cannot be counted anew.
[[nodiscard]] result<std::optional<std::string>> judge_rule(projection& counts, const counting_rule& wanted,
                                                            const stream_state& stream);

/// True where the disk has room for a database beside FILE, with what FILE.new has already, or
/// cannot be asked.
[[nodiscard]] bool has_room_for_rebuild(const std::string& path);

/// True where the stream no longer has the messages that it began with.
[[nodiscard]] bool start_is_gone(const stream_state& stream) noexcept;

} // namespace marquee
