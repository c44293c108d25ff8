// Events, which any NATS client may publish.
#include "schemas/event.hpp"
#include "schemas/cloud_event.hpp"
#include "schemas/event_lines.hpp"
#include "schemas/rfc3339.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace marquee;
using marquee::fuzz::require;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const auto input = fuzz::text(data, size);
    (void)is_rfc3339_utc(input);
    std::size_t read = 0;
    for (event_reader events(input); events.next(); ++read)
        require(events.event().has_error() ||
                    (is_valid_id(events.event()->asset) && is_valid_id(events.event()->user) &&
                     (events.event()->id.empty() || is_valid_event_id(events.event()->id))),
                "a line is about ids, or no event");
    if (const auto trace = event_trace(input))
        require(parse_traceparent(format_traceparent(*trace)) == trace, "a context can be written and read again");
    (void)parse_traceparent(input, input);
    const auto state = parse_tracestate(input);
    require(state.size() <= max_tracestate_bytes && parse_tracestate(state) == state, "a tracestate is a bounded list");
    require(read > 0, "a payload is an event, or is rejected");
    const auto event = parse_event(input);
    if (event.has_error())
    {
        require(event.error() == errc::bad_request || event.error() == errc::bad_id,
                "a failure is bad_request or bad_id");
        return 0;
    }
    require(is_valid_id(event->asset.text()) && is_valid_id(event->user.text()), "an event is about ids");
    require(event->id.has_value() == (input.front() == '{'), "JSON has an id, text has none");
    require(!is_cloud_event(input) || event->id->starts_with("c-"), "a CloudEvent's id is of source and id");
    const auto id = event->id.value_or("e");
    require(is_valid_event_id(id), "the id of an event is one");
    const auto again =
        parse_event(encode_event(id, event->asset, event->user, std::chrono::system_clock::time_point()));
    require(again.has_value() && again->id == id && again->asset == event->asset && again->user == event->user,
            "what was read can be written and read again");
    return 0;
}
