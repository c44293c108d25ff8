#include "tests/support/disk.hpp"

#include "tests/support/process.hpp"

#include <algorithm>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <unistd.h>

namespace marquee::test
{

namespace fs = std::filesystem;

namespace
{

/// Mounts must not outlive the test program, however it ends: a mount namespace of its own.
bool may_mount()
{
    static const bool may =
        ::unshare(CLONE_NEWNS) == 0 && ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
    return may;
}

bool succeeds(const char* program, const std::vector<std::string>& arguments)
{
    return fs::exists(program) && process(program, arguments).wait(std::chrono::seconds(60)).value_or(1) == 0;
}

fs::path filler(const fs::path& where) { return where / "filler"; }

} // namespace

std::unique_ptr<disk> disk::in_memory(const fs::path& where, std::uint64_t bytes)
{
    if (!may_mount())
        return nullptr;
    fs::create_directories(where);
    if (::mount("tmpfs", where.c_str(), "tmpfs", 0, ("size=" + std::to_string(bytes)).c_str()) != 0)
        return nullptr;
    return std::unique_ptr<disk>(new disk(where, {}));
}

std::unique_ptr<disk> disk::ext4(const fs::path& where, std::uint64_t bytes)
{
    if (!may_mount())
        return nullptr;
    fs::create_directories(where);
    const fs::path image = where.string() + ".image";
    std::ofstream(image).flush();
    fs::resize_file(image, bytes);
    std::unique_ptr<disk> made(new disk(where, image));
    if (!succeeds("/usr/sbin/mkfs.ext4", {"-q", "-F", image.string()}) || !made->mount_image())
        return nullptr;
    return made;
}

disk::~disk()
{
    ::umount2(where_.c_str(), MNT_DETACH);
    std::error_code ignored;
    if (!image_.empty())
        fs::remove(image_, ignored);
}

bool disk::mount_image() const
{
    return succeeds("/usr/bin/mount", {"-t", "ext4", "-o", "loop", image_.string(), where_.string()});
}

void disk::fill(std::uint64_t but)
{
    std::ofstream file(filler(where_), std::ios::binary | std::ios::app);
    const auto space = fs::space(where_).available;
    const std::string chunk(4096, 'x');
    for (auto left = space > but ? space - but : 0; left >= chunk.size() && file; left -= chunk.size())
        file << chunk;
    file.flush();
}

void disk::free_again() { fs::remove(filler(where_)); }

void disk::cut_power()
{
    constexpr auto go_down = _IOR('X', 125, std::uint32_t); // EXT4_IOC_SHUTDOWN, which `xfs_io -x -c shutdown` calls
    std::uint32_t without_the_log = 2;
    const int fd = ::open(where_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const bool done = fd >= 0 && ::ioctl(fd, go_down, &without_the_log) == 0;
    ::close(fd);
    if (!done)
        throw std::runtime_error("this file system cannot be shut down");
}

void disk::remount()
{
    if (::umount2(where_.c_str(), 0) != 0 || !mount_image())
        throw std::runtime_error("cannot mount " + image_.string() + " again");
}

void disk::sync()
{
    const int fd = ::open(where_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const bool done = fd >= 0 && ::syncfs(fd) == 0;
    ::close(fd);
    if (!done)
        throw std::runtime_error("cannot sync " + where_.string());
}

} // namespace marquee::test
