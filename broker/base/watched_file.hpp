// A small file with secrets or keys that an operator may replace at any time.
#pragma once

#include "broker/base/small_file.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace marquee
{

/// Notices changes of one file. Not thread-safe: each io thread has its own object.
class watched_file
{
public:
    /// Watches no file.
    watched_file() = default;

    explicit watched_file(std::string path) : path_(std::move(path)) {}

    [[nodiscard]] const std::string& path() const noexcept { return path_; }

    /// Returns whether the file was replaced, written, removed or created since the last call.
    /// Costs one stat(2).
    [[nodiscard]] bool changed();

    /// See read_small_file().
    [[nodiscard]] result<std::string> read(secrecy what = secrecy::open) const { return read_small_file(path_, what); }

private:
    struct version
    {
        std::uint64_t device = 0;
        std::uint64_t inode = 0;
        std::int64_t size = 0;
        std::int64_t seconds = 0;
        std::int64_t nanoseconds = 0;
        friend bool operator==(const version&, const version&) = default;
    };

    std::string path_;
    std::optional<version> seen_; ///< nothing: there was no file
};

/// Returns `text` without leading and trailing blanks and line ends.
[[nodiscard]] std::string_view trim_lines(std::string_view text) noexcept;

} // namespace marquee
