// Copies the counts while an instance uses them.
#pragma once

#include "schemas/error.hpp"

#include <cstdint>
#include <string>

namespace marquee
{

struct backup_contents
{
    std::uint64_t last_sequence = 0; ///< the copy has counted everything up to here
    std::uint64_t applied = 0;       ///< views in the copy
};

/// Copies what the database at `path` has committed at one moment to `copy`, one file that needs no
/// log. An existing `copy` is replaced once the new one is whole and on the disk. An instance that
/// uses the database goes on; where there is none, the database is locked meanwhile. Fails with
/// bad_request where `copy` is no file of its own, else with `unavailable`.
[[nodiscard]] result<backup_contents> back_up(const std::string& path, const std::string& copy);

} // namespace marquee
