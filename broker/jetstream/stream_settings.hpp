// The settings of the streams that hold Marquee's state: what they are created with, and how later
// changes by an operator are judged.
#pragma once

#include <boost/json/object.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace marquee
{

/// What a program of ours wants its stream to be.
struct stream_config
{
    std::string name;
    std::string subject;
    int replicas = 1;
    std::chrono::nanoseconds duplicate_window = std::chrono::minutes(2);
    std::int64_t max_bytes = -1;
    std::chrono::nanoseconds max_age{0};
    bool key_value = false;                         ///< a KV bucket (ADR-8): the last message of a subject is its value
    std::vector<std::string> further_subjects = {}; ///< beside `subject`; added to a stream that lacks them
    std::string description = {};
    bool allow_discard_old = false; ///< accept a stream that drops its oldest messages when it is full
    std::size_t least_room = 0;     ///< bytes, headers included, that max_msg_size must allow
};

/// The key of the stream's id in its metadata, given at its creation (nats-server 2.10 or newer).
inline constexpr std::string_view stream_id_key = "marquee_id";

/// The configuration for STREAM.CREATE.
[[nodiscard]] boost::json::object creation_config(const stream_config& wanted, std::string_view id);

/// One setting that differs from what we create.
struct setting_remark
{
    std::string setting; ///< as the server names it
    std::string value;   ///< with its unit
    std::string effect;  ///< why that matters
    std::string cure;    ///< the command that changes it; empty: none is needed
};

/// The outcome of a check.
struct settings_judgement
{
    /// Acknowledged messages may be lost, or never come: the stream cannot be used.
    std::vector<setting_remark> refused;
    /// The operator's choice; views or records may be lost.
    std::vector<setting_remark> accepted;
    std::vector<std::string> missing; ///< of stream_config::further_subjects
};

/// Judges a stream's `config` of STREAM.INFO. A setting that this code does not know is accepted
/// without a remark.
[[nodiscard]] settings_judgement judge_settings(const stream_config& wanted, const boost::json::object& found);

/// "discard is old: … (nats stream edit …)", joined by "; ".
[[nodiscard]] std::string text_of(const std::vector<setting_remark>& remarks);

/// Why the stream of that name cannot be used; empty where nothing is refused.
[[nodiscard]] std::string refusal_text(std::string_view stream, const settings_judgement& judged);

/// "720h", "1h30m", "250ms": as the nats CLI reads it.
[[nodiscard]] std::string duration_text(std::chrono::nanoseconds time);

/// "64 MiB", "1000 bytes".
[[nodiscard]] std::string size_text(std::int64_t bytes);

} // namespace marquee
