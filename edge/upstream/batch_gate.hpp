// Whether every instance of reporting counts messages of several events.
#pragma once

#include "broker/base/deadline.hpp"

#include <boost/json/object.hpp>

#include <chrono>
#include <string>
#include <vector>

namespace marquee
{

/// An instance of reporting that rejects messages of several events, and so loses their views until
/// a rebuild, is of an earlier version; during a rolling update it runs beside new ones. The gate
/// is open once it has looked and while no such instance was seen for an hour. An instance_watch
/// tells it. Used on one io thread.
class batch_gate
{
public:
    using clock = deadline::clock;

    static constexpr std::chrono::hours memory{1};

    /// Whether messages may hold several events.
    [[nodiscard]] bool open(clock::time_point now) const noexcept { return looked_ && now >= closed_until_; }

    /// Instances that cannot count such messages and answered the last look: id and version.
    [[nodiscard]] const std::vector<std::string>& old_instances() const noexcept { return old_; }

    /// Adds an INFO document of reporting. An instance that was not seen at the last look is
    /// logged.
    void add(const boost::json::object& info, clock::time_point now);

    /// Ends a look. `complete`: the link was up all the while.
    void looked(bool complete);

private:
    bool looked_ = false;
    clock::time_point closed_until_{};
    std::vector<std::string> old_;   ///< at the last look
    std::vector<std::string> found_; ///< in this look
};

} // namespace marquee
