// GET /events/live on real processes: what comes, in which order, over restarts of every part, and
// how a stream ends.
#include "tests/end_to_end/kit.hpp"
#include "tests/end_to_end/programs.hpp"
#include "tests/support/certificates.hpp"
#include "tests/support/jwt_maker.hpp"
#include "tests/support/nats_client.hpp"
#include "tests/support/raw_http.hpp"
#include "tests/support/tls_client.hpp"

#include <boost/json/parse.hpp>
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <csignal>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace
{

using namespace marquee::test;
using namespace std::chrono_literals;

const std::string secret = "correct-horse-battery-staple-and-more";

std::string token_of(const std::string& user)
{
    return "Bearer " +
           jwt_signer::secret(secret).token("HS256", R"({"sub":")" + user + R"(","exp":)" + in_seconds(3600) + "}");
}

struct live_event
{
    std::string id;
    std::string name; ///< empty: a view
    std::string data;
};

/// The body of a chunked answer, as far as it has come; with `ended` true where it is complete.
std::string unchunked(std::string_view body, bool& ended)
{
    std::string text;
    while (!ended)
    {
        const auto line = body.find("\r\n");
        if (line == std::string_view::npos)
            break;
        const auto size = std::stoul(std::string(body.substr(0, line)), nullptr, 16);
        if (body.size() < line + 2 + size + 2)
            break;
        BOOST_TEST_REQUIRE((body.substr(line + 2 + size, 2) == "\r\n"));
        ended = size == 0;
        text += body.substr(line + 2, size);
        body.remove_prefix(line + 2 + size + 2);
    }
    return text;
}

/// Of whole blocks only. Blocks without data are no events, and an `id` in them counts all the
/// same.
std::vector<live_event> events_in(const std::string& body, std::string* last_id = nullptr)
{
    std::vector<live_event> all;
    std::string id;
    for (std::size_t from = 0, end = 0; (end = body.find("\n\n", from)) != std::string::npos; from = end + 2)
    {
        live_event one;
        bool has_data = false;
        for (auto rest = body.substr(from, end - from) + '\n'; !rest.empty(); rest.erase(0, rest.find('\n') + 1))
        {
            const auto line = rest.substr(0, rest.find('\n'));
            if (line.starts_with("id: "))
                id = line.substr(4);
            else if (line.starts_with("event: "))
                one.name = line.substr(7);
            else if (line.starts_with("data: "))
            {
                one.data = line.substr(6);
                has_data = true;
            }
            else
                BOOST_TEST((line.starts_with(":") || line.starts_with("retry: ")), line);
        }
        one.id = id;
        if (has_data)
            all.push_back(one);
    }
    if (last_id != nullptr)
        *last_id = id;
    return all;
}

/// A client of one stream. `Link` is a raw_connection or a tls_connection.
template <class Link = raw_connection>
class stream_of
{
public:
    explicit stream_of(int port, const std::string& query = {}, const http_headers& headers = {},
                       const std::string& version = "1.1")
        : link_(port)
    {
        std::string text = "GET /events/live" + query + " HTTP/" + version + "\r\nHost: localhost\r\n";
        for (const auto& [name, value] : headers)
            text += name + ": " + value + "\r\n";
        BOOST_TEST_REQUIRE(link_.send(text + "\r\n"));
        BOOST_TEST_REQUIRE(link_.wait_for("\r\n\r\n"));
    }

    [[nodiscard]] Link& link() { return link_; }
    [[nodiscard]] std::string head() const { return received().substr(0, received().find("\r\n\r\n") + 4); }
    [[nodiscard]] bool ended() const
    {
        bool ended = false;
        (void)body(ended);
        return ended;
    }
    [[nodiscard]] std::string body() const
    {
        bool ended = false;
        return body(ended);
    }
    [[nodiscard]] std::vector<live_event> events() const { return events_in(body()); }
    [[nodiscard]] std::string last_id() const
    {
        std::string id;
        (void)events_in(body(), &id);
        return id;
    }

    /// Reads until the body holds `part`.
    void wait_for(const std::string& part)
    {
        const auto end = std::chrono::steady_clock::now() + 60s;
        while (body().find(part) == std::string::npos && !link_.closed() && std::chrono::steady_clock::now() < end)
            (void)link_.wait_for("\x01 never", 20ms); // reads what there is
        BOOST_TEST_REQUIRE((body().find(part) != std::string::npos), "not received: " << part << " in " << received());
    }

    /// Reads until the place is known: later views come.
    void wait_for_place() { wait_for("id: "); }

private:
    [[nodiscard]] const std::string& received() const { return link_.received(); }
    [[nodiscard]] std::string body(bool& ended) const
    {
        const auto from = received().find("\r\n\r\n") + 4;
        if (head().find("chunked") == std::string::npos)
            return received().substr(from);
        return unchunked(std::string_view(received()).substr(from), ended);
    }

    Link link_;
};

using stream = stream_of<>;

marquee_system::settings live_settings()
{
    static const temporary_folder folder;
    marquee_system::settings with;
    with.start = {"metadata", "cdnurl", "reporting", "edge", "edge-2", "edge-keys"};
    with.extra = {{"edge", {"--cors-origin", "https://shop.example"}},
                  {"edge-keys", {"--jwt-key", folder.write("key", secret + '\n'), "--max-live", "2"}}};
    return with;
}

using shared = shared_system<live_settings>;

std::unique_ptr<stream> idle; ///< open from the first case on: for its heartbeat

void view(const std::string& asset, const std::string& user, const std::string& edge = "edge")
{
    const auto answer =
        shared::system->call_until(200, {"POST", "/events/asset/" + asset + "/user/" + user}, 20s, edge);
    BOOST_TEST_REQUIRE(answer.status == 200);
}

std::string users_of(const std::vector<live_event>& events)
{
    std::string users;
    for (const auto& each : events)
        users +=
            (each.name.empty() ? std::string(boost::json::parse(each.data).at("user").as_string()) : each.name) + ' ';
    return users;
}

std::int64_t metric(const std::string& name, const std::string& edge = "edge")
{
    const auto text = shared::system->call({"GET", "/metrics"}, edge).body;
    const auto at = text.find('\n' + name + ' ');
    BOOST_TEST_REQUIRE(at != std::string::npos);
    return std::stoll(text.substr(at + name.size() + 2));
}

} // namespace

