#include "tests/bench/accounting.hpp"

#include <ctime>
#include <fstream>
#include <stdexcept>

#include <sys/resource.h>

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

/// Of this thread, and of the children that have ended and were waited for.
double client_seconds()
{
    rusage children{};
    ::getrusage(RUSAGE_CHILDREN, &children);
    const auto seconds = [](const timeval& t)
    { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6; };
    return seconds_of(CLOCK_THREAD_CPUTIME_ID) + seconds(children.ru_utime) + seconds(children.ru_stime);
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

core_time cores_now()
{
    std::ifstream stat("/proc/stat");
    std::string name;
    stat >> name; // "cpu": user nice system idle iowait irq softirq steal
    core_time now;
    double ticks = 0;
    for (int field = 0; field < 8 && stat >> ticks; ++field)
    {
        now.all += ticks;
        now.idle += field == 3 || field == 4 ? ticks : 0;
    }
    return now;
}

cost_watch::cost_watch(processes watched) : watched_(std::move(watched)), client_before_(client_seconds())
{
    for (const auto& [name, pid] : watched_)
    {
        std::ofstream("/proc/" + std::to_string(pid) + "/clear_refs") << "5"; // resets the peak
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
    to["cpu client"] = each(client_seconds() - client_before_);
}

} // namespace marquee::bench
