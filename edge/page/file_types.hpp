// Media types of files, by the end of their names.
#pragma once

#include <string_view>

namespace marquee
{

/// The Content-Type of a file of this name; application/octet-stream where its end is not known.
/// Thread-safe.
[[nodiscard]] std::string_view type_of_file(std::string_view name) noexcept;

} // namespace marquee