BOOST_AUTO_TEST_SUITE(live_, *boost::unit_test::fixture<shared>())

BOOST_AUTO_TEST_CASE(views_come_in_order_with_their_places_and_counts)
{
    auto& system = *shared::system;
    idle = std::make_unique<stream>(system.port("edge-2"), "?asset=nothing");
    stream all(system.port());
    stream one(system.port(), "?asset=a");
    for (auto* each : {&all, &one})
        each->wait_for_place();
    view("a", "u1");
    view("b", "u1");
    view("a", "u2");
    for (auto* each : {&all, &one})
        each->wait_for("\"user\":\"u2\"");
    BOOST_TEST(users_of(all.events()) == "u1 u1 u2 ");
    BOOST_TEST(users_of(one.events()) == "u1 u2 ");
    const auto last = boost::json::parse(all.events()[2].data);
    BOOST_TEST(last.at("asset").as_string() == "a");
    BOOST_TEST(last.at("assetviews").as_int64() == 2);
    BOOST_TEST(last.at("userviews").as_int64() == 1);
    BOOST_TEST(all.events()[2].id == one.events()[1].id);
    for (const auto* field :
         {"HTTP/1.1 200 OK\r\n", "Content-Type: text/event-stream\r\n", "Cache-Control: no-store\r\n",
          "X-Accel-Buffering: no\r\n", "Transfer-Encoding: chunked\r\n", "Connection: close\r\n"})
        BOOST_TEST(holds(all.head(), field), field);

    // Later, on another edge: what came after the first.
    stream resumed(system.port("edge-2"), "", {{"Last-Event-ID", all.events()[0].id}});
    resumed.wait_for("\"user\":\"u2\"");
    BOOST_TEST(users_of(resumed.events()) == "u1 u2 ");
    BOOST_TEST(resumed.events()[1].id == all.events()[2].id);
}

