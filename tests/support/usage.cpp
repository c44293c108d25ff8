#include "tests/support/usage.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>

namespace marquee::test
{

usage usage_of(pid_t pid)
{
    const std::filesystem::path folder = "/proc/" + std::to_string(pid);
    std::ifstream status(folder / "status");
    usage now;
    for (std::string name; status >> name;)
    {
        if (name == "VmRSS:")
            status >> now.resident_kib;
        if (name == "VmHWM:")
            status >> now.peak_kib;
        if (name == "Threads:")
            status >> now.threads;
    }
    if (now.threads == 0)
        throw std::runtime_error("no process " + std::to_string(pid));
    const std::filesystem::directory_iterator open(folder / "fd");
    now.descriptors = static_cast<std::size_t>(std::distance(begin(open), end(open)));
    return now;
}

void forget_peak(pid_t pid) { std::ofstream("/proc/" + std::to_string(pid) + "/clear_refs") << 5; }

std::ostream& operator<<(std::ostream& out, const usage& what)
{
    return out << what.resident_kib << " KiB, " << what.descriptors << " descriptors, " << what.threads << " threads";
}

} // namespace marquee::test
