#include "services/reporting/counting_spans.hpp"

#include "schemas/event_lines.hpp"
#include "schemas/subjects.hpp"

#include <cstdint>
#include <string>

namespace marquee
{

namespace
{

constexpr std::uint64_t max_pending = 1000; ///< messages
constexpr std::chrono::seconds max_age{60}; ///< by this machine's clock, as that of the span is

/// A sampled trace without a parent.
span new_trace()
{
    auto root = make_trace();
    root.sampled = true;
    return span::begin(std::move(root), {}, "process events", span_kind::consumer);
}

void record(const stored_message& m, span_record::clock::time_point began)
{
    span one;
    std::int64_t count = 0;
    event_reader events(m.data);
    while (events.next())
    {
        ++count;
        const auto sender = event_trace(events.text());
        if (!sender)
            continue;
        if (!one)
            one = new_trace();
        one.link(*sender);
    }
    if (!one)
        return;
    one.started_at(began);
    describe_message(one, "process", "process", "events");
    one.set("messaging.batch.message_count", count);
    one.set("marquee.stream.sequence", static_cast<std::int64_t>(m.sequence));
    if (const auto id = m.headers.get(names::header_msg_id); !id.empty())
        one.set("messaging.message.id", id);
}

} // namespace

void record_counting(std::span<const stored_message> counted, span_record::clock::time_point began)
{
    if (process_sink() == nullptr || counted.empty())
        return;
    static const auto subject = subjects::events().str();
    const auto now = std::chrono::nanoseconds(began.time_since_epoch());
    for (const auto& m : counted)
        if (m.subject == subject && m.pending <= max_pending && now - m.timestamp <= max_age &&
            m.data.find("\"trace") != std::string::npos)
            record(m, began);
}

} // namespace marquee
