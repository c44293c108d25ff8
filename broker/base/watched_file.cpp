#include "broker/base/watched_file.hpp"

#include <sys/stat.h>

namespace marquee
{

bool watched_file::changed()
{
    std::optional<version> now;
    struct stat found
    {
    };
    if (::stat(path_.c_str(), &found) == 0)
        now = version{found.st_dev, found.st_ino, found.st_size, found.st_mtim.tv_sec, found.st_mtim.tv_nsec};
    if (now == seen_)
        return false;
    seen_ = now;
    return true;
}

std::string_view trim_lines(std::string_view text) noexcept
{
    constexpr std::string_view blanks = " \t\r\n";
    const auto first = text.find_first_not_of(blanks);
    if (first == std::string_view::npos)
        return {};
    return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

} // namespace marquee
