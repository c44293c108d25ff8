// The subjects, headers and streams of the contract (section 2). All functions are thread-safe.
#pragma once

#include "schemas/ids.hpp"

#include <initializer_list>
#include <string>
#include <string_view>

namespace marquee
{

/// A subject without wildcards, safe to send. nats.c does not check subjects: a space would set the
/// reply subject, CR LF would start another protocol command. Made only by the functions below.
class subject
{
public:
    /// Joins tokens with dots. For names from code and encoded ids, never for input: a token
    /// outside [A-Za-z0-9_$=-]+ is a bug and throws std::invalid_argument.
    [[nodiscard]] static subject of(std::initializer_list<std::string_view> tokens);

    [[nodiscard]] const std::string& str() const noexcept { return text_; }
    [[nodiscard]] const char* c_str() const noexcept { return text_.c_str(); }

    friend bool operator==(const subject&, const subject&) = default;

private:
    explicit subject(std::string text) : text_(std::move(text)) {}
    std::string text_;
};

/// One function per subject of the contract.
namespace subjects
{

[[nodiscard]] subject metadata_get(const asset_id& id);
[[nodiscard]] subject metadata_put(const asset_id& id);
[[nodiscard]] subject metadata_delete(const asset_id& id);
[[nodiscard]] subject metadata_list();
[[nodiscard]] subject metadata_search();
[[nodiscard]] subject metadata_gets();

[[nodiscard]] subject cdnurl_get(const asset_id& id);
[[nodiscard]] subject cdnurl_put(const asset_id& id);
[[nodiscard]] subject cdnurl_delete(const asset_id& id);
[[nodiscard]] subject cdnurl_list();
[[nodiscard]] subject cdnurl_gets();

[[nodiscard]] subject reporting_asset(const asset_id& id);
[[nodiscard]] subject reporting_user(const user_id& id);
[[nodiscard]] subject reporting_views(const asset_id& asset, const user_id& user);
[[nodiscard]] subject reporting_top();
[[nodiscard]] subject reporting_series(); ///< of all assets
[[nodiscard]] subject reporting_series(const asset_id& id);
[[nodiscard]] subject reporting_history(const user_id& id);
[[nodiscard]] subject reporting_assets();
[[nodiscard]] subject reporting_live();

/// The subject an endpoint subscribes to: `service.endpoint` and one `*` per id.
[[nodiscard]] std::string pattern(std::string_view service, std::string_view endpoint, int ids);

/// The subject of an asset's entry in a KV bucket (ADR-8). `bucket` is a name from code.
[[nodiscard]] subject kv_entry(std::string_view bucket, const asset_id& id);

/// The subject of play events, stored in stream EVENTS.
[[nodiscard]] subject events();

/// The subject of corrections, stored in stream EVENTS too. Its messages are never views.
[[nodiscard]] subject events_admin();

/// The subject of PING, INFO or STATS (ADR-32), for all services or for those of one name. Both
/// arguments are names from code.
[[nodiscard]] subject discovery(std::string_view verb);
[[nodiscard]] subject discovery(std::string_view verb, std::string_view service);

/// The token at `index` (from 0) of a received subject; empty if it has fewer. Refers to `arrived`.
[[nodiscard]] std::string_view token_at(std::string_view arrived, std::size_t index) noexcept;

} // namespace subjects

/// Names of the contract's headers and streams.
namespace names
{
inline constexpr std::string_view header_revision = "Marquee-Revision";
inline constexpr std::string_view header_tag = "Marquee-Tag";
inline constexpr std::string_view header_after = "Marquee-After";
inline constexpr std::string_view header_event = "Marquee-Event";
inline constexpr std::string_view header_timeout = "Marquee-Timeout";
inline constexpr std::string_view header_request_id = "Marquee-Request-Id";
inline constexpr std::string_view header_counts_to = "Marquee-Counts-To";
inline constexpr std::string_view header_counts_from = "Marquee-Counts-From";
inline constexpr std::string_view header_instance = "Marquee-Instance";
inline constexpr std::string_view header_traceparent = "traceparent"; ///< schemas/trace_context.hpp
inline constexpr std::string_view header_tracestate = "tracestate";
inline constexpr std::string_view header_service_error = "Nats-Service-Error";
inline constexpr std::string_view header_service_error_code = "Nats-Service-Error-Code";
inline constexpr std::string_view header_msg_id = "Nats-Msg-Id";
inline constexpr std::string_view stream_events = "EVENTS";
inline constexpr std::string_view metadata_event_lines = "event_lines"; ///< of reporting, in INFO: "yes"
inline constexpr std::string_view metadata_stream = "stream";           ///< in INFO: what reporting counts
inline constexpr std::string_view metadata_bucket = "bucket";           ///< in INFO: where a catalogue keeps records
/// In INFO: the version of the rule of counting, or of the form of the records.
inline constexpr std::string_view metadata_data_version = "data_version";

} // namespace names

} // namespace marquee
