// What a message of a KV bucket (ADR-8) means.
#pragma once

#include "broker/jetstream/stored_message.hpp"

#include <string_view>

namespace marquee::kv_message
{

inline constexpr std::string_view header_operation = "KV-Operation";           ///< DEL or PURGE: a marker, no value
inline constexpr std::string_view header_marker_reason = "Nats-Marker-Reason"; ///< the server's own marker
inline constexpr std::string_view header_rollup = "Nats-Rollup";               ///< it removed others: sub or all

/// A marker in place of a value: one of ADR-8, or the server's own (a value expired), which is
/// empty. Any other message is a value, whatever its headers say.
[[nodiscard]] inline bool is_marker(const stored_message& m)
{
    const auto operation = m.headers.get(header_operation);
    return operation == "DEL" || operation == "PURGE" || (m.data.empty() && m.headers.has(header_marker_reason));
}

/// It took the place of all messages before it on its subject.
[[nodiscard]] inline bool is_alone(const stored_message& m) { return m.headers.has(header_rollup); }

/// It removed all messages before it, on every subject.
[[nodiscard]] inline bool removes_all(const stored_message& m) { return m.headers.get(header_rollup) == "all"; }

} // namespace marquee::kv_message
