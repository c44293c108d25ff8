// The files that are part of the program. Written at build time by edge/page/embed.
#pragma once

#include <span>
#include <string_view>

namespace marquee
{

/// A file. The texts and bytes are constant.
struct embedded_file
{
    std::string_view folder; ///< `files` (the page) or `clips`
    std::string_view name;   ///< path in the folder
    std::string_view tag;    ///< of its bytes: the beginning of their SHA-256
    std::string_view bytes;
    std::string_view gzip; ///< the same, compressed; of clips empty
    std::string_view brotli;
};

/// All of them. Thread-safe.
[[nodiscard]] std::span<const embedded_file> embedded_files() noexcept;

} // namespace marquee
