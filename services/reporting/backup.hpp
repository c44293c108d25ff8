// A copy of the counts, taken beside the instance that counts on.
#pragma once

#include "schemas/error.hpp"

#include <cstdint>
#include <string>

namespace marquee
{

struct backup_contents
{
    std::uint64_t last_sequence = 0; ///< everything up to here is counted in the copy
    std::uint64_t applied = 0;
};

/// Copies what the database at `path` has committed at one moment, with its last sequence, to `copy`: one file that needs no log. One of that name
/// is replaced once the copy is whole and on the disk. An instance that uses the database goes on; without one the database is locked meanwhile.
[[nodiscard]] result<backup_contents> back_up(const std::string& path, const std::string& copy);

} // namespace marquee
