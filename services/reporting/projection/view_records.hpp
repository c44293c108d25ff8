// What a projection answers, before it is written as JSON. Times are milliseconds since 1970.
#pragma once

#include <cstdint>
#include <string>

namespace marquee
{

struct asset_record
{
    std::string id;
    std::uint64_t views = 0;
    std::uint64_t viewers = 0; ///< different users
    std::int64_t last = 0;     ///< greatest time of a view; below 0: not known, of an older rule
};

struct user_record
{
    std::uint64_t views = 0;
    std::uint64_t assets = 0; ///< different ones
    std::int64_t last = 0;    ///< as in asset_record
};

/// An asset in the history of a user.
struct seen_record
{
    std::string id;
    std::uint64_t views = 0; ///< by this user
    std::int64_t last = 0;   ///< greatest time of such a view
};

/// A place in a history: its order is by time, the latest first, then by id.
struct history_place
{
    std::int64_t last = 0;
    std::string id;
};

} // namespace marquee
