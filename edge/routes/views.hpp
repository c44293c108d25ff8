// Stores a view in the stream and requests its counts from reporting.
#pragma once

#include "edge/routes/context.hpp"
#include "edge/upstream/view_batcher.hpp"
#include "schemas/messages.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace marquee
{

/// The view of a call whose route has {asset} and {user}. Its event id derives from the
/// Idempotency-Key. Fails with bad_request if the key is malformed.
[[nodiscard]] result<view> read_view(const routed_call& call);

/// Both counts. If they are not available, both are null and `degraded` names the failing part.
struct view_counts
{
    nullable<std::uint64_t> user;
    nullable<std::uint64_t> asset;
    std::optional<std::vector<std::string>> degraded;
};

/// Null counts, with `part` ("events" or "reporting") as the failing part.
[[nodiscard]] view_counts counts_missing(const char* part);

/// The deadline for storing and counting a view from `now` on: half of the time until `until`, at
/// most 500 ms.
[[nodiscard]] deadline statistics_deadline(deadline until, deadline::clock::time_point now) noexcept;

/// What a client is told whose key was first used for another view.
[[nodiscard]] error key_reused();

/// The counts that came with a stored view; nothing where count_view() has to ask for them.
[[nodiscard]] std::optional<view_counts> counts_with(const stored_view& stored);

/// Stores the view: together with others of this loop turn where edge.batches is ready, else in a
/// message of its own. Fails with key_reused where that is known already; else as view_batcher and
/// store_message() do; with timeout if it may have been stored. Runs on the io thread of `edge`.
[[nodiscard]] asio::awaitable<result<stored_view>> store_view(edge_context& edge, const routed_call& call,
                                                              const view& seen, deadline until);

/// The counts of a stored view, with this view included: those that came with it, or else they are
/// requested. Without a valid reply by `until` it returns degraded counts; the only error is
/// key_reused: the key was first used for another view. Runs on the io thread of `edge`.
[[nodiscard]] asio::awaitable<result<view_counts>>
count_view(edge_context& edge, const routed_call& call, const view& seen, const stored_view& stored, deadline until);

} // namespace marquee
