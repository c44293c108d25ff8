// The streams that hold Marquee's state, as the programs create them where they are missing.
#pragma once

#include "broker/jetstream/stream_settings.hpp"

#include <string>

namespace marquee
{

/// Stream EVENTS: views. Created by reporting.
[[nodiscard]] stream_config events_stream();

/// The KV bucket (ADR-8) of a catalogue: `metadata` or `cdnurl`, which creates it.
[[nodiscard]] stream_config bucket_stream(const std::string& bucket);

} // namespace marquee
