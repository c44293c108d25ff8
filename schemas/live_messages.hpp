// The messages of reporting.live, as those of messages.hpp.
#pragma once

#include <boost/describe/class.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace marquee
{

/// Body of reporting.live. `after` is a place (schemas/live_place.hpp); absent: from now on.
/// `limit` 1..1000, default 100. An empty payload means the defaults.
struct live_request
{
    std::optional<std::string> after;
    std::optional<std::uint64_t> limit;
};
BOOST_DESCRIBE_STRUCT(live_request, (), (after, limit))

/// A counted view, in reporting.live.
struct live_view
{
    std::string id; ///< its place
    std::string asset;
    std::string user;
    std::string time;                        ///< RFC 3339, UTC
    std::optional<std::uint64_t> assetviews; ///< as they were at this view; absent: no longer known
    std::optional<std::uint64_t> userviews;
};
BOOST_DESCRIBE_STRUCT(live_view, (), (id, asset, user, time, assetviews, userviews))

/// A user was erased: the user's views of messages before `sequence` are not to be shown any more.
struct live_erasure
{
    std::string user;
    std::uint64_t sequence = 0;
};
BOOST_DESCRIBE_STRUCT(live_erasure, (), (user, sequence))

/// As live_erasure, where the user's id is no longer known: the SHA-256 of it, in base32
/// (schemas/base32_sha256.hpp).
struct live_hashed_erasure
{
    std::string hash;
    std::uint64_t sequence = 0;
};
BOOST_DESCRIBE_STRUCT(live_hashed_erasure, (), (hash, sequence))

/// Reply of reporting.live, in the order of the stream.
struct live_reply
{
    std::vector<live_view> views;
    std::string next;                                ///< the `after` of the next request
    std::optional<bool> gap;                         ///< true: the place is gone; `next` is where views go on
    std::optional<std::vector<live_erasure>> erased; ///< after the place that was asked for; absent: nobody
    std::optional<std::vector<live_hashed_erasure>> erased_before; ///< after that place, and before anybody asked
};
BOOST_DESCRIBE_STRUCT(live_reply, (), (views, next, gap, erased, erased_before))

} // namespace marquee
