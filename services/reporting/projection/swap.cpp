#include "services/reporting/projection/swap.hpp"

#include "broker/base/fault_injection.hpp"
#include "services/reporting/projection/database_file.hpp"
#include "services/reporting/projection/paired_log.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <unistd.h>

namespace marquee
{
namespace
{

/// For injected faults only: a crash between two steps.
void crash_point(std::string_view fault)
{
    if (fault_injected(fault))
        ::_exit(137);
}

result<void> failed(const std::string& what) { return fail(errc::unavailable, what + ": " + std::strerror(errno)); }

/// A missing file is no error.
result<void> move_file(const std::string& from, const std::string& to)
{
    if (std::rename(from.c_str(), to.c_str()) != 0 && errno != ENOENT)
        return failed("cannot rename " + from + " to " + to);
    return {};
}

result<void> sync_folder_of(const std::string& path)
{
    const auto parent = std::filesystem::path(path).parent_path();
    const std::string folder = parent.empty() ? "." : parent.string();
    const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return failed("cannot open " + folder);
    const bool synced = ::fsync(fd) == 0 || errno == EINVAL; // not every file system can
    auto problem = synced ? result<void>() : failed("cannot sync " + folder);
    ::close(fd);
    return problem;
}

/// Deletes an empty log. One that is not empty belongs to a file that could not be opened, and
/// moves with it.
result<void> move_log(const std::string& path, const std::string& to)
{
    if (has_log(path))
        if (auto moved = move_file(path + "-wal", to + "-wal"); moved.has_error())
            return moved;
    for (const auto* suffix : {"-wal", "-shm"})
        if (::unlink((path + suffix).c_str()) != 0 && errno != ENOENT)
            return failed("cannot delete " + path + suffix);
    return {};
}

} // namespace

result<void> swap_databases(const std::string& path)
{
    const auto rebuilt = file_of_rebuild(path);
    const auto old = file_before_rebuild(path);
    if (has_log(rebuilt))
        return fail(errc::unavailable, "the log of " + rebuilt + " is not empty");
    std::error_code ec;
    if (std::filesystem::exists(path, ec))
    {
        crash_point("swap_dies_before");
        if (auto gone = delete_database(old); gone.has_error()) // of an earlier rebuild
            return gone;
        crash_point("swap_dies_without_old");
        if (auto moved = move_log(path, old); moved.has_error())
            return moved;
        crash_point("swap_dies_without_log");
        if (auto moved = move_file(path, old); moved.has_error())
            return moved;
    }
    crash_point("swap_dies_between");
    if (auto gone = move_log(rebuilt, rebuilt); gone.has_error())
        return gone;
    if (auto moved = move_file(rebuilt, path); moved.has_error())
        return moved;
    crash_point("swap_dies_after");
    return sync_folder_of(path);
}

} // namespace marquee
