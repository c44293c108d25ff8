// Samples of every message, as the running system sends them.
#pragma once

#include "schemas/event.hpp"
#include "schemas/live_messages.hpp"
#include "schemas/messages.hpp"
#include "schemas/rfc3339.hpp"
#include "schemas/ulid.hpp"

#include <string>
#include <vector>

namespace marquee::test
{

struct sample
{
    const char* schema;
    std::string json;
};

namespace detail
{

inline problem sample_problem(bool full)
{
    problem p;
    p.title = title_of(errc::asset_not_found);
    p.status = 404;
    p.code = name_of(errc::asset_not_found);
    p.type = "/problems/asset_not_found";
    p.detail = "There is no such asset.";
    p.instance = "01JGQ3ZK8F4M5N6P7Q8R9S0T1V";
    p.request_id = p.instance;
    if (full)
    {
        p.id = "10.5240/7791 é";
        p.field = "asset";
    }
    return p;
}

// The control documents are made by the services framework, not by encode.
inline constexpr const char* ping_json =
    R"({"type":"io.nats.micro.v1.ping_response","name":"metadata","id":"0aZ","version":"0.1.0",
    "metadata":{}})";
inline constexpr const char* info_json =
    R"({"type":"io.nats.micro.v1.info_response","name":"metadata","id":"0aZ","version":"0.1.0-rc.1",
    "metadata":{"a":"b"},"description":"d","endpoints":[{"name":"get","subject":"metadata.get.*","queue_group":"q",
    "metadata":{"description":"d"}}]})";
inline constexpr const char* stats_json =
    R"({"type":"io.nats.micro.v1.stats_response","name":"reporting","id":"0aZ","version":"0.1.0",
    "metadata":{},"started":"2026-01-31T09:30:00.123Z","endpoints":[{"name":"top","subject":"reporting.top","queue_group":"q",
    "num_requests":2,"num_errors":1,"last_error":"404:Asset not found","processing_time":10,"average_processing_time":5,
    "data":{"applied":1,"serving":true}},{"name":"user","subject":"reporting.user.*","queue_group":"q","num_requests":0,"num_errors":0,
    "last_error":"","processing_time":0,"average_processing_time":0}]})";

inline constexpr const char* services_json =
    R"({"services":[{"name":"metadata","id":"0aZ","version":"0.1.0","description":"d","endpoints":[{"name":"get",
    "subject":"metadata.get.*","queue_group":"q","num_requests":1,"num_errors":0,"processing_time":5,"average_processing_time":5,
    "last_error":"","data":{"records":2}},{"name":"put","subject":"metadata.put.*"}],"started":"2026-01-31T09:30:00.123Z"},
    {"name":"other","id":"1-a_b","version":"1","description":"","endpoints":[]}]})";

} // namespace detail

