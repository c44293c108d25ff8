#include "schemas/event_lines.hpp"

#include "schemas/char_set.hpp"
#include "schemas/json.hpp"
#include "schemas/parse_number.hpp"
#include "schemas/rfc3339.hpp"
#include "schemas/trace_context.hpp"

#include <algorithm>

namespace marquee
{

namespace
{

constexpr std::string_view white_space = " \t\r\n"; // of JSON

bool take(std::string_view& from, std::string_view what)
{
    if (!from.starts_with(what))
        return false;
    from.remove_prefix(what.size());
    return true;
}

/// Takes the text up to the next quote, which is taken too; false where it has escapes.
bool take_text(std::string_view& from, std::string_view& into)
{
    const auto end = from.find('"');
    if (end == std::string_view::npos)
        return false;
    into = from.substr(0, end);
    from.remove_prefix(end + 1);
    return into.find('\\') == std::string_view::npos;
}

/// Takes the member `trace`, if it follows; false where it is not as an edge writes it.
bool take_trace(std::string_view& from)
{
    std::string_view trace;
    return !take(from, R"(,"trace":")") ||
           (take_text(from, trace) && trace.size() == traceparent_bytes && parse_traceparent(trace));
}

/// Whether the payload begins with a line that is a whole event, and has more after it.
bool begins_with_an_event_line(std::string_view payload)
{
    const auto end = payload.find('\n');
    return scan_event(payload.substr(0, end)) && payload.find_first_not_of(white_space, end) != std::string_view::npos;
}

} // namespace

std::optional<event_view> scan_event(std::string_view json)
{
    event_view event;
    std::string_view time;
    const bool scanned = take(json, R"({"id":")") && take_text(json, event.id) && take(json, R"(,"asset":")") &&
                         take_text(json, event.asset) && take(json, R"(,"user":")") && take_text(json, event.user) &&
                         take(json, R"(,"time":")") && take_text(json, time) && take_trace(json) && json == "}";
    if (!scanned || !is_valid_event_id(event.id) || !is_valid_id(event.asset) || !is_valid_id(event.user))
        return std::nullopt;
    event.time = parse_rfc3339_utc(time);
    return event.time ? std::optional(event) : std::nullopt;
}

event_reader::event_reader(std::string_view payload) : rest_(payload), event_(fail(errc::bad_request))
{
    if (payload.find('\n') == std::string_view::npos)
        return;
    if (begins_with_an_event_line(payload))
    {
        lines_ = true;
        return;
    }
    lines_ = parse_event(payload).has_error();
    lines_ = lines_ && payload.find_first_not_of("\r\n") != std::string_view::npos; // else it is no event as a whole
    if (lines_ && payload.front() == '{')
        text_counts_ = read_object(payload.substr(0, payload.find('\n'))).has_value();
}

bool event_reader::next()
{
    std::string_view text;
    if (!lines_)
    {
        if (std::exchange(begun_, true))
            return false;
        read(rest_);
        return true;
    }
    if (!take_line(text))
        return false;
    if (std::exchange(begun_, true))
        ++line_;
    read(text);
    return true;
}

void event_reader::skip(std::size_t events)
{
    if (!lines_)
    {
        begun_ = begun_ || events > 0;
        return;
    }
    for (std::string_view text; events > 0 && take_line(text); --events)
        if (std::exchange(begun_, true))
            ++line_;
}

/// Takes the next line that is not empty.
bool event_reader::take_line(std::string_view& into)
{
    while (!rest_.empty())
    {
        const auto end = rest_.find('\n');
        into = rest_.substr(0, end);
        rest_.remove_prefix(std::min(rest_.size(), into.size() + 1));
        if (end != std::string_view::npos && into.ends_with('\r'))
            into.remove_suffix(1);
        if (!into.empty())
            return true;
    }
    return false;
}

void event_reader::read(std::string_view text)
{
    text_ = text;
    if (const auto scanned = scan_event(text))
    {
        event_ = *scanned;
        return;
    }
    if (!text_counts_ && text.front() != '{')
    {
        event_ = fail(errc::bad_request, "a line of JSON that is no event");
        return;
    }
    auto parsed = parse_event(text);
    if (parsed.has_error())
    {
        event_ = parsed.error();
        return;
    }
    parsed_ = std::move(*parsed);
    event_ = event_view{parsed_->id ? std::string_view(*parsed_->id) : std::string_view(), parsed_->asset.text(),
                        parsed_->user.text(), parsed_->time};
}

std::optional<batch_event_id> parse_batch_event_id(std::string_view id) noexcept
{
    constexpr std::size_t ulid_size = 26;
    constexpr std::size_t most_digits = 9;
    static constexpr char_set crockford("0123456789ABCDEFGHJKMNPQRSTVWXYZ");
    if (id.size() < ulid_size + 2 || id[ulid_size] != '.' || id[0] > '7' || !crockford.covers(id.substr(0, ulid_size)))
        return std::nullopt;
    const auto digits = id.substr(ulid_size + 1);
    if (digits.size() > most_digits || (digits.size() > 1 && digits[0] == '0'))
        return std::nullopt;
    const auto line = parse_number<std::size_t>(digits);
    return line ? std::optional(batch_event_id{id.substr(0, ulid_size), *line}) : std::nullopt;
}

} // namespace marquee
