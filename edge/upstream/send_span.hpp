// The span of a view on its way into the stream.
#pragma once

#include "broker/telemetry/span.hpp"
#include "schemas/error.hpp"

#include <string_view>

namespace marquee
{

/// Begins it as a child of a play; null: nothing is recorded. Its context stands in the event.
[[nodiscard]] inline span send_span(const trace_context* play)
{
    return span::child(play, "publish events", span_kind::producer);
}

/// Says in which message it leaves, and the event's id.
inline void describe_send(span& of, std::string_view message_id, std::string_view event_id)
{
    describe_message(of, "publish", "send", "events");
    of.set("messaging.message.id", message_id);
    of.set("marquee.event.id", event_id);
}

/// Ends it when the view is stored, or is not known to be.
template <class T>
void end_send_span(span& of, const result<T>& how)
{
    if (how.has_error())
        of.fail(name_of(how.error().code), service_code_of(how.error().code) >= 500);
    of.end();
}

} // namespace marquee