BOOST_AUTO_TEST_CASE(nothing_is_missed_or_repeated_over_a_restart_of_each_part)
{
    auto& system = *shared::system;
    int sent = 0;
    std::string expected;
    const auto publish = [&]
    {
        const auto user = "n" + std::to_string(sent++);
        expected += user + ' ';
        const http_call call{"POST", "/events/asset/ordered/user/" + user, {{"Idempotency-Key", user}}};
        BOOST_TEST_REQUIRE(system.call_until(200, call, 30s, "edge-2").status == 200);
    };
    const auto last = [&] { return "\"user\":\"n" + std::to_string(sent - 1) + '"'; };

    stream open(system.port(), "?asset=ordered");
    open.wait_for_place();
    publish();
    open.wait_for(last());

    system.kill("reporting");
    publish();
    publish();
    system.start("reporting");
    publish();
    open.wait_for(last());
    BOOST_TEST(users_of(open.events()) == expected);

    system.broker().kill();
    system.broker().restart();
    publish();
    open.wait_for(last());
    BOOST_TEST(users_of(open.events()) == expected);

    const auto place = open.last_id();
    const auto before = users_of(open.events());
    BOOST_TEST(system.stop("edge") == 0);
    publish();
    stream elsewhere(system.port("edge-2"), "?asset=ordered", {{"Last-Event-ID", place}});
    elsewhere.wait_for(last());
    system.start("edge");
    publish();
    elsewhere.wait_for(last());
    stream again(system.port(), "?asset=ordered", {{"Last-Event-ID", place}});
    again.wait_for(last());
    BOOST_TEST(before + users_of(elsewhere.events()) == expected);
    BOOST_TEST(before + users_of(again.events()) == expected);

    // From the first place on, the views are read from the stream.
    stream from_start(system.port(), "?asset=ordered", {{"Last-Event-ID", open.events()[0].id}});
    from_start.wait_for(last());
    BOOST_TEST("n0 " + users_of(from_start.events()) == expected);
}

BOOST_AUTO_TEST_CASE(nothing_is_missed_or_repeated_over_a_swap_of_the_counts_and_where_one_of_two_instances_dies)
{
    marquee_system::settings with;
    with.start = {"metadata", "cdnurl", "reporting", "reporting-2", "edge"};
    marquee_system system(with);
    int sent = 0;
    std::string expected;
    const auto publish = [&]
    {
        const auto user = "n" + std::to_string(sent++);
        expected += user + ' ';
        const http_call call{"POST", "/events/asset/two/user/" + user, {{"Idempotency-Key", user}}};
        BOOST_TEST_REQUIRE(system.call_until(200, call, 30s).status == 200);
    };
    stream open(system.port(), "?asset=two");
    open.wait_for_place();
    const auto wait_for_last = [&](stream& on) { on.wait_for("\"user\":\"n" + std::to_string(sent - 1) + '"'); };
    for (int i = 0; i < 20; ++i)
        publish();
    wait_for_last(open);
    system.kill("reporting");
    publish();
    publish();
    wait_for_last(open);

    process counting(program("marquee-reporting"),
                     {"--server", system.server(), "--db", system.database().string(), "--rebuild"},
                     {{"MARQUEE_LOG", "info"}});
    std::optional<std::string> swapped;
    for (int i = 0; i < 2000 && !swapped; ++i)
    {
        publish();
        swapped = counting.wait_for_line(": counted anew", 10ms);
    }
    BOOST_TEST_REQUIRE(swapped.has_value(), counting.output());
    system.kill("reporting-2");
    publish();
    publish();
    wait_for_last(open);
    BOOST_TEST(users_of(open.events()) == expected);

    stream again(system.port(), "?asset=two", {{"Last-Event-ID", open.events()[0].id}});
    wait_for_last(again);
    BOOST_TEST("n0 " + users_of(again.events()) == expected);
    counting.signal(SIGTERM);
    BOOST_TEST(counting.wait(30s).value_or(-1) == 0, counting.output());
}

