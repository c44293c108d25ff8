#include "edge/page/folder.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <system_error>

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace marquee
{

namespace
{

/// `numbers` in hexadecimal, joined by `-`.
std::string hex_tag(std::initializer_list<std::uint64_t> numbers)
{
    std::string tag;
    for (const auto number : numbers)
    {
        std::array<char, 16> digits{};
        const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number, 16).ptr;
        tag += tag.empty() ? "" : "-";
        tag.append(digits.data(), end);
    }
    return tag;
}

bool is_served_name(std::string_view name) noexcept
{
    return !name.empty() && name.front() != '.' &&
           std::none_of(name.begin(), name.end(),
                        [](unsigned char c) { return c < 0x20 || c == 0x7f || c == '/' || c == '\\'; });
}

} // namespace

owned_descriptor::~owned_descriptor()
{
    if (fd_ >= 0)
        ::close(fd_);
}

bool is_served_path(std::span<const std::string> path) noexcept
{
    return !path.empty() && std::all_of(path.begin(), path.end(), is_served_name);
}

result<folder> folder::open(const std::string& path)
{
    const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return fail(errc::bad_request, path + ": " + std::generic_category().message(errno));
    return folder(fd);
}

std::optional<folder_file> folder::find(std::span<const std::string> path) const
{
    if (!is_served_path(path))
        return std::nullopt;
    std::string joined;
    for (const auto& each : path)
        (joined += joined.empty() ? "" : "/") += each;
    ::open_how how{};
    how.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
    const auto fd = static_cast<int>(::syscall(SYS_openat2, root_.get(), joined.c_str(), &how, sizeof how));
    if (fd < 0)
        return std::nullopt;
    owned_descriptor descriptor(fd);
    struct stat about = {};
    if (::fstat(fd, &about) != 0 || !S_ISREG(about.st_mode))
        return std::nullopt;
    const auto changed = static_cast<std::uint64_t>(about.st_ctim.tv_sec) * 1'000'000'000U +
                         static_cast<std::uint64_t>(about.st_ctim.tv_nsec);
    const auto size = static_cast<std::uint64_t>(about.st_size);
    return folder_file{std::move(descriptor), size, hex_tag({about.st_ino, size, changed})};
}

} // namespace marquee
