#include "broker/jetstream/stream_settings.hpp"
#include "schemas/parse_number.hpp"
#include "tools/doctor/checks.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <string_view>

#include <sys/statvfs.h>

namespace marquee::doctor
{
namespace
{

constexpr std::uint64_t enough_files = 16'384; ///< the 10,000 connections that an edge takes by default, and some
constexpr std::uint64_t least_space = std::uint64_t{1} << 30U;

std::string first_line(const std::filesystem::path& file)
{
    std::string line;
    std::ifstream in(file);
    std::getline(in, line);
    return line;
}

/// The soft limit of open files in the text of /proc/PID/limits; none: unlimited, or it cannot be
/// read.
std::optional<std::uint64_t> open_files_limit(const std::filesystem::path& limits)
{
    std::ifstream in(limits);
    for (std::string line; std::getline(in, line);)
    {
        constexpr std::string_view name = "Max open files";
        if (!line.starts_with(name))
            continue;
        std::istringstream words(line.substr(name.size()));
        std::string soft;
        words >> soft;
        return parse_number<std::uint64_t>(soft);
    }
    return std::nullopt;
}

bool is_number(std::string_view text)
{
    return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

} // namespace

void check_open_files(findings& into, const std::string& proc)
{
    std::error_code ec;
    std::size_t seen = 0;
    const auto before = into.size();
    for (std::filesystem::directory_iterator each(proc, ec), end; !ec && each != end; each.increment(ec))
    {
        const auto pid = each->path().filename().string();
        if (!is_number(pid))
            continue;
        const auto name = first_line(each->path() / "comm");
        if (name != "marquee-edge" && name != "nats-server")
            continue;
        ++seen;
        const auto limit = open_files_limit(each->path() / "limits");
        if (limit && *limit < enough_files)
            into.push_back({severity::warning, "open files",
                            name + " (process " + pid + ") may open " + std::to_string(*limit) +
                                ": beyond it connections are not accepted",
                            "start it after `ulimit -n 65536`, or with LimitNOFILE=65536 in its systemd unit"});
    }
    if (into.size() == before && seen > 0)
        into.push_back({severity::ok, "open files", "enough for the edges and servers of this machine", {}});
}

void check_disk(const std::string& folder, findings& into)
{
    struct statvfs found = {};
    if (::statvfs(folder.c_str(), &found) != 0)
    {
        const std::string why = std::strerror(errno); // NOLINT(concurrency-mt-unsafe)
        into.push_back(
            {severity::problem, "disk", folder + ": " + why, "name a folder that is there and may be looked at"});
        return;
    }
    check_space(folder, static_cast<std::uint64_t>(found.f_bavail) * found.f_frsize,
                static_cast<std::uint64_t>(found.f_blocks) * found.f_frsize, into);
}

void check_space(const std::string& folder, std::uint64_t free, std::uint64_t all, findings& into)
{
    const auto text = size_about(free) + " of " + size_about(all) + " are free in " + folder;
    const auto low = std::max(all / 20, std::min(all / 4, least_space));
    if (free < low / 10)
        into.push_back({severity::problem, "disk", text, "make room: what finds none is refused"});
    else if (free < low)
        into.push_back({severity::warning, "disk", text, "make room"});
    else
        into.push_back({severity::ok, "disk", text, {}});
}

} // namespace marquee::doctor
