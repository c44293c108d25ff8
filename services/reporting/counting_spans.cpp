#include "services/reporting/counting_spans.hpp"

#include "schemas/event_lines.hpp"
#include "schemas/subjects.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace marquee
{

namespace
{

constexpr std::size_t max_spans = 2;        ///< of a message: the links of 256 events, which is all of an edge's
constexpr std::uint64_t max_pending = 1000; ///< messages
constexpr std::chrono::seconds max_age{60}; ///< by this machine's clock, as that of the span is

/// A sampled trace without a parent.
span new_trace()
{
    auto root = make_trace();
    root.sampled = true;
    return span::begin(std::move(root), {}, "process events", span_kind::consumer);
}

/// Spans with links to all traced events of a message, as many as it takes within the bound. Beyond
/// it lines are only counted: anybody may publish many.
void record(const stored_message& m, span_record::clock::time_point began)
{
    std::vector<span> all;
    std::int64_t count = 0;
    event_reader events(m.data);
    while (events.next())
    {
        ++count;
        const bool full = all.empty() || !all.back().takes_links();
        if (full && all.size() == max_spans)
            continue;
        const auto sender = event_trace(events.text());
        if (!sender)
            continue;
        if (full)
            all.push_back(new_trace());
        all.back().link(*sender);
    }
    for (auto& one : all)
    {
        one.started_at(began);
        describe_message(one, "process", "process", "events");
        one.set("messaging.batch.message_count", count);
        one.set("marquee.stream.sequence", static_cast<std::int64_t>(m.sequence));
        if (const auto id = m.headers.get(names::header_msg_id); !id.empty())
            one.set("messaging.message.id", id);
    }
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
