// Waiting for the broker's part of a start.
#pragma once

#include "broker/connection.hpp"

#include <string>

namespace marquee
{

/// Judges the failed tries of one step of a start, and says what is waited for.
class start_wait
{
public:
    /// `what` as it stands in the log: "stream EVENTS".
    start_wait(connection& nats, std::string what);

    /// Of a try that failed with `why`. With bad_request waiting is in vain: settings that cannot be used,
    /// no JetStream. Else it is logged, once for each reason.
    [[nodiscard]] error judge(const error& why);

private:
    connection& nats_;
    std::string what_;
    std::string logged_;
};

} // namespace marquee
