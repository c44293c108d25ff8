#include "tests/chaos/report.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <sstream>

namespace marquee::chaos
{

namespace
{

std::uint64_t rate(const test::load_report& load)
{
    return load.acknowledged * 1000 / static_cast<std::uint64_t>(std::max<std::int64_t>(1, load.time.count()));
}

} // namespace

boost::json::object as_json(const options& run, const report& what)
{
    const auto& load = what.load;
    boost::json::object statuses;
    for (const auto& [status, count] : load.statuses)
        statuses[std::to_string(status)] = count;
    return {{"scenario", run.scenario},
            {"seed", run.seed},
            {"attempts", load.attempts},
            {"acknowledged", load.acknowledged},
            {"without_counts", load.uncounted},
            {"refused", load.refused},
            {"unknown", load.unknown},
            {"unconnected", load.unconnected},
            {"broken", load.broken},
            {"statuses", std::move(statuses)},
            {"published", what.published},
            {"kills", what.kills},
            {"stops", what.stops},
            {"longest_outage_ms", load.longest_outage.count()},
            {"slowest_start_ms", what.slowest_start.count()},
            {"seconds", static_cast<double>(load.time.count()) / 1000},
            {"plays_per_second", rate(load)},
            {"wrong_answers", load.wrong},
            {"recount", what.recount},
            {"failures", boost::json::array(what.failures.begin(), what.failures.end())}};
}

std::string as_text(const options& run, const report& what)
{
    std::ostringstream out;
    for (const auto& [name, value] : as_json(run, what))
        if (name != "failures")
            out << name << ": " << (value.is_string() ? std::string(value.as_string()) : boost::json::serialize(value))
                << '\n';
    for (const auto& failure : what.failures)
        out << "FAILURE: " << failure << '\n';
    out << (what.failures.empty() ? "everything held"
                                  : "something did not hold; run again with --seed " + std::to_string(run.seed))
        << '\n';
    return out.str();
}

} // namespace marquee::chaos