BOOST_AUTO_TEST_CASE(a_place_of_another_stream_is_a_gap_first)
{
    auto& system = *shared::system;
    stream lost(system.port(), "?asset=after-gap", {{"Last-Event-ID", "AnotherStream-17-0"}});
    lost.wait_for("event: gap");
    view("after-gap", "u");
    lost.wait_for("\"user\":\"u\"");
    const auto events = lost.events();
    BOOST_TEST(users_of(events) == "gap u ");
    const auto next = std::string(boost::json::parse(events[0].data).at("next").as_string());
    BOOST_TEST(events[0].id == next);
    stream resumed(system.port("edge-2"), "?asset=after-gap", {{"Last-Event-ID", next}});
    resumed.wait_for("\"user\":\"u\"");
    BOOST_TEST(users_of(resumed.events()) == "u ");
    check_problem(system.call({"GET", "/events/live", {{"Last-Event-ID", "17"}}}), 400, "bad_request");
}

BOOST_AUTO_TEST_CASE(a_slow_client_is_told_and_closed_while_others_go_on)
{
    auto& system = *shared::system;
    nats_client publisher(system.broker().url());
    const auto before = metric("marquee_edge_live_slow_total");
    stream slow(system.port());
    slow.wait_for_place();
    stream other(system.port(), "?asset=quiet");
    other.wait_for_place();
    std::string lines;
    for (int i = 0; i < 1000; ++i)
        lines += "crowd:a-user-with-a-name-that-is-rather-long-" + std::to_string(i) + '\n';
    for (int i = 0; i < 20; ++i)
    {
        publisher.store("events", lines);
        publisher.store("events", "quiet:q" + std::to_string(i));
        other.wait_for("\"q" + std::to_string(i) + '"');
    }
    BOOST_TEST(slow.link().wait_for_end());
    BOOST_TEST(slow.ended());
    const auto events = slow.events();
    BOOST_TEST_REQUIRE(!events.empty());
    BOOST_TEST(events.back().name == "slow");
    BOOST_TEST(events.size() < 20000U);
    BOOST_TEST(metric("marquee_edge_live_slow_total") == before + 1);
    BOOST_TEST(other.events().size() == 20U);

    // It comes back where it was.
    stream back(system.port(), "", {{"Last-Event-ID", events.back().id}});
    back.wait_for("\"user\":\"q19\"");
    BOOST_TEST(events.size() - 1 + back.events().size() == 20020U);
}

BOOST_AUTO_TEST_CASE(head_http_1_0_and_pages_of_other_origins)
{
    auto& system = *shared::system;
    const http_headers page{{"Origin", "https://shop.example"}};
    const auto head = system.call({"HEAD", "/events/live", page});
    BOOST_TEST(head.status == 200);
    BOOST_TEST(head.header("Content-Type") == "text/event-stream");
    BOOST_TEST(head.header("Content-Length") == "");
    BOOST_TEST(head.header("Access-Control-Allow-Origin") == "https://shop.example");

    stream old(system.port(), "?asset=old", page, "1.0");
    BOOST_TEST(!holds(old.head(), "Transfer-Encoding"));
    BOOST_TEST(holds(old.head(), "Access-Control-Allow-Origin: https://shop.example\r\n"));
    old.wait_for_place();
    view("old", "u");
    old.wait_for("\"user\":\"u\"");
    BOOST_TEST(users_of(old.events()) == "u ");
    const auto allowed = system.call({"OPTIONS",
                                      "/events/live",
                                      {{"Origin", "https://shop.example"},
                                       {"Access-Control-Request-Method", "GET"},
                                       {"Access-Control-Request-Headers", "last-event-id"}}});
    BOOST_TEST(holds(allowed.header("Access-Control-Allow-Headers"), "Last-Event-ID"));
}

