#include "broker/base/process_figures.hpp"

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>

#include <ctime>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

namespace marquee
{

namespace
{

const auto program_began = std::chrono::system_clock::now();

std::optional<std::uint64_t> resident_bytes()
{
    std::uint64_t whole = 0;
    std::uint64_t resident = 0;
    std::ifstream pages("/proc/self/statm");
    if (!(pages >> whole >> resident))
        return std::nullopt;
    return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

/// Since Linux 6.2 the size of the folder is their number; before it is 0.
std::optional<std::uint64_t> open_files()
{
    const char* folder = "/proc/self/fd";
    struct stat about
    {
    };
    if (::stat(folder, &about) == 0 && about.st_size > 0)
        return static_cast<std::uint64_t>(about.st_size);
    std::error_code ec;
    std::filesystem::directory_iterator each(folder, ec);
    std::uint64_t count = 0;
    for (; !ec && each != std::filesystem::directory_iterator(); each.increment(ec))
        ++count;
    if (ec || count == 0)
        return std::nullopt;
    return count - 1; // without the one that reads the folder
}

std::optional<std::uint64_t> max_files()
{
    struct rlimit limit
    {
    };
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
        return std::nullopt;
    return limit.rlim_cur;
}

} // namespace

process_figures read_process_figures()
{
    process_figures found;
    found.start_seconds = std::chrono::duration<double>(program_began.time_since_epoch()).count();
    timespec used{};
    if (::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used) == 0)
        found.cpu_seconds = static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) * 1e-9;
    found.resident_bytes = resident_bytes();
    found.open_files = open_files();
    found.max_files = max_files();
    return found;
}

} // namespace marquee
