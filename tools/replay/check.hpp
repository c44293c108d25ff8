// Checks a file of events without a broker.
#pragma once

#include "tools/replay/event_file.hpp"

#include <cstdint>
#include <iosfwd>

namespace marquee::replay
{

/// Numbers of lines.
struct check_outcome
{
    std::uint64_t events = 0;   ///< lines that would be sent
    std::uint64_t rejected = 0; ///< of these, those that reporting rejects
    std::uint64_t bad = 0;      ///< lines that cannot be sent
};

/// Reads to the end, and blocks while a stream has nothing. Writes the number of each bad and each
/// rejected line, with the reason, to `out`. Fails as line_reader::next() does.
[[nodiscard]] result<check_outcome> check_lines(line_reader& lines, std::ostream& out);

} // namespace marquee::replay
