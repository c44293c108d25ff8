#include "tests/end_to_end/contract/traffic_check.hpp"

#include "edge/routes/routes.hpp"
#include "edge/upstream/counts_lines.hpp"
#include "schemas/cloud_event.hpp"
#include "schemas/event.hpp"
#include "schemas/record_lines.hpp"
#include "schemas/record_tag.hpp"
#include "schemas/subjects.hpp"
#include "tests/support/api_document.hpp"
#include "tests/support/prometheus.hpp"
#include "tests/support/schema_check.hpp"
#include "tests/support/unbundle.hpp"
#include "tests/unit/schemas/kit.hpp"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <sstream>

namespace marquee::test
{

namespace
{

/// The schemas of a service's subject. An empty request schema: no payload. `may_be_empty`: with or
/// without a payload.
struct rule
{
    const char* name;
    int ids;
    const char* request;
    const char* reply;
    bool may_be_empty = false;
};

/// Instead of a schema: the lines of `gets`.
constexpr const char* lines = "lines";

constexpr rule rules[] = {
    {"metadata.get", 1, "", "asset_metadata_reply"},
    {"metadata.put", 1, "asset_metadata", "put_reply"},
    {"metadata.delete", 1, "", "delete_reply"},
    {"metadata.list", 0, "list_request", "metadata_page", true},
    {"metadata.search", 0, "search_request", "search_page", true},
    {"cdnurl.get", 1, "", "asset_url_reply"},
    {"cdnurl.put", 1, "asset_url", "put_reply"},
    {"cdnurl.delete", 1, "", "delete_reply"},
    {"cdnurl.list", 0, "list_request", "url_page", true},
    {"reporting.asset", 1, "", "asset_views_reply"},
    {"reporting.user", 1, "", "user_views_reply"},
    {"reporting.views", 2, "", "counts_reply"},
    {"reporting.top", 0, "top_request", "top_reply", true},
    {"reporting.series", 0, "series_request", "series_reply", true},
    {"reporting.series", 1, "series_request", "series_reply", true},
    {"reporting.history", 1, "history_request", "history_page", true},
    {"reporting.assets", 0, "list_request", "views_page", true},
    {"reporting.live", 0, "live_request", "live_reply", true},
    {"metadata.gets", 0, lines, lines},
    {"cdnurl.gets", 0, lines, lines},
};

/// What the counts of a message of views are filed under, among the requests.
constexpr const char* counts_of_events = "events counts";

constexpr rule control[] = {
    {"$SRV.PING", 0, "", "service_ping"},
    {"$SRV.INFO", 0, "", "service_info"},
    {"$SRV.STATS", 0, "", "service_stats"},
};

struct route_rule
{
    const char* route;
    const char* schema;
};

constexpr route_rule route_rules[] = {
    {"POST /play/asset/{asset}/user/{user}", "play_reply"},
    {"GET /content/asset/{asset}", "asset_metadata_reply"},
    {"POST /content/asset/{asset}", "put_reply"},
    {"DELETE /content/asset/{asset}", "delete_reply"},
    {"GET /content/assets", "content_page"},
    {"GET /url/asset/{asset}", "asset_url_reply"},
    {"POST /url/asset/{asset}", "put_reply"},
    {"DELETE /url/asset/{asset}", "delete_reply"},
    {"GET /url/assets", "url_page"},
    {"GET /events/asset/{asset}", "asset_views_reply"},
    {"GET /events/user/{user}", "user_views_reply"},
    {"GET /events/asset/{asset}/series", "series_reply"},
    {"GET /events/user/{user}/history", "history_page"},
    {"GET /events/top", "top_reply"},
    {"GET /events/series", "series_reply"},
    {"GET /events/assets", "views_page"},
    {"DELETE /events/user/{user}", "delete_reply"},
    {"POST /events/asset/{asset}/user/{user}", "event_counts_reply"},
    {"GET /healthz", "health_reply"},
    {"GET /readyz", "health_reply"},
    {"GET /services", "services_reply"},
};

constexpr const char* metrics_type = "text/plain; version=0.0.4; charset=utf-8";
constexpr const char* words_type = "text/plain; charset=utf-8";
constexpr const char* csv_type = "text/csv; charset=utf-8; header=present";

const rule* rule_of(const std::string& subject)
{
    for (const auto& each : rules)
    {
        const std::string name = each.name;
        if (each.ids == 0 && subject == name)
            return &each;
        const auto tokens = std::count(subject.begin(), subject.end(), '.') - 1;
        if (each.ids > 0 && tokens == each.ids && subject.starts_with(name + '.'))
            return &each;
    }
    for (const auto& each : control)
        if (subject == each.name || subject.starts_with(std::string(each.name) + '.'))
            return &each;
    return nullptr;
}

/// JetStream's subjects. Its replies and acknowledgements are not checked.
bool is_jetstream(const std::string& subject)
{
    return subject.starts_with("$JS.API.") || subject.starts_with("$JS.FC.") ||
           subject.starts_with("$JS.EVENT.ADVISORY.");
}

bool is_number(std::string_view text)
{
    return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

void check_headers(const message& msg)
{
    for (const auto& [name, value] : msg.headers)
    {
        const bool number = name == names::header_timeout || name == names::header_revision ||
                            name == names::header_after || name == "Nats-Expected-Last-Sequence" ||
                            name == "Nats-Expected-Last-Subject-Sequence";
        const bool text = name == names::header_request_id || name == names::header_event ||
                          name == names::header_msg_id || name == names::header_counts_to ||
                          name == names::header_counts_from || name == "KV-Operation" || name == wrong_on_purpose;
        const bool tag = name == names::header_tag;
        const bool wrong = msg.headers.has(wrong_on_purpose);
        const bool fit = (!number || is_number(value)) && (!tag || parse_record_tag(value).has_value());
        if ((!number && !text && !tag) || (!wrong && !fit))
            BOOST_ERROR(msg.subject << " has the header " << name << ": " << printable(value));
    }
}

/// Of a text whose last line may have a line feed.
std::size_t line_count(const std::string& text)
{
    return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')) + (text.ends_with('\n') ? 0 : 1);
}

bool is_delivery(const message& msg) { return msg.reply.starts_with("$JS.ACK."); }

} // namespace

void traffic_check::fits(const std::string& schema, const std::string& json, const std::string& where)
{
    schemas_.insert(schema);
    if (const auto wrong = complaints(schema, json); !wrong.empty())
        BOOST_ERROR(where << " does not fit " << schema << ": " << wrong << printable(json));
}

void traffic_check::messages(const std::vector<message>& seen, bool all_answered)
{
    const auto all = unbundled(seen);
    for (const auto& msg : all)
    {
        if (msg.subject.starts_with("_INBOX"))
            continue;
        if (rule_of(msg.subject) != nullptr)
            request(msg);
        else if (msg.subject == "events")
            event(msg);
        else if (msg.subject == "events.admin")
            correction(msg);
        else if (msg.subject.starts_with("$KV."))
            entry(msg);
        else if (!is_jetstream(msg.subject))
            BOOST_ERROR("unexpected subject " << printable(msg.subject));
        if (!msg.reply.empty() && !is_delivery(msg))
            pending_[msg.reply] = {msg.subject, msg.headers.has(wrong_on_purpose), msg.data};
        if (const auto to = msg.headers.get(names::header_counts_to); !to.empty())
            pending_[std::string(to)] = {counts_of_events, false, msg.data};
    }
    for (const auto& msg : all)
        if (msg.subject.starts_with("_INBOX"))
            reply(msg);
    const auto of_an_edge = [](const std::string& subject) // which looks for instances at any time
    { return subject.starts_with("$SRV.INFO."); };
    for (const auto& [to, what] : pending_)
        if (all_answered && what.replies == 0 && !of_an_edge(what.subject) && rule_of(what.subject) != nullptr)
            BOOST_ERROR("no reply to " << printable(what.subject));
}

void traffic_check::request(const message& msg)
{
    const auto& what = *rule_of(msg.subject);
    check_headers(msg);
    if (msg.headers.has(wrong_on_purpose))
        return;
    for (int i = 0; i < what.ids; ++i)
        BOOST_TEST(decode_token(subjects::token_at(msg.subject, 2 + static_cast<std::size_t>(i))).has_value(),
                   printable(msg.subject));
    const std::string schema = what.request;
    if (schema == lines)
        BOOST_TEST(read_gets_request(msg.data).has_value(), printable(msg.data));
    else if (schema.empty() || (what.may_be_empty && msg.data.empty()))
        BOOST_TEST(msg.data.empty(), printable(msg.subject) << ' ' << printable(msg.data));
    else
        fits(schema, msg.data, "a request on " + msg.subject);
}

void traffic_check::event(const message& msg)
{
    check_headers(msg);
    const bool stored = is_delivery(msg);
    if (msg.headers.has(wrong_on_purpose))
    {
        BOOST_TEST(parse_event(msg.data).has_error(), printable(msg.data));
        seen_.insert(stored ? "events rejected" : "events wrong");
        return;
    }
    std::istringstream in(msg.data);
    for (std::string line; std::getline(in, line);)
    {
        if (line.starts_with('{'))
            fits(is_cloud_event(line) ? "cloud_event" : "play_event", line, stored ? "a stored event" : "an event");
        else
            BOOST_TEST(parse_event(line).has_value(), printable(line)); // the text form has no schema
        const std::string form = line.starts_with('{') ? " JSON" : " text";
        seen_.insert((stored ? "events stored" : "events sent") + form);
    }
}

void traffic_check::correction(const message& msg)
{
    check_headers(msg);
    if (!msg.headers.has(wrong_on_purpose))
        fits("correction", msg.data, "a correction");
    seen_.insert(is_delivery(msg) ? "events.admin stored" : "events.admin sent");
}

/// A record that is stored in a bucket, or delivered from it.
void traffic_check::entry(const message& msg)
{
    check_headers(msg);
    const std::string bucket(subjects::token_at(msg.subject, 1));
    const auto id = decode_token(subjects::token_at(msg.subject, 2));
    const std::string where = "$KV." + bucket + (is_delivery(msg) ? " stored" : " sent");
    if ((bucket != "metadata" && bucket != "cdnurl") || id.has_error() ||
        std::count(msg.subject.begin(), msg.subject.end(), '.') != 2)
    {
        BOOST_ERROR("unexpected subject " << printable(msg.subject));
        return;
    }
    if (msg.headers.has("KV-Operation"))
    {
        BOOST_TEST(msg.headers.get("KV-Operation") == "DEL");
        BOOST_TEST(msg.data.empty());
        seen_.insert(where + " marker");
        return;
    }
    fits(bucket == "metadata" ? "asset_metadata_reply" : "asset_url_reply", msg.data, where);
    BOOST_TEST(boost::json::parse(msg.data).at("id").as_string() == *id);
    seen_.insert(where);
}

void traffic_check::reply(const message& msg)
{
    const auto found = pending_.find(msg.subject);
    if (found == pending_.end())
    {
        if (!msg.data.empty()) // without data: a connection's own round trip, or a consumer's heartbeat
            BOOST_ERROR("a reply to nothing: " << printable(msg.data));
        return;
    }
    auto& [subject, wrong, data, replies] = found->second;
    ++replies;
    if (subject == counts_of_events)
    {
        BOOST_TEST(replies == 1, "a message of events has its counts twice");
        BOOST_TEST(!msg.headers.get(names::header_instance).empty());
        BOOST_TEST(read_counts_lines(msg.data, line_count(data)).has_value(), printable(msg.data));
        seen_.insert("events counts");
        return;
    }
    const auto* what = rule_of(subject);
    if (what == nullptr) // JetStream's
        return;
    const bool error = msg.headers.has(names::header_service_error_code);
    BOOST_TEST((error || !wrong), "a success for what was wrong on purpose: " << printable(subject));
    BOOST_TEST((replies == 1 || subject.starts_with("$SRV.")), "a second reply on " << printable(subject));
    seen_.insert(what->name + std::string(error ? " error" : " ok"));
    if (error)
    {
        error_body(msg, "an error of " + subject);
        return;
    }
    if (what->reply == std::string(lines))
    {
        BOOST_TEST(read_record_lines(msg.data, line_count(data)).has_value(), printable(msg.data));
        return;
    }
    fits(what->reply, msg.data, "a reply of " + subject);
    const std::string name = what->name;
    const bool one_record = name.ends_with(".get") || name.ends_with(".put") || name.ends_with(".delete");
    BOOST_TEST(is_number(msg.headers.get(names::header_revision)) == name.ends_with(".get"), name);
    BOOST_TEST(parse_record_tag(msg.headers.get(names::header_tag)).has_value() == one_record, name);
}

void traffic_check::error_body(const message& msg, const std::string& where)
{
    fits("error_reply", msg.data, where);
    const auto text = msg.headers.get(names::header_service_error);
    const auto number = msg.headers.get(names::header_service_error_code);
    BOOST_TEST(boost::json::parse(msg.data).at("status").as_string() == text, where);
    BOOST_TEST((is_number(number) && number.size() == 3 && number >= "400" && number < "600"), where);
}

void traffic_check::answer(const http_call& call, const http_answer& given)
{
    std::string route;
    bool file = false;
    if (const auto target = parse_target(call.target); target.has_value())
        if (const auto found = find_route(call.method, target->segments); found.has_value())
        {
            route = std::string(found->found->method) + ' ' + std::string(found->found->pattern);
            file = found->found->is.files;
        }
    const auto where = call.method + ' ' + call.target.substr(0, 80) + " = " + std::to_string(given.status);
    const bool head = call.method == "HEAD";

    static const api_document documented(document_text("openapi"));
    if (!route.empty())
        for (const auto& wrong : documented.complaints(route, given, head))
            BOOST_ERROR(where << " by openapi.json: " << wrong);
    BOOST_TEST(!given.header("X-Request-ID").empty(), where);
    if (given.status == 304 || head)
        BOOST_TEST(given.body.empty(), where);
    if (given.status == 304)
    {
        BOOST_TEST(!given.header("ETag").empty(), where);
        seen_.insert(route + " 304");
    }
    else if (file && (given.status == 200 || given.status == 206)) // bytes, of many types
        seen_.insert(route + (head ? " head" : " ok"));
    else if (given.status == 200)
    {
        const bool numbers = route == "GET /metrics" || route == "GET /metrics/fleet";
        const bool words = route == "GET /problems/{code}";
        const bool csv = given.header("Content-Type").starts_with("text/csv");
        const bool stream = route == "GET /events/live";
        const auto* type = numbers  ? metrics_type
                           : words  ? words_type
                           : csv    ? csv_type
                           : stream ? "text/event-stream"
                                    : "application/json";
        BOOST_TEST(given.header("Content-Type") == type, where);
        seen_.insert(route + (head ? " head" : csv ? " csv" : " ok"));
        if (numbers && !head)
            BOOST_TEST(read_metrics(given.body).complaints == std::vector<std::string>(),
                       boost::test_tools::per_element());
        if (numbers || words || csv || stream || route == "GET /openapi.json") // these have no schema
            return;
        const auto* known = std::find_if(std::begin(route_rules), std::end(route_rules),
                                         [&](const auto& r) { return r.route == route; });
        BOOST_TEST_REQUIRE((known != std::end(route_rules)), where);
        if (!head)
            fits(known->schema, given.body, where);
    }
    else
    {
        BOOST_TEST(given.status >= 400, where);
        seen_.insert(route + " error");
        if (!head)
            problem(given, where);
    }
}

void traffic_check::problem(const http_answer& given, const std::string& where)
{
    BOOST_TEST(given.header("Content-Type") == "application/problem+json", where);
    fits("problem", given.body, where);
    BOOST_TEST(given.number("status") == given.status, where);
    BOOST_TEST(given.text("instance") == given.header("X-Request-ID"), where);
    BOOST_TEST((!given.text("field").empty() || given.status != 400), where);
    codes_.insert(given.text("code"));
    BOOST_TEST(given.header("Allow").empty() == (given.status != 405), where);
    BOOST_TEST((!given.header("WWW-Authenticate").empty() || given.status != 401), where);
    BOOST_TEST((given.header("WWW-Authenticate").empty() || given.status == 401 || given.status == 403), where);
    BOOST_TEST(given.header("Retry-After").empty() == (given.status != 503 && given.status != 429), where);
}

} // namespace marquee::test
