// Shared by the tests of overload and endurance.
#pragma once

#include "tests/end_to_end/faults/recovery.hpp"
#include "tests/support/full_size.hpp"
#include "tests/support/play_stream.hpp"
#include "tests/support/usage.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <functional>
#include <limits>
#include <map>
#include <sstream>
#include <string>
#include <vector>

namespace marquee::test
{

inline const std::vector<std::string> programs_of_a_system = {"metadata", "cdnurl", "reporting", "edge"};

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool plain_memory = false; // sanitizers keep freed memory, and shadow memory
#else
inline constexpr bool plain_memory = true;
#endif

using outcomes = std::vector<play_outcome>;

inline std::size_t count(const outcomes& all, const std::function<bool(const play_outcome&)>& which)
{
    return static_cast<std::size_t>(std::count_if(all.begin(), all.end(), which));
}

inline bool is_played(const play_outcome& one) { return one.status == 200; }
inline bool is_refused(const play_outcome& one) { return one.status == 503 && one.proper; }

/// A quantile of their times, in ms; 0 where there are none. `share` 0.99 is the p99.
inline double took_ms(const outcomes& all, const std::function<bool(const play_outcome&)>& which, double share,
                      float (play_outcome::*time)() const noexcept = &play_outcome::took)
{
    std::vector<float> times;
    for (const auto& one : all)
        if (which(one))
            times.push_back((one.*time)());
    if (times.empty())
        return 0;
    const auto at = static_cast<std::ptrdiff_t>(share * static_cast<double>(times.size() - 1));
    std::nth_element(times.begin(), times.begin() + at, times.end());
    return 1000 * static_cast<double>(times[static_cast<std::size_t>(at)]);
}

/// How many of each, and between when they were answered.
inline std::string by_status(const outcomes& all)
{
    struct kind
    {
        std::size_t count = 0;
        float first = std::numeric_limits<float>::max();
        float last = 0;
    };
    std::map<int, kind> kinds;
    for (const auto& one : all)
    {
        auto& of = kinds[one.status];
        ++of.count;
        of.first = std::min(of.first, one.at);
        of.last = std::max(of.last, one.at);
    }
    std::ostringstream text;
    for (const auto& [status, of] : kinds)
        text << (text.tellp() == 0 ? "" : ", ") << of.count << " x " << status << " (" << of.first << " to " << of.last
             << " s)";
    return text.str();
}

/// The logs of the programs, and the metrics of the edge.
inline std::string account_of(marquee_system& system)
{
    std::string text;
    for (const auto& name : programs_of_a_system)
        text += name + ":\n" + system.at(name).output() + '\n';
    text += "broker:\n" + system.broker().output() + '\n';
    std::istringstream lines(system.call({"GET", "/metrics"}).body);
    for (std::string line; std::getline(lines, line);)
        if (!line.starts_with('#') && !line.ends_with(" 0"))
            text += line + '\n';
    return text;
}

/// The usage of each process once the edge has no connections but the one of this request.
inline std::map<std::string, usage> usage_without_clients(marquee_system& system)
{
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (system.call({"GET", "/metrics"}).body.find("\nmarquee_edge_connections 1\n") == std::string::npos)
        BOOST_TEST_REQUIRE((std::chrono::steady_clock::now() < end), "connections stay open");
    std::map<std::string, usage> all;
    for (const auto& name : programs_of_a_system)
        all[name] = usage_of(system.at(name).pid());
    return all;
}

} // namespace marquee::test
