// The messages about views: counts, views by time, history, and corrections. Part of
// schemas/messages.hpp. Times are RFC 3339 in UTC with whole seconds.
#pragma once

#include <boost/describe/class.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace marquee
{

/// Views of an asset or of a user; an element of reporting.top.
struct views_reply
{
    std::string id;
    std::uint64_t views = 0;
};
BOOST_DESCRIBE_STRUCT(views_reply, (), (id, views))

/// Reply of reporting.asset, and an element of reporting.assets.
struct asset_views_reply
{
    std::string id;
    std::uint64_t views = 0;
    std::uint64_t viewers = 0;       ///< different users
    std::optional<std::string> last; ///< the greatest time of a view; absent where an older version counted all
    friend bool operator==(const asset_views_reply&, const asset_views_reply&) = default;
};
BOOST_DESCRIBE_STRUCT(asset_views_reply, (), (id, views, viewers, last))

/// Reply of reporting.user.
struct user_views_reply
{
    std::string id;
    std::uint64_t views = 0;
    std::uint64_t assets = 0;        ///< different ones
    std::optional<std::string> last; ///< as in asset_views_reply
    friend bool operator==(const user_views_reply&, const user_views_reply&) = default;
};
BOOST_DESCRIBE_STRUCT(user_views_reply, (), (id, views, assets, last))

/// Body of reporting.top. `limit` 1..1000, default 10; `window` 1h, 24h, 7d, 30d or all, which is
/// the default; `at`, with another window than all: a time in its last step, default now. An empty
/// payload means the defaults.
struct top_request
{
    std::optional<std::uint64_t> limit;
    std::optional<std::string> window = {};
    std::optional<std::string> at = {};
};
BOOST_DESCRIBE_STRUCT(top_request, (), (limit, window, at))

/// Reply of reporting.top, the most viewed first. `from` and `to` are those of the window; absent
/// for all views.
struct top_reply
{
    std::vector<views_reply> assets;
    std::optional<std::string> from = {};
    std::optional<std::string> to = {};
};
BOOST_DESCRIBE_STRUCT(top_reply, (), (from, to, assets))

/// Body of reporting.series. `step` hour, which is the default, or day. `to`: default the end of
/// the running step; `from`: default 24 hours or 30 days before. Both are rounded to whole steps,
/// `from` down and `to` up. An empty payload means the defaults.
struct series_request
{
    std::optional<std::string> step;
    std::optional<std::string> from;
    std::optional<std::string> to;
};
BOOST_DESCRIBE_STRUCT(series_request, (), (step, from, to))

struct series_point
{
    std::string start;
    std::uint64_t views = 0;
    friend bool operator==(const series_point&, const series_point&) = default;
};
BOOST_DESCRIBE_STRUCT(series_point, (), (start, views))

/// Reply of reporting.series: a point for each step, `from` <= start < `to`. 1,000 at most.
struct series_reply
{
    std::optional<std::string> id; ///< the asset; absent: all assets
    std::string step;
    std::string from;
    std::string to;
    std::vector<series_point> points;
};
BOOST_DESCRIBE_STRUCT(series_reply, (), (id, step, from, to, points))

/// Body of reporting.history. `limit` 1..1000, default 100; `after`: `next` of the page before. An
/// empty payload means the defaults.
struct history_request
{
    std::optional<std::uint64_t> limit;
    std::optional<std::string> after;
};
BOOST_DESCRIBE_STRUCT(history_request, (), (limit, after))

/// An asset that a user has viewed.
struct history_entry
{
    std::string id;
    std::uint64_t views = 0; ///< by this user
    std::string last;        ///< the greatest time of such a view
    friend bool operator==(const history_entry&, const history_entry&) = default;
};
BOOST_DESCRIBE_STRUCT(history_entry, (), (id, views, last))

/// Reply of reporting.history: the latest first, equal ones in byte order of their ids.
struct history_page
{
    std::vector<history_entry> assets;
    std::optional<std::string> next; ///< the `after` of the next page, opaque; absent on the last page
};
BOOST_DESCRIBE_STRUCT(history_page, (), (assets, next))

/// Reply of reporting.assets, in byte order of the ids. The request is a list_request.
struct views_page
{
    std::vector<asset_views_reply> assets;
    std::optional<std::string> next; ///< the `after` of the next page, an id; absent on the last page
};
BOOST_DESCRIBE_STRUCT(views_page, (), (assets, next))

/// A message of subject `events.admin`, with exactly one of the two members.
struct correction
{
    std::optional<std::string> retract = {}; ///< the id of the event whose view is taken back
    std::optional<std::string> erase = {};   ///< the user who is forgotten
};
BOOST_DESCRIBE_STRUCT(correction, (), (retract, erase))

} // namespace marquee
