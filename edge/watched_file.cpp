#include "edge/watched_file.hpp"

#include <openssl/crypto.h>

#include <fstream>

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

result<std::string> watched_file::read() const
{
    constexpr std::size_t most = 1024 * 1024;
    std::ifstream file(path_, std::ios::binary);
    std::string text(most + 1, '\0');
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    if (file.bad() || (file.fail() && !file.eof()))
        return fail(errc::bad_request, "cannot read the file " + path_);
    const auto size = static_cast<std::size_t>(file.gcount());
    std::string exact = text.substr(0, size);
    OPENSSL_cleanse(text.data(), size);
    if (size > most)
        return fail(errc::bad_request, "the file " + path_ + " is over 1 MiB");
    return exact;
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