/// The samples by schema, at least one each.
inline std::vector<sample> samples()
{
    const auto asset = asset_id::parse("10.5240/7791-8534-2C23-9030-8610-5").value();
    const auto user = user_id::parse("anna@example.org").value();
    const auto now = std::chrono::system_clock::now();
    const std::vector<std::string> not_stored{"events"};
    const std::vector<std::string> not_counted{"reporting"};
    return {
        {"asset_metadata", encode(asset_metadata{"It", "horror", "A very scary movie"})},
        {"asset_metadata", encode(asset_metadata{"", "", std::string(16384, 's')})},
        {"asset_metadata_reply", encode(asset_metadata_reply{"七 x", "It", "horror", "line\nline"})},
        {"asset_url", encode(asset_url{"path/to/asset123.mp4"})},
        {"asset_url", encode(asset_url{std::string(4096, 'u')})},
        {"asset_url_reply", encode(asset_url_reply{"123", "u"})},
        {"put_reply", encode(put_reply{"ok", 1})},
        {"delete_reply", encode(delete_reply{})},
        {"error_reply", encode(error_reply{"9", "Asset not found", "d", "f"})},
        {"error_reply", encode(error_reply{{}, "overloaded", {}, {}})},
        {"list_request", encode(list_request{"a b", 1000})},
        {"list_request", encode(list_request{})},
        {"list_request", R"({"after":null,"limit":null})"},
        {"metadata_page", encode(metadata_page{{{"1", "t", "g", "s"}, {"2", "", "", ""}}, "2"})},
        {"metadata_page", encode(metadata_page{})},
        {"asset_metadata_reply", encode(asset_metadata_reply{"1", "t", "g", "s", R"("year":1979,"tags":["a"])"})},
        {"search_request", encode(search_request{"été", "g", "t", "title", "ete/1", 1000})},
        {"search_request", encode(search_request{})},
        {"search_page", encode(search_page{{{"1", "t", "g", "s"}}, 7, "t/1"})},
        {"search_page", encode(search_page{})},
        {"content_page", encode(metadata_page{{{"1", "t", "g", "s"}}, "1"})},
        {"content_page", encode(search_page{{{"1", "t", "g", "s"}}, 7, "t/1"})},
        {"content_page", R"({"assets":[],"missing":["1","2"]})"},
        {"url_page", encode(url_page{{{"1", "u"}}, "1"})},
        {"url_page", encode(url_page{})},
        {"views_reply", encode(views_reply{asset.text(), 3})},
        {"asset_views_reply", encode(asset_views_reply{asset.text(), 3, 2, "2026-11-30T07:00:00Z"})},
        {"asset_views_reply", encode(asset_views_reply{asset.text(), 3, 0, {}})},
        {"user_views_reply", encode(user_views_reply{user.text(), 3, 2, "2026-11-30T07:00:00Z"})},
        {"series_request", encode(series_request{"day", "2026-11-30T07:00:00.5Z", "2026-11-30T07:00:00+00:00"})},
        {"series_request", encode(series_request{})},
        {"series_reply",
         encode(
             series_reply{"1", "hour", "2026-11-30T07:00:00Z", "2026-11-30T08:00:00Z", {{"2026-11-30T07:00:00Z", 3}}})},
        {"series_reply", encode(series_reply{{}, "day", "2026-11-30T00:00:00Z", "2026-11-30T00:00:00Z", {}})},
        {"history_request", encode(history_request{1000, "1796022000000.123"})},
        {"history_request", R"({"limit":null,"after":null})"},
        {"history_page", encode(history_page{{{"1", 2, "2026-11-30T07:00:00Z"}}, "1796022000000.1"})},
        {"history_page", encode(history_page{})},
        {"views_page", encode(views_page{{{"1", 2, 1, "2026-11-30T07:00:00Z"}, {"2", 1, 0, {}}}, "2"})},
        {"views_page", encode(views_page{})},
        {"correction", encode(correction{"01ARZ3NDEKTSV4RRFFQ69G5FAV.7", {}})},
        {"correction", encode(correction{{}, user.text()})},
        {"counts_reply", encode(counts_reply{0, 9007199254740993})},
        {"top_request", encode(top_request{1})},
        {"top_request", encode(top_request{})},
        {"top_request", encode(top_request{10, "24h", "2026-11-30T07:00:00Z"})},
        {"top_reply", encode(top_reply{{{"1", 2}, {"3", 1}}})},
        {"top_reply", encode(top_reply{})},
        {"top_reply", encode(top_reply{{{"1", 2}}, "2026-11-30T07:00:00Z", "2026-11-30T08:00:00Z"})},
        {"live_request", encode(live_request{"01JDX-7-0", 1000})},
        {"live_request", encode(live_request{})},
        {"live_reply",
         encode(live_reply{
             {{"0-7-1", "1", "u", rfc3339(now), 2, 1}, {"0-9-0", "2", "v", rfc3339(now), {}, {}}}, "0-9", {}, {}, {}})},
        {"live_reply", encode(live_reply{{}, "0-12", true, {}, {}})},
        {"play_event", encode_event(make_ulid(now), asset, user, now)},
        {"play_event", encode_event(event_id_for_key(user, "k"), asset, user, now)},
        {"cloud_event", encode(cloud_event_json{"1.0", "marquee.play", "/tv", "1", "a", "u", "2026-01-31T09:30:00Z"})},
        {"cloud_event", encode(cloud_event_json{"1.0", "marquee.play", "urn:x?y=%20#z", "é", "a", "u", {}})},
        {"play_reply", encode(play_reply{"1", "t", "g", "s", "u", {}, {}, not_stored})},
        {"play_reply", encode(play_reply{"1", "t", "g", "s", "u", {2}, {3}, {}})},
        {"event_counts_reply", encode(event_counts_reply{{}, {}, not_counted})},
        {"event_counts_reply", encode(event_counts_reply{{1}, {1}, {}})},
        {"health_reply", encode(health_reply{"ok"})},
        {"health_reply", encode(health_reply{"ready", health_checks{"ok", "ok", "full", "lagging"}, {}})},
        {"health_reply", encode(health_reply{"degraded", health_checks{"ok", "ok", "ok", "away"}, {}})},
        {"health_reply", encode(health_reply{"ready", health_checks{"ok", "ok", "ok", "ok"}, {{"ABC 0.1.0"}}})},
        {"problem", encode(detail::sample_problem(true))},
        {"problem", encode(detail::sample_problem(false))},
        {"services_reply", detail::services_json},
        {"services_reply", R"({"services":[]})"},
        {"services_reply",
         R"({"services":[],"counting_rules":[{"version":3,"dedupe_window":"24h","instances":["A"]}]})"},
        {"service_ping", detail::ping_json},
        {"service_info", detail::info_json},
        {"service_stats", detail::stats_json},
    };
}

} // namespace marquee::test
