// Mistakes that a build for tests can be told to make: a check that never failed proves nothing.
#pragma once

#include <string_view>

#if MARQUEE_PLANTED_FAULTS
#include <cstdlib>
#include <string>
#endif

namespace marquee
{

/// True where the environment variable MARQUEE_PLANT of this process names `fault`, in a build with MARQUEE_PLANTED_FAULTS; else false at
/// compile time. tests/chaos/planted_faults lists the faults, and for each the test that notices it.
#if MARQUEE_PLANTED_FAULTS
inline bool planted(std::string_view fault)
{
    static const auto chosen = []
    {
        const char* name = std::getenv("MARQUEE_PLANT");
        return std::string(name == nullptr ? "" : name);
    }();
    return fault == chosen;
}
#else
constexpr bool planted(std::string_view) noexcept { return false; }
#endif

} // namespace marquee
