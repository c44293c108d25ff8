// The faults of a running system, by name.
#pragma once

#include "tests/chaos/options.hpp"
#include "tests/chaos/report.hpp"

#include <string>
#include <vector>

namespace marquee::chaos
{

struct scenario
{
    std::string name;
    std::string text;
    sizes bounded;                             ///< what ./test runs
    sizes full;                                ///< with MARQUEE_FULL=1
    void (*run)(const options&, report& into); ///< throws where it cannot go on; what is known by then is in `into`
};

[[nodiscard]] const std::vector<scenario>& scenarios();

} // namespace marquee::chaos
