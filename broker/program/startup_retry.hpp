// Retrying the steps of a start that need JetStream.
#pragma once

#include "broker/nats/connection.hpp"

#include <string>

namespace marquee
{

/// Decides whether a failed step of a start may be tried again, and logs what is waited for. On the
/// io thread; `nats` must outlive this object.
class startup_retry
{
public:
    /// `what` appears in the log: "stream EVENTS".
    startup_retry(connection& nats, std::string what);

    /// Takes the failure of one try. Returns bad_request if another try is in vain (settings that
    /// cannot be used, a broker without JetStream), else `why`, which is logged once per reason.
    [[nodiscard]] error classify(const error& why);

private:
    connection& nats_;
    std::string what_;
    std::string logged_; ///< the last reason
};

} // namespace marquee
