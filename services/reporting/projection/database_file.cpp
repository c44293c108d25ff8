#include "services/reporting/projection/database_file.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>
#include <utility>

namespace marquee
{

result<file_lock> file_lock::take(const std::string& path)
{
    const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0)
        return fail(errc::unavailable, "cannot open " + path + ": " + std::strerror(errno));
    file_lock lock(fd);
    if (::flock(fd, LOCK_EX | LOCK_NB) == 0)
        return lock;
    if (errno == EWOULDBLOCK)
        return fail(errc::unavailable, "another process uses this database: " + path + " is locked");
    return fail(errc::unavailable, "cannot lock " + path + ": " + std::strerror(errno));
}

file_lock::file_lock(file_lock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

file_lock::~file_lock()
{
    if (fd_ >= 0)
        ::close(fd_);
}

result<void> delete_database(const std::string& path)
{
    // The database first: without its log it may be taken for whole.
    for (const auto* suffix : {"", "-wal", "-shm", "-journal"})
        if (const auto file = path + suffix; ::unlink(file.c_str()) != 0 && errno != ENOENT)
            return fail(errc::unavailable, "cannot delete " + file + ": " + std::strerror(errno));
    return {};
}

} // namespace marquee
