// reporting, wired: the stream into the projection, the projection behind the endpoints.
#pragma once

#include "broker/program.hpp"
#include "broker/settings_watch.hpp"
#include "services/reporting/projection.hpp"

namespace marquee
{

struct reporting_settings
{
    projection_settings database;
    bool rebuild = false;                                      ///< count anew, beside what serves; once, as long as this stays
    stream_config stream;                                      ///< EVENTS, as it is made where it is missing (events_config)
    std::chrono::milliseconds check_settings = settings_check; ///< how often the stream's settings are looked at
};

/// Stream EVENTS with its usual settings.
[[nodiscard]] stream_config events_config();

/// Opens the projection, makes or finds the stream (JetStream may be late: tried for a while), answers `$SRV` at once and the endpoints while caught up. Fails where the
/// database or the stream cannot be used; what makes the counts uncertain later calls `fatal`.
[[nodiscard]] asio::awaitable<result<std::unique_ptr<runnable>>> start_reporting(connection& nats, reporting_settings settings,
                                                                                 fatal_handler fatal);

} // namespace marquee
