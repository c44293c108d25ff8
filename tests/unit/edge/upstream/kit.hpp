// What the tests of requests to services do to the health of a service.
#pragma once

#include "edge/upstream/service_health.hpp"

namespace marquee::test
{

inline void spend_budget(service_health& of)
{
    while (of.take_retry())
    {
    }
}

inline void fail_at(service_health& of, deadline::clock::time_point when)
{
    of.failed(service_health::permit::granted, errc::timeout, when, when);
}

/// Opens a circuit for about an hour: the failures are reported with a time in the future.
inline void open_circuit(service_health& of)
{
    for (int i = 0; i < 10; ++i)
        fail_at(of, deadline::clock::now() + std::chrono::hours(1));
}

} // namespace marquee::test
