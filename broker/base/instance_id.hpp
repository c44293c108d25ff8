// Ids of what runs.
#pragma once

#include <string>

namespace marquee
{

/// Returns 22 random characters [0-9A-Za-z]: 131 bits. Thread-safe.
[[nodiscard]] std::string make_instance_id();

} // namespace marquee
