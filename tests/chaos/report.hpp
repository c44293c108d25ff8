// The result of a run.
#pragma once

#include "tests/chaos/options.hpp"
#include "tests/support/load.hpp"

#include <boost/json/object.hpp>

#include <string>
#include <vector>

namespace marquee::chaos
{

struct report
{
    test::load_report load;
    std::uint64_t published = 0; ///< events put into the stream without the edge
    unsigned kills = 0;
    unsigned stops = 0;                         ///< SIGSTOP … SIGCONT
    std::chrono::milliseconds slowest_start{0}; ///< of a killed process, until it served again
    std::string recount = "not run";            ///< its last line
    std::vector<std::string> failures;          ///< none: everything held
};

[[nodiscard]] boost::json::object as_json(const options& run, const report& what);

/// For people: a line each.
[[nodiscard]] std::string as_text(const options& run, const report& what);

} // namespace marquee::chaos
