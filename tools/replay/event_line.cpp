#include "tools/replay/event_line.hpp"

#include "schemas/cloud_event.hpp"
#include "schemas/event.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace marquee::replay
{
namespace
{

namespace json = boost::json;

/// UTF-8 of U+0000..U+00FF to one byte each; false where another character occurs. The text comes
/// from the JSON parser: it is valid UTF-8.
bool to_bytes(std::string_view text, std::string& out)
{
    for (std::size_t i = 0; i < text.size(); ++i)
    {
        const auto lead = static_cast<unsigned char>(text[i]);
        if (lead < 0x80)
            out += text[i];
        else if (lead <= 0xC3)
            out += static_cast<char>((lead & 3) << 6 | (text[++i] & 0x3F));
        else
            return false;
    }
    return true;
}

result<std::string> read_string(std::string_view line)
{
    boost::system::error_code ec;
    const auto read = json::parse(json::string_view(line.data(), line.size()), ec);
    if (ec || !read.is_string())
        return fail(errc::bad_request, "a line that begins with a quote is one JSON string");
    return std::string(read.as_string());
}

result<std::string> read_bytes(std::string_view line)
{
    boost::system::error_code ec;
    const auto read = json::parse(json::string_view(line.data(), line.size()), ec);
    const auto* both = ec ? nullptr : read.if_array();
    std::string bytes;
    if (both == nullptr || both->size() != 2 || (*both)[0] != "latin1" || !(*both)[1].is_string() ||
        !to_bytes((*both)[1].as_string(), bytes))
        return fail(errc::bad_request,
                    R"(a line that begins with a bracket is ["latin1","…"] with characters up to U+00FF)");
    return bytes;
}

result<std::string> read_payload(std::string_view line)
{
    switch (line.empty() ? '\0' : line.front())
    {
    case '{':
        return std::string(line);
    case '"':
        return read_string(line);
    case '[':
        return read_bytes(line);
    default:
        return fail(errc::bad_request, R"(a line is an event {…}, a payload "…" or ["latin1","…"])");
    }
}

std::string id_in_round(const play_event& event, std::uint64_t round)
{
    auto id = *event.id + ".r" + std::to_string(round);
    return is_valid_event_id(id) ? id : event_id_for_key(event.user, id);
}

/// The same event with the id of a round. Of a CloudEvent its own `id` is changed, from which the
/// event's id is made. Members the contract does not know stay.
std::string in_round(const std::string& payload, const play_event& event, std::uint64_t round)
{
    auto read = json::parse(payload);
    auto& id = read.as_object()["id"];
    if (is_cloud_event(payload))
        id = std::string(id.as_string()) + ".r" + std::to_string(round);
    else
        id = id_in_round(event, round);
    return json::serialize(read);
}

} // namespace

result<event_line> read_line(std::string_view line, std::uint64_t round)
{
    auto payload = read_payload(line);
    if (payload.has_error())
        return payload.error();
    event_line out;
    out.payload = std::move(*payload);
    auto event = parse_event(out.payload);
    if (event.has_error())
        out.rejection = (event.error().field.empty() ? "" : event.error().field + ": ") + event.error().detail;
    if (event.has_error() || !event->id)
        return out;
    if (round > 1)
    {
        out.payload = in_round(out.payload, *event, round);
        event = parse_event(out.payload);
    }
    if (line.front() == '{')
        out.message_id = event.value().id.value();
    return out;
}

} // namespace marquee::replay
