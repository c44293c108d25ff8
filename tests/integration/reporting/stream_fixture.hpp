// reporting on a stream that is edited, purged or replaced, by a broker that is stopped.
#pragma once

#include "tests/integration/reporting/reporting_fixture.hpp"

namespace marquee::test
{

struct stream_fixture : reporting_fixture
{
    void server_stopped()
    {
        server.stop();
        until([&] { return !hand->connected(); });
    }

    void server_back() { server_up("EVENTS"); }

    /// Up to `sequence`, and not that one.
    void purge_up_to(std::uint64_t sequence) { api(stream_purge, "{\"seq\":" + std::to_string(sequence) + "}"); }
};

} // namespace marquee::test
