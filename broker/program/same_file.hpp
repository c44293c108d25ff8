// Whether two names that a user has given are one file.
#pragma once

#include <filesystem>
#include <string>
#include <system_error>

namespace marquee
{

/// True for equal names, and for names of one file that exists, whatever links and dots they have.
[[nodiscard]] inline bool is_same_file(const std::string& one, const std::string& other)
{
    std::error_code ignored;
    return one == other || std::filesystem::equivalent(one, other, ignored);
}

} // namespace marquee
