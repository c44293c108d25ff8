// Faults that a test build injects into the programs, to show that a test notices each.
#pragma once

#include <string_view>

#if MARQUEE_FAULT_INJECTION
#include <cstdlib>
#include <string>
#endif

namespace marquee
{

/// Returns whether the environment variable MARQUEE_FAULT of this process names `fault`. False at
/// compile time in builds without MARQUEE_FAULT_INJECTION. Thread-safe. tests/chaos/injected_faults
/// lists the faults that are mistakes, and for each the test that notices it; scenario `batch` of
/// marquee-chaos causes those that a system has to live with.
#if MARQUEE_FAULT_INJECTION
inline bool fault_injected(std::string_view fault)
{
    static const auto chosen = []
    {
        const char* name = std::getenv("MARQUEE_FAULT");
        return std::string(name == nullptr ? "" : name);
    }();
    return fault == chosen;
}

/// Ends the process at once, as kill -9 does, where `fault` is injected.
inline void end_if_injected(std::string_view fault)
{
    if (fault_injected(fault))
        std::_Exit(137);
}
#else
constexpr bool fault_injected(std::string_view) noexcept { return false; }
constexpr void end_if_injected(std::string_view) noexcept {}
#endif

} // namespace marquee
