#include "broker/telemetry/otlp_json.hpp"

#include "schemas/json.hpp"
#include "schemas/parse_number.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>

namespace marquee::detail
{

namespace
{

namespace json = boost::json;

constexpr int status_error = 2;
constexpr std::uint32_t flag_sampled = 1;

json::object attribute(std::string_view key, json::object value) { return {{"key", key}, {"value", std::move(value)}}; }

json::object text_attribute(std::string_view key, std::string_view text)
{
    return attribute(key, {{"stringValue", text}});
}

json::object encode(const span_record::attribute& one)
{
    if (const auto* number = std::get_if<std::int64_t>(&one.second))
        return attribute(one.first, {{"intValue", std::to_string(*number)}});
    return text_attribute(one.first, std::get<std::string>(one.second));
}

std::string nanoseconds(span_record::clock::time_point when)
{
    return std::to_string(std::chrono::duration_cast<std::chrono::nanoseconds>(when.time_since_epoch()).count());
}

json::object ids_of(const trace_context& context)
{
    json::object ids{{"traceId", trace_id_text(context)}, {"spanId", span_id_text(context)}};
    if (!context.state.empty())
        ids["traceState"] = context.state;
    return ids;
}

json::object encode(const span_record& span)
{
    auto made = ids_of(span.context);
    if (std::any_of(span.parent_span.begin(), span.parent_span.end(), [](auto byte) { return byte != 0; }))
        made["parentSpanId"] = span_id_text({{}, span.parent_span, false, {}});
    made["name"] = span.name;
    made["kind"] = static_cast<int>(span.kind);
    made["flags"] = flag_sampled;
    made["startTimeUnixNano"] = nanoseconds(span.began);
    made["endTimeUnixNano"] = nanoseconds(span.ended);
    json::array attributes;
    for (const auto& each : span.attributes)
        attributes.push_back(encode(each));
    made["attributes"] = std::move(attributes);
    if (!span.links.empty())
    {
        json::array links;
        for (const auto& each : span.links)
            links.push_back(ids_of(each));
        made["links"] = std::move(links);
    }
    if (span.links_left_out > 0)
        made["droppedLinksCount"] = span.links_left_out;
    if (span.failed)
        made["status"] = json::object{{"code", status_error}};
    return made;
}

} // namespace

std::string encode_spans(std::span<const std::unique_ptr<span_record>> spans, const service_resource& from)
{
    json::array encoded;
    for (const auto& each : spans)
        encoded.push_back(encode(*each));
    json::object scope{{"scope", json::object{{"name", "marquee"}, {"version", from.version}}},
                       {"spans", std::move(encoded)}};
    json::object resource{{"attributes", json::array{text_attribute("service.namespace", "marquee"),
                                                     text_attribute("service.name", from.name),
                                                     text_attribute("service.instance.id", from.instance),
                                                     text_attribute("service.version", from.version)}}};
    json::object all{{"resource", std::move(resource)}, {"scopeSpans", json::array{std::move(scope)}}};
    return json::serialize(json::object{{"resourceSpans", json::array{std::move(all)}}});
}

std::uint64_t rejected_spans(std::string_view answer, std::uint64_t sent)
{
    const auto read = read_object(answer);
    const auto* partial = read ? read->if_contains("partialSuccess") : nullptr;
    const auto* rejected =
        partial != nullptr && partial->is_object() ? partial->get_object().if_contains("rejectedSpans") : nullptr;
    if (rejected == nullptr)
        return 0;
    if (const auto* text = rejected->if_string())
        return std::min(parse_number<std::uint64_t>(std::string_view(text->data(), text->size())).value_or(0), sent);
    const auto* number = rejected->if_int64();
    return number != nullptr && *number > 0 ? std::min(static_cast<std::uint64_t>(*number), sent) : 0;
}

} // namespace marquee::detail
