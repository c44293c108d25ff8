// Reads a file of events and says what a replay of it would meet, without a broker.
#pragma once

#include "tests/replay/tool/event_file.hpp"

#include <cstdint>
#include <iosfwd>

namespace marquee::replay
{

struct check_outcome
{
    std::uint64_t events = 0;   ///< lines that would be sent
    std::uint64_t rejected = 0; ///< of these, those that reporting rejects
    std::uint64_t bad = 0;      ///< lines that cannot be sent
};

/// Reads to the end, waiting for a stream; writes a line for each bad and each rejected line, with its number and the reason, to `out`. Fails as
/// line_reader::next does.
[[nodiscard]] result<check_outcome> check_lines(line_reader& lines, std::ostream& out);

} // namespace marquee::replay
