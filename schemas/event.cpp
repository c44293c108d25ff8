#include "schemas/event.hpp"

#include "schemas/base32_sha256.hpp"
#include "schemas/char_set.hpp"
#include "schemas/cloud_event.hpp"
#include "schemas/json.hpp"
#include "schemas/messages.hpp"
#include "schemas/rfc3339.hpp"
#include "schemas/subjects.hpp"

#include <utility>

namespace marquee
{

namespace
{

using std::chrono::system_clock;

/// Reads `asset:user`, split at the last colon.
result<play_event> parse_text(std::string_view payload)
{
    const auto colon = payload.rfind(':');
    if (colon == std::string_view::npos)
        return fail(errc::bad_request, "neither JSON nor asset:user");
    auto asset = asset_id::parse(payload.substr(0, colon));
    if (asset.has_error())
        return asset.error();
    auto user = user_id::parse(payload.substr(colon + 1));
    if (user.has_error())
        return user.error();
    return play_event{std::nullopt, std::move(*asset), std::move(*user)};
}

} // namespace

bool is_valid_event_id(std::string_view id) noexcept
{
    static constexpr char_set allowed("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-");
    return !id.empty() && id.size() <= 64 && allowed.covers(id);
}

result<play_event> parse_event(std::string_view payload)
{
    if (payload.empty() || payload.front() != '{')
        return parse_text(payload);
    if (is_cloud_event(payload))
        return parse_cloud_event(payload);
    auto read = decode<play_event_json>(payload);
    if (read.has_error())
        return read.error();
    if (!is_valid_event_id(read->id))
        return fail(errc::bad_request, "an event id is 1 to 64 of [A-Za-z0-9_.-]", "id");
    const auto time = parse_rfc3339_utc(read->time);
    if (!time)
        return fail(errc::bad_request, "expected an RFC 3339 time in UTC", "time");
    auto asset = asset_id::parse(read->asset);
    if (asset.has_error())
        return asset.error();
    auto user = user_id::parse(read->user);
    if (user.has_error())
        return user.error();
    return play_event{std::move(read->id), std::move(*asset), std::move(*user), time};
}

std::string encode_event(std::string_view event_id, const asset_id& asset, const user_id& user,
                         system_clock::time_point when, const trace_context* trace)
{
    std::string payload;
    append_event(payload, event_id, asset, user, rfc3339(when), trace);
    return payload;
}

void append_event(std::string& to, std::string_view event_id, const asset_id& asset, const user_id& user,
                  std::string_view time, const trace_context* trace)
{
    constexpr std::string_view member = R"(,"trace":")";
    play_event_json event;
    event.id = event_id;
    event.asset = asset.text();
    event.user = user.text();
    event.time = time;
    const auto before = to.size();
    to += encode(event);
    if (trace == nullptr)
        return;
    static const auto longest = longest_event_bytes();
    if (to.size() - before + member.size() + traceparent_bytes + 1 > longest)
        return;
    to.pop_back();
    ((to += member) += format_traceparent(*trace)) += "\"}";
}

std::optional<trace_context> event_trace(std::string_view payload)
{
    if (!payload.starts_with('{') || payload.find("\"trace") == std::string_view::npos)
        return std::nullopt;
    const auto event = read_object(payload);
    if (!event)
        return std::nullopt;
    const auto* found = event->if_contains(event->contains("specversion") ? "traceparent" : "trace");
    const auto* text = found != nullptr ? found->if_string() : nullptr;
    auto context = text != nullptr ? parse_traceparent({text->data(), text->size()}) : std::nullopt;
    return context && context->sampled ? context : std::nullopt;
}

std::size_t longest_event_bytes()
{
    const std::string id(64, 'x');
    const std::string text(128, '"');
    const auto payload =
        encode_event(id, asset_id::parse(text).value(), user_id::parse(text).value(), system_clock::time_point());
    const auto headers = "NATS/1.0\r\n" + std::string(names::header_msg_id) + ": " + id + "\r\n\r\n";
    return headers.size() + payload.size();
}

std::string event_id_for_key(const user_id& user, std::string_view key)
{
    std::string both = user.text();
    both += '\0';
    both += key;
    return "k-" + base32_sha256(both);
}

} // namespace marquee
