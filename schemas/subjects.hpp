// Every subject of the contract (section 2), in one place.
#pragma once

#include "schemas/ids.hpp"

#include <initializer_list>
#include <string>
#include <string_view>

namespace marquee
{

/// A literal subject, safe to put on the wire: nats.c itself checks nothing (a space would set the reply subject, CR LF would
/// start another command). Made only by the functions below.
class subject
{
public:
    /// Joins tokens with dots. For names from code, never for ids or input: a token outside
    /// [A-Za-z0-9_$=-]+ is a bug and throws std::invalid_argument.
    [[nodiscard]] static subject of(std::initializer_list<std::string_view> tokens);

    [[nodiscard]] const std::string& str() const noexcept { return text_; }
    [[nodiscard]] const char* c_str() const noexcept { return text_.c_str(); }

    friend bool operator==(const subject&, const subject&) = default;

private:
    explicit subject(std::string text) : text_(std::move(text)) {}
    std::string text_;
};

namespace subjects
{

[[nodiscard]] subject metadata_get(const asset_id& id);
[[nodiscard]] subject metadata_put(const asset_id& id);
[[nodiscard]] subject metadata_delete(const asset_id& id);
[[nodiscard]] subject metadata_list();

[[nodiscard]] subject cdnurl_get(const asset_id& id);
[[nodiscard]] subject cdnurl_put(const asset_id& id);
[[nodiscard]] subject cdnurl_delete(const asset_id& id);
[[nodiscard]] subject cdnurl_list();

[[nodiscard]] subject reporting_asset(const asset_id& id);
[[nodiscard]] subject reporting_user(const user_id& id);
[[nodiscard]] subject reporting_views(const asset_id& asset, const user_id& user);
[[nodiscard]] subject reporting_top();

/// What an endpoint listens on: `service.endpoint` and a wildcard for each id.
[[nodiscard]] std::string pattern(std::string_view service, std::string_view endpoint, int ids);

/// The subject of an asset's entry in a KV bucket (ADR-8). `bucket` is a name from code.
[[nodiscard]] subject kv_entry(std::string_view bucket, const asset_id& id);

/// The subject of stream EVENTS.
[[nodiscard]] subject events();

/// Its other subject, for corrections. What stands there is never a view.
[[nodiscard]] subject events_admin();

/// The NATS Services protocol (ADR-32): PING, INFO or STATS of every service, or of those of one name. Names from code.
[[nodiscard]] subject discovery(std::string_view verb);
[[nodiscard]] subject discovery(std::string_view verb, std::string_view service);

/// The token at `index` (from 0) of a subject that arrived; empty when there are fewer.
[[nodiscard]] std::string_view token_at(std::string_view arrived, std::size_t index) noexcept;

} // namespace subjects

/// Names of headers and streams the contract fixes.
namespace names
{
inline constexpr std::string_view header_revision = "Marquee-Revision";
inline constexpr std::string_view header_tag = "Marquee-Tag";
inline constexpr std::string_view header_after = "Marquee-After";
inline constexpr std::string_view header_event = "Marquee-Event";
inline constexpr std::string_view header_timeout = "Marquee-Timeout";
inline constexpr std::string_view header_request_id = "Marquee-Request-Id";
inline constexpr std::string_view header_service_error = "Nats-Service-Error";
inline constexpr std::string_view header_service_error_code = "Nats-Service-Error-Code";
inline constexpr std::string_view header_msg_id = "Nats-Msg-Id";
inline constexpr std::string_view stream_events = "EVENTS";
} // namespace names

} // namespace marquee
