// Settings of the stream and the buckets, edited by an operator while the services run, and before
// they start again.
#include "broker/jetstream/state_streams.hpp"
#include "services/catalogue/catalogue_program.hpp"
#include "services/metadata/metadata.hpp"
#include "services/reporting/reporting_service.hpp"
#include "tests/integration/reporting/reporting_fixture.hpp"

#include <fcntl.h>
#include <fstream>
#include <unistd.h>

using namespace marquee;
using namespace marquee::test;
namespace json = boost::json;

namespace
{

/// What this process logs while it lives.
class kept_log
{
public:
    explicit kept_log(std::string path) : path_(std::move(path)), saved_(::dup(STDERR_FILENO))
    {
        const int file = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        ::dup2(file, STDERR_FILENO);
        ::close(file);
    }
    ~kept_log()
    {
        ::dup2(saved_, STDERR_FILENO);
        ::close(saved_);
    }
    kept_log(const kept_log&) = delete;
    kept_log& operator=(const kept_log&) = delete;

    /// How many lines hold `text`.
    [[nodiscard]] int lines_with(const std::string& text) const
    {
        std::ifstream in(path_);
        int count = 0;
        for (std::string line; std::getline(in, line);)
            count += line.find(text) == std::string::npos ? 0 : 1;
        return count;
    }

private:
    std::string path_;
    int saved_;
};

struct edits_fixture : reporting_fixture
{
    static constexpr auto period = 20ms;

    /// A service in this process, on a connection of its own.
    struct running_service
    {
        std::unique_ptr<connection> nats;
        std::unique_ptr<component> part;
    };

    using starter = std::function<asio::awaitable<result<std::unique_ptr<component>>>(connection&)>;

    result<running_service> start(const starter& how)
    {
        running_service one;
        one.nats = connect();
        auto started = wait(how(*one.nats));
        if (started.has_error())
            return started.error();
        one.part = std::move(*started);
        wait(flushed(*one.nats)); // as run_program does: the broker knows the subscriptions by then
        return one;
    }

    static asio::awaitable<bool> flushed(connection& nats)
    {
        auto flushing = nats.flush(deadline::in(5s));
        co_await std::move(flushing);
        co_return true;
    }

    static asio::awaitable<bool> stopped(component& part)
    {
        co_await part.stop(deadline::in(5s));
        co_return true;
    }

    void stop(running_service& one) { wait(stopped(*one.part)); }

    starter reporting(const std::string& name)
    {
        reporting_settings settings;
        settings.database.path = database(name);
        settings.stream = events_stream();
        settings.check_settings = period;
        return [settings](connection& nats) { return start_reporting(nats, settings, [](const std::string&) {}); };
    }

    static starter metadata(bool demo = true)
    {
        bucket_options options;
        options.demo = demo;
        options.check_settings = period;
        return [options](connection& nats) { return start_catalogue(nats, metadata_program(), options); };
    }

    json::object config_of(const std::string& stream)
    {
        return api(subject::of({"$JS", "API", "STREAM", "INFO", stream})).at("config").as_object();
    }

    /// False where the server does not allow it, or does not know the setting.
    bool set(const std::string& stream, const json::object& config, const json::object& edits)
    {
        const header_list none;
        const auto to = subject::of({"$JS", "API", "STREAM", "UPDATE", stream});
        const auto text = json::serialize(config);
        const auto reply = wait(hand->requests().request(to, text, none, deadline::in(20s)).receive());
        BOOST_REQUIRE(reply.has_value());
        const auto answer = json::parse(reply->data).as_object();
        if (answer.contains("error"))
            return false;
        const auto& now = answer.at("config").as_object();
        for (const auto& [name, value] : edits)
            if (!now.contains(name))
                return false;
        return true;
    }

    bool edit(const std::string& stream, const char* edits)
    {
        auto config = config_of(stream);
        const auto changes = json::parse(edits).as_object();
        for (const auto& [name, value] : changes)
            config[name] = value;
        return set(stream, config, changes);
    }

    /// The data of the service's first endpoint.
    json::object data_of(const std::string& service)
    {
        const auto to = subject::of({"$SRV", "STATS", service});
        const header_list none;
        const auto reply = wait(hand->requests().request(to, {}, none, deadline::in(20s)).receive());
        BOOST_REQUIRE(reply.has_value());
        return json::parse(reply->data).at("endpoints").at(0).at("data").as_object();
    }

