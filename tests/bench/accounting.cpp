#include "tests/bench/accounting.hpp"

#include <ctime>
#include <fstream>
#include <stdexcept>

namespace marquee::bench
{

namespace
{

double seconds_of(clockid_t clock)
{
    timespec t{};
    if (::clock_gettime(clock, &t) != 0)
        throw std::runtime_error("a process that is measured has ended");
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) / 1e9;
}

std::uint64_t status_bytes(pid_t pid, const std::string& name)
{
    std::ifstream status("/proc/" + std::to_string(pid) + "/status");
    for (std::string word; status >> word;)
        if (word == name)
        {
            std::uint64_t kib = 0;
            status >> kib;
            return kib * 1024;
        }
    throw std::runtime_error("a process that is measured has ended");
}

} // namespace

double cpu_seconds(pid_t pid)
{
    clockid_t clock{};
    if (::clock_getcpuclockid(pid, &clock) != 0)
        throw std::runtime_error("a process that is measured has ended");
    return seconds_of(clock);
}

std::uint64_t resident_bytes(pid_t pid) { return status_bytes(pid, "VmRSS:"); }

std::uint64_t peak_bytes(pid_t pid) { return status_bytes(pid, "VmHWM:"); }

cost_watch::cost_watch(processes watched) : watched_(std::move(watched)), client_before_(seconds_of(CLOCK_THREAD_CPUTIME_ID))
{
    for (const auto& [name, pid] : watched_)
    {
        std::ofstream("/proc/" + std::to_string(pid) + "/clear_refs") << "5"; // the peak begins anew
        before_.push_back(cpu_seconds(pid));
    }
}

void cost_watch::add_to(figures& to, double count) const
{
    const auto each = [count](double seconds) { return count > 0 ? seconds * 1e6 / count : 0; };
    for (std::size_t i = 0; i < watched_.size(); ++i)
    {
        const auto& [name, pid] = watched_[i];
        to["cpu " + name] = each(cpu_seconds(pid) - before_[i]);
        to["peak " + name] = static_cast<double>(peak_bytes(pid)) / (1024 * 1024);
    }
    to["cpu client"] = each(seconds_of(CLOCK_THREAD_CPUTIME_ID) - client_before_);
}

} // namespace marquee::bench
