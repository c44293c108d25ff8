// The messages of the contract, one struct each, for encode() and decode() of schemas/json.hpp. The
// order of members is their order on the wire.
#pragma once

#include "schemas/json.hpp"
#include "schemas/view_messages.hpp"

#include <boost/describe/class.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace marquee
{

/// A member that is always present and may be null.
template <class T>
struct nullable
{
    std::optional<T> value;
    friend bool operator==(const nullable&, const nullable&) = default;
};

/// Body of metadata.put. Limits: title and genre 1 KiB each, summary 16 KiB, and those of
/// schemas/free_members.hpp.
struct asset_metadata
{
    std::string title;
    std::string genre;
    std::string summary;
    std::string further = {}; ///< all other members but `id`: see free_members()
    friend bool operator==(const asset_metadata&, const asset_metadata&) = default;
};
BOOST_DESCRIBE_STRUCT(asset_metadata, (), (title, genre, summary))

/// Reply of metadata.get, and an element of metadata.list.
struct asset_metadata_reply
{
    std::string id;
    std::string title;
    std::string genre;
    std::string summary;
    std::string further = {}; ///< all other members: see free_members(); not read from an element of a list
    friend bool operator==(const asset_metadata_reply&, const asset_metadata_reply&) = default;
};
BOOST_DESCRIBE_STRUCT(asset_metadata_reply, (), (id, title, genre, summary))

/// Body of cdnurl.put. Limit: 1 byte to 4 KiB.
struct asset_url
{
    std::string url;
    friend bool operator==(const asset_url&, const asset_url&) = default;
};
BOOST_DESCRIBE_STRUCT(asset_url, (), (url))

/// Reply of cdnurl.get, and an element of cdnurl.list.
struct asset_url_reply
{
    std::string id;
    std::string url;
    friend bool operator==(const asset_url_reply&, const asset_url_reply&) = default;
};
BOOST_DESCRIBE_STRUCT(asset_url_reply, (), (id, url))

/// Reply of a put: {"status":"ok","revision":N}.
struct put_reply
{
    std::string status = "ok";
    std::uint64_t revision = 0;
};
BOOST_DESCRIBE_STRUCT(put_reply, (), (status, revision))

/// Reply of a delete: {"status":"ok"}.
struct delete_reply
{
    std::string status = "ok";
};
BOOST_DESCRIBE_STRUCT(delete_reply, (), (status))

/// Body of every error reply. Repeats the error headers (ADR-32) for clients that read only bodies.
struct error_reply
{
    std::optional<std::string> id;     ///< the asset or user of the request, if it has one
    std::string status;                ///< the value of `Nats-Service-Error`
    std::optional<std::string> detail; ///< what is wrong
    std::optional<std::string> field;  ///< the member or header at fault
};
BOOST_DESCRIBE_STRUCT(error_reply, (), (id, status, detail, field))

/// Body of metadata.list and cdnurl.list. `limit` 1..1000, default 100. An empty payload means the
/// defaults.
struct list_request
{
    std::optional<std::string> after;
    std::optional<std::uint64_t> limit;
};
BOOST_DESCRIBE_STRUCT(list_request, (), (after, limit))

/// Body of metadata.search; an empty payload means {}. Limits: q 512 bytes, genre and tag 1 KiB
/// each; an empty one is no condition. `sort` is "id" (the default) or "title". `after` is an id,
/// or where the order is by title a title_place. `limit` as in list_request.
struct search_request
{
    std::optional<std::string> q;
    std::optional<std::string> genre;
    std::optional<std::string> tag;
    std::optional<std::string> sort;
    std::optional<std::string> after;
    std::optional<std::uint64_t> limit;
};
BOOST_DESCRIBE_STRUCT(search_request, (), (q, genre, tag, sort, after, limit))

/// Reply of metadata.list.
struct metadata_page
{
    std::vector<asset_metadata_reply> assets;
    std::optional<std::string> next; ///< the `after` of the next page; absent on the last page
};
BOOST_DESCRIBE_STRUCT(metadata_page, (), (assets, next))

/// Reply of metadata.search.
struct search_page
{
    std::vector<asset_metadata_reply> assets;
    std::uint64_t total = 0;         ///< all that match, on whatever page
    std::optional<std::string> next; ///< as in metadata_page; of the order by title, opaque
};
BOOST_DESCRIBE_STRUCT(search_page, (), (assets, total, next))

/// Reply of cdnurl.list.
struct url_page
{
    std::vector<asset_url_reply> assets;
    std::optional<std::string> next; ///< as in metadata_page
};
BOOST_DESCRIBE_STRUCT(url_page, (), (assets, next))

/// Reply of reporting.views.
struct counts_reply
{
    std::uint64_t assetviews = 0;
    std::uint64_t userviews = 0;
};
BOOST_DESCRIBE_STRUCT(counts_reply, (), (assetviews, userviews))

/// A play event as JSON on subject `events`. See schemas/event.hpp for ids and the text form.
struct play_event_json
{
    std::string id;
    std::string asset;
    std::string user;
    std::string time;
};
BOOST_DESCRIBE_STRUCT(play_event_json, (), (id, asset, user, time))

/// A play event as a CloudEvent on subject `events`. See schemas/cloud_event.hpp.
struct cloud_event_json
{
    std::string specversion;
    std::string type;
    std::string source;
    std::string id;
    std::string subject;
    std::string user;
    std::optional<std::string> time;
};
BOOST_DESCRIBE_STRUCT(cloud_event_json, (), (specversion, type, source, id, subject, user, time))

/// HTTP: response to POST /play/…. If there are no counts, both are null and `degraded` names the
/// failing part.
struct play_reply
{
    std::string id;
    std::string title;
    std::string genre;
    std::string summary;
    std::string url;
    nullable<std::uint64_t> userviews;
    nullable<std::uint64_t> assetviews;
    std::optional<std::vector<std::string>> degraded;
};
BOOST_DESCRIBE_STRUCT(play_reply, (), (id, title, genre, summary, url, userviews, assetviews, degraded))

/// HTTP: response to POST /events/…. Counts and `degraded` as in play_reply.
struct event_counts_reply
{
    nullable<std::uint64_t> userviews;
    nullable<std::uint64_t> assetviews;
    std::optional<std::vector<std::string>> degraded;
};
BOOST_DESCRIBE_STRUCT(event_counts_reply, (), (userviews, assetviews, degraded))

/// HTTP: an element of the response to GET /events/top with content.
struct titled_views
{
    std::string id;
    std::uint64_t views = 0;
    std::string title;
    std::string genre;
};
BOOST_DESCRIBE_STRUCT(titled_views, (), (id, views, title, genre))

/// HTTP: response to GET /events/top with content: top_reply with what the catalogue has.
struct titled_top_reply
{
    std::optional<std::string> from;
    std::optional<std::string> to;
    std::vector<titled_views> assets;
};
BOOST_DESCRIBE_STRUCT(titled_top_reply, (), (from, to, assets))

/// HTTP: the state of each part that a play needs: "ok", "away", "lagging" (not of events) or
/// "full" (of events only).
struct health_checks
{
    std::string metadata;
    std::string cdnurl;
    std::string events;
    std::string reporting;
};
BOOST_DESCRIBE_STRUCT(health_checks, (), (metadata, cdnurl, events, reporting))

/// HTTP: response to /healthz (without checks) and /readyz.
struct health_reply
{
    std::string status;
    std::optional<health_checks> checks = {};
    /// Instances of reporting that cannot count messages of several events; absent: there are none.
    std::optional<std::vector<std::string>> old_instances = {};
};
BOOST_DESCRIBE_STRUCT(health_reply, (), (status, checks, old_instances))

/// HTTP: RFC 9457 problem details.
struct problem
{
    std::string type; ///< /problems/CODE, a path of the edge
    std::string title;
    int status = 0;
    std::string code;
    std::string detail;
    std::string instance;             ///< the request id
    std::string request_id;           ///< the request id, under a plain name
    std::optional<std::string> id;    ///< the asset or user of the request
    std::optional<std::string> field; ///< the member, parameter or header at fault
};
BOOST_DESCRIBE_STRUCT(problem, (), (type, title, status, code, detail, instance, request_id, id, field))

/// The error of a JetStream reply (ADR-1, JetStream wire API reference).
struct js_api_error
{
    int code = 0;
    std::optional<std::uint64_t> err_code;
    std::optional<std::string> description;
};
BOOST_DESCRIBE_STRUCT(js_api_error, (), (code, err_code, description))

/// JetStream's acknowledgement of a publish: `error`, or the stream and the sequence.
struct pub_ack
{
    std::optional<std::string> stream;
    std::optional<std::uint64_t> seq;
    std::optional<bool> duplicate;
    std::optional<js_api_error> error;
};
BOOST_DESCRIBE_STRUCT(pub_ack, (), (stream, seq, duplicate, error))

} // namespace marquee
