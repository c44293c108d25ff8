// A view: stored in the stream, then counted.
#pragma once

#include "edge/context.hpp"
#include "schemas/messages.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace marquee
{

/// A view to record. With the client's idempotency key its id is the same on every retry, on every edge.
struct view
{
    std::string event_id;
    asset_id asset;
    user_id user;
};

/// Reads both ids of the path and the Idempotency-Key. Fails with bad_id or bad_request.
[[nodiscard]] result<view> read_view(const routed_call& call);

/// Both counts, null where they are not to be had, and which part is at fault then.
struct view_counts
{
    nullable<std::uint64_t> user;
    nullable<std::uint64_t> asset;
    std::optional<std::vector<std::string>> degraded;
};

/// No counts, because of `part`: "events" or "reporting".
[[nodiscard]] view_counts counts_missing(const char* part);

/// What statistics may take of a request: half of what is left of `until`, 500 ms at most.
[[nodiscard]] deadline statistics_deadline(deadline until) noexcept;

/// Stores the event and returns its sequence in the stream. Where nobody is there to store it, or nobody answers, it is sent again under the same
/// Nats-Msg-Id until `until`: so the election of a leader costs no view. Fails as publish_stored does; with timeout where any try may have been stored.
[[nodiscard]] asio::awaitable<result<std::uint64_t>> store_view(edge_context& edge, const view& seen, deadline until);

/// The counts with the event at `sequence` included, or degraded ones. Fails only with key_reused: the key was first used for another view.
[[nodiscard]] asio::awaitable<result<view_counts>> count_view(edge_context& edge, const routed_call& call, const view& seen,
                                                              std::uint64_t sequence, deadline until);

} // namespace marquee
