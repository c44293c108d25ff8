// The counts that reporting publishes for a message of events (contract, section 2).
#pragma once

#include "schemas/messages.hpp"

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

namespace marquee
{

/// What reporting says about one event.
struct counts_line
{
    std::optional<counts_reply> counts; ///< as they were at this event
    bool key_reused = false;            ///< its id was first used for another view
};

/// Reads `assetviews userviews` or an error code for each of `events` lines, each ended by LF, but
/// maybe for the last. Nothing where there is another number of lines or one is neither.
/// Thread-safe.
[[nodiscard]] std::optional<std::vector<counts_line>> read_counts_lines(std::string_view text, std::size_t events);

} // namespace marquee