    std::string answer_of(const std::string& service)
    {
        const auto to =
            service == "reporting" ? subject::of({"reporting", "asset", "a"}) : subject::of({"metadata", "get", "123"});
        const header_list none;
        const auto reply = wait(hand->requests().request(to, {}, none, deadline::in(20s)).receive());
        return code_of(reply);
    }

    void until_serving(const std::string& service)
    {
        until([&] { return data_of(service).at("serving") == true && answer_of(service) != "no_responders"; });
        BOOST_TEST(!data_of(service).contains("alarm"));
    }

    void until_alarm(const std::string& service, const std::string& part)
    {
        until(
            [&]
            {
                const auto data = data_of(service);
                return data.contains("alarm") && data.at("serving") == false && answer_of(service) == "no_responders";
            });
        const std::string alarm(data_of(service).at("alarm").as_string());
        BOOST_TEST(alarm.find(part) != std::string::npos, part << " is not in: " << alarm);
        BOOST_TEST(alarm.find("nats stream edit") != std::string::npos, alarm);
    }
};

struct edit_row
{
    const char* edits;
    const char* refused; ///< what is said; empty: the edit is accepted
    const char* remark = "";
};

const edit_row events_edits[] = {
    {R"({"description":"edited"})", ""},
    {R"({"metadata":{"team":"video"}})", ""},
    {R"({"max_age":2592000000000000})", "", "max_age is 720h"},
    {R"({"max_bytes":1073741824})", "", "max_bytes is 1 GiB"},
    {R"({"duplicate_window":1000000000})", ""},
    {R"({"compression":"s2"})", ""},
    {R"({"allow_direct":true})", ""},
    {R"({"max_msg_size":1048576})", ""},
    {R"({"republish":{"src":"events","dest":"copy.events"}})", ""},
    {R"({"allow_msg_ttl":true})", "", "allow_msg_ttl is true"},
    {R"({"subjects":["events","events.admin","views"]})", "subjects is events,events.admin,views"},
    {R"({"subjects":["views"]})", "subjects is views"},
    {R"({"subjects":["events.>","events"]})", "subjects is events.>,events"},
    {R"({"retention":"interest"})", "retention is interest"},
    {R"({"no_ack":true})", "no_ack is true"},
    {R"({"allow_rollup_hdrs":true})", "allow_rollup_hdrs is true"},
    {R"({"max_msgs":1000})", "max_msgs is 1000 messages"},
    {R"({"max_msgs_per_subject":1000})", "max_msgs_per_subject is 1000 messages"},
    {R"({"discard":"old"})", "discard is old"},
    {R"({"max_msg_size":100})", "max_msg_size is 100 bytes"},
};

const edit_row bucket_edits[] = {
    {R"({"description":"edited"})", ""},
    {R"({"max_msgs_per_subject":5})", ""},
    {R"({"max_bytes":1073741824})", "", "max_bytes is 1 GiB"},
    {R"({"max_msgs":100})", "", "max_msgs is 100 messages"},
    {R"({"subjects":["$KV.metadata.>","views"]})", "subjects is $KV.metadata.>,views"},
    {R"({"max_age":3600000000000})", "max_age is 1h"},
    {R"({"no_ack":true})", "no_ack is true"},
    {R"({"discard":"old"})", "discard is old"},
};

/// Edits that no server can take back, last; the second one cures the first.
const edit_row bucket_last_edits[] = {
    {R"({"allow_msg_ttl":true})", "allow_msg_ttl is true without subject_delete_marker_ttl"},
    {R"({"allow_msg_ttl":true,"subject_delete_marker_ttl":60000000000})", ""},
};

/// The edit is made while the service runs, and then the service is started anew; then it is taken
/// back.
void check(edits_fixture& on, const std::string& service, const std::string& stream, const edit_row& row,
           const edits_fixture::starter& starts_anew)
{
    BOOST_TEST_CONTEXT(stream << ' ' << row.edits)
    {
        const std::string refused(row.refused);
        const std::string remark(row.remark);
        const auto before = on.config_of(stream);
        const kept_log log(on.folder / "log");
        if (!on.edit(stream, row.edits))
        {
            BOOST_TEST_MESSAGE("not on this server: " << row.edits);
            return;
        }
        if (!refused.empty())
            on.until_alarm(service, refused);
        if (!remark.empty())
            on.until([&] { return log.lines_with(remark) > 0; });
        auto anew = on.start(starts_anew);
        BOOST_TEST(anew.has_error() == !refused.empty());
        if (anew.has_error())
        {
            BOOST_TEST((anew.error() == errc::bad_request));
            BOOST_TEST(anew.error().detail.find(refused) != std::string::npos, anew.error().detail);
        }
        else
            on.stop(*anew);
        if (refused.empty())
            on.until_serving(service);
        BOOST_TEST(log.lines_with("out of service why") == (refused.empty() ? 0 : 1));
        BOOST_TEST(log.lines_with(remark) <= 2 + (remark.empty() ? 1000 : 0)); // one for each instance
        if (on.set(stream, before, {}))
            on.until_serving(service);
    }
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(stream_edits, edits_fixture)

BOOST_AUTO_TEST_CASE(edits_of_the_stream_under_a_running_reporting_and_before_its_next_start)
{
    auto one = start(reporting("one"));
    BOOST_REQUIRE_MESSAGE(one.has_value(), one.error().detail);
    until_serving("reporting");
    for (const auto& row : events_edits)
        check(*this, "reporting", "EVENTS", row, reporting("two"));
    until_counted(store(3, "a:u"));
    BOOST_TEST(views("a") == 3U);
    stop(*one);
}

BOOST_AUTO_TEST_CASE(edits_of_a_bucket_under_a_running_catalogue_and_before_its_next_start)
{
    auto one = start(metadata());
    BOOST_REQUIRE_MESSAGE(one.has_value(), one.error().detail);
    until_serving("metadata");
    for (const auto& row : bucket_edits)
        check(*this, "metadata", "KV_metadata", row, metadata());
    BOOST_TEST(answer_of("metadata") == "ok");
    for (const auto& row : bucket_last_edits)
        check(*this, "metadata", "KV_metadata", row, metadata());
    stop(*one);
}

BOOST_AUTO_TEST_CASE(what_an_edit_cannot_change_is_refused_at_the_start)
{
    const std::pair<const char*, const char*> made[] = {
        {R"("storage":"memory")", "storage is memory"},
        {R"("retention":"workqueue")", "retention is workqueue"},
        {R"("persist_mode":"async")", "persist_mode is async"},
        {R"("allow_rollup_hdrs":true)", "allow_rollup_hdrs is true"},
    };
    for (const auto& [setting, told] : made)
        BOOST_TEST_CONTEXT(setting)
        {
            create_stream("EVENTS",
                          std::string(R"({"name":"EVENTS","subjects":["events"],"discard":"new",)") + setting + "}");
            const auto name = std::string(setting).substr(1, std::string(setting).find("\":") - 1);
            if (config_of("EVENTS").contains(name))
            {
                const auto one = start(reporting("one"));
                BOOST_REQUIRE(one.has_error());
                BOOST_TEST(one.error().detail.find(told) != std::string::npos, one.error().detail);
            }
            delete_stream("EVENTS");
        }
}

BOOST_AUTO_TEST_CASE(what_is_lost_under_accepted_settings_is_logged_once_for_each_change)
{
    auto one = start(reporting("one"));
    until_serving("reporting");
    const kept_log log(folder / "log");
    for (const auto* age : {"3600000000000", "7200000000000"})
    {
        BOOST_TEST(edit("EVENTS", ("{\"max_age\":" + std::string(age) + "}").c_str()));
        until([&] { return log.lines_with(age[0] == '3' ? "max_age is 1h" : "max_age is 2h") > 0; });
    }
    BOOST_TEST(edit("EVENTS", R"({"max_age":0})"));
    until([&] { return log.lines_with("usual settings again") > 0; });
    const auto end = deadline::in(5 * period);
    until([&] { return end.passed(); });
    BOOST_TEST(log.lines_with("stream is used with its own settings") == 2);
    BOOST_TEST(log.lines_with("usual settings again") == 1);
    stop(*one);
}

BOOST_AUTO_TEST_CASE(without_the_demo_a_new_bucket_is_empty_and_stays_so)
{
    for (int round = 0; round < 2; ++round)
    {
        auto one = start(metadata(false));
        BOOST_REQUIRE(one.has_value());
        BOOST_TEST(answer_of("metadata") == "asset_not_found");
        BOOST_TEST(data_of("metadata").at("records") == 0);
        stop(*one);
    }
}

BOOST_AUTO_TEST_SUITE_END()
