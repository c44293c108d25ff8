#include "broker/telemetry/span.hpp"

#include "schemas/utf8.hpp"

#include <algorithm>

namespace marquee
{

namespace
{

std::atomic<span_sink*> sink{nullptr};

/// The first bytes of a text, whole characters of UTF-8; anything else is replaced, because JSON
/// cannot have it.
std::string bounded(std::string_view text)
{
    std::string out;
    std::uint32_t point = 0;
    while (!text.empty())
    {
        const auto size = decode_utf8(text, point);
        const auto piece = size == 0 ? std::string_view("?") : text.substr(0, size);
        if (out.size() + piece.size() > span_record::max_value_bytes)
            break;
        out += piece;
        text.remove_prefix(std::max<std::size_t>(size, 1));
    }
    return out;
}

} // namespace

span_sink* process_sink() noexcept { return sink.load(std::memory_order_acquire); }

void set_process_sink(span_sink* to) noexcept { sink.store(to, std::memory_order_release); }

span span::begin(trace_context own, const std::array<std::uint8_t, 8>& parent, std::string_view name, span_kind kind)
{
    span made;
    if (!own.sampled)
        return made;
    made.record_ = std::make_unique<span_record>();
    auto& record = *made.record_;
    record.name = name;
    record.kind = kind;
    record.context = std::move(own);
    record.parent_span = parent;
    record.began = span_record::clock::now();
    record.attributes.reserve(8);
    return made;
}

span span::child(const trace_context* parent, std::string_view name, span_kind kind)
{
    if (parent == nullptr || !parent->sampled)
        return {};
    return begin(child_of(*parent), parent->span_id, name, kind);
}

void span::rename(std::string_view name)
{
    if (record_)
        record_->name = name;
}

span_record::attribute& span::attribute(std::string_view name)
{
    auto& all = record_->attributes;
    const auto earlier = std::find_if(all.begin(), all.end(), [&](const auto& each) { return each.first == name; });
    return earlier != all.end() ? *earlier : all.emplace_back(name, std::int64_t{0});
}

void span::set(std::string_view name, std::string_view value)
{
    if (record_)
        attribute(name).second = bounded(value);
}

void span::set(std::string_view name, std::int64_t value)
{
    if (record_)
        attribute(name).second = value;
}

void span::link(const trace_context& to)
{
    if (takes_links())
        record_->links.push_back(to);
    else if (record_)
        ++record_->links_left_out;
}

void span::started_at(span_record::clock::time_point when)
{
    if (record_)
        record_->began = when;
}

void span::fail(std::string_view type, bool error)
{
    set("error.type", type);
    if (record_)
        record_->failed = error;
}

void span::end() noexcept
{
    auto ended = std::move(record_);
    auto* const to = process_sink();
    if (!ended || to == nullptr)
        return;
    ended->ended = std::max(span_record::clock::now(), ended->began);
    to->ended(std::move(ended));
}

void describe_message(span& of, std::string_view operation, std::string_view type, std::string_view destination)
{
    const bool is_template = destination.find('*') != std::string_view::npos;
    of.set("messaging.system", "nats");
    of.set("messaging.operation.name", operation);
    of.set("messaging.operation.type", type);
    of.set(is_template ? "messaging.destination.template" : "messaging.destination.name", destination);
}

std::string subject_template(std::string_view subject)
{
    std::string made;
    for (std::size_t token = 0; !subject.empty(); ++token)
    {
        const auto dot = std::min(subject.find('.'), subject.size());
        made += token == 0 ? "" : ".";
        made += token < 2 ? subject.substr(0, dot) : std::string_view("*");
        subject.remove_prefix(std::min(dot + 1, subject.size()));
    }
    return made;
}

} // namespace marquee
