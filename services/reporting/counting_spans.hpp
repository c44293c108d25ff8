// The spans of counting events whose senders are traced.
#pragma once

#include "broker/jetstream/stored_message.hpp"
#include "broker/telemetry/span.hpp"

#include <chrono>
#include <span>

namespace marquee
{

/// Records that messages have been counted: for each that holds an event with a context
/// (event_trace()) a span of its own trace, because it is later than the play's answer, with links
/// to those who sent the events; a second one where the first has no room for more links. Only for
/// messages that have just been stored, so that a replay is no storm of spans. Costs nothing while
/// spans are not exported.
void record_counting(std::span<const stored_message> counted, span_record::clock::time_point began);

} // namespace marquee
