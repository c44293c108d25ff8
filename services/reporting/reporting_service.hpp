// The reporting service: counts stream EVENTS into a projection, and answers from it.
#pragma once

#include "broker/jetstream/settings_watch.hpp"
#include "broker/program/program.hpp"
#include "services/reporting/projection/projection.hpp"

#include <chrono>

namespace marquee
{

struct reporting_settings
{
    projection_settings database;
    bool rebuild = false; ///< count the stream anew beside the present counts; once, while this is set
    stream_config stream; ///< EVENTS, as it is created where it is missing (events_stream)
    std::chrono::milliseconds check_settings = settings_check; ///< period of looks at the stream's settings
};

/// Opens the projection, finds or creates the stream (waiting a while for JetStream), answers
/// `$SRV` at once and the endpoints once it has caught up. Fails where the database or the stream
/// cannot be used. `fatal` is called on the io thread where the database fails later, or counting
/// does before it has served.
[[nodiscard]] asio::awaitable<result<std::unique_ptr<component>>>
start_reporting(connection& nats, reporting_settings settings, fatal_handler fatal);

} // namespace marquee