BOOST_AUTO_TEST_CASE(with_keys_users_are_named_to_those_who_may_know_and_streams_are_limited)
{
    auto& system = *shared::system;
    const auto port = system.port("edge-keys");
    const http_headers own{{"Authorization", token_of("u")}};
    {
        stream anybody(port, "?asset=named");
        stream self(port, "?asset=named&user=u", own);
        const auto refused = system.call({"GET", "/events/live"}, "edge-keys");
        check_problem(refused, 503, "overloaded");
        BOOST_TEST(refused.header("Retry-After") == "1");
        for (auto* each : {&anybody, &self})
            each->wait_for_place();
        view("named", "v");
        view("named", "u");
        self.wait_for("\"user\":\"u\"");
        anybody.wait_for("\"assetviews\":2");
        BOOST_TEST(users_of(self.events()) == "u ");
        BOOST_TEST(anybody.events().size() == 2U);
        BOOST_TEST(!holds(anybody.body(), "user"));
    }
    check_problem(system.call({"GET", "/events/live?user=u"}, "edge-keys"), 401, "unauthorized");
    check_problem(system.call({"GET", "/events/live?user=v", own}, "edge-keys"), 403, "forbidden");
    // Streams whose clients have gone make room.
    const http_call head{"HEAD", "/events/live", {system.authorization()}};
    BOOST_TEST(system.call_until(200, head, 20s, "edge-keys").status == 200);
    stream operators(port, "?asset=named", {system.authorization()});
    operators.wait_for_place();
    view("named", "w");
    operators.wait_for("\"user\":\"w\"");
}

BOOST_AUTO_TEST_CASE(an_edge_that_stops_ends_its_streams_with_a_time_to_come_back)
{
    auto& system = *shared::system;
    stream open(system.port(), "?asset=drained");
    open.wait_for_place();
    view("drained", "u1");
    open.wait_for("\"user\":\"u1\"");
    BOOST_TEST(system.stop("edge") == 0);
    BOOST_TEST(open.link().wait_for_end());
    BOOST_TEST(open.ended());
    BOOST_TEST(holds(open.body(), "retry: "));
    system.start("edge");
    view("drained", "u2");
    stream back(system.port(), "?asset=drained", {{"Last-Event-ID", open.last_id()}});
    back.wait_for("\"user\":\"u2\"");
    BOOST_TEST(users_of(back.events()) == "u2 ");
}

BOOST_AUTO_TEST_CASE(streams_come_through_tls_too)
{
    const temporary_folder folder;
    const auto mine = certificate_authority().issue();
    process edge(program("marquee-edge"),
                 {"--server", shared::system->server(), "--listen", "127.0.0.1:0", "--tls-cert",
                  folder.write("cert", mine.pem()), "--tls-key", folder.write("key", mine.key_pem())},
                 {{"MARQUEE_LOG", "info"}});
    const auto line = serves("edge", edge);
    BOOST_TEST_REQUIRE(line.has_value());
    const auto port = port_in(*line);
    stream_of<tls_connection> open(port, "?asset=private");
    open.wait_for_place();
    view("private", "u");
    open.wait_for("\"user\":\"u\"");
    edge.signal(SIGTERM);
    BOOST_TEST(open.link().wait_for_end());
    BOOST_TEST(open.ended());
    BOOST_TEST(open.link().got_close_notify());
    BOOST_TEST(edge.wait().value_or(-1) == 0);
}

BOOST_AUTO_TEST_CASE(an_idle_stream_has_heartbeats_and_one_that_is_closed_is_gone)
{
    const auto before = metric("marquee_edge_live_clients", "edge-2");
    BOOST_TEST(before >= 1);
    idle->wait_for(":\n");
    BOOST_TEST(idle->events().empty());
    const auto place = idle->last_id();
    BOOST_TEST(place != "");
    idle.reset();
    const auto end = std::chrono::steady_clock::now() + 20s;
    while (metric("marquee_edge_live_clients", "edge-2") >= before && std::chrono::steady_clock::now() < end)
    {
    }
    BOOST_TEST(metric("marquee_edge_live_clients", "edge-2") < before);
}

BOOST_AUTO_TEST_SUITE_END()
