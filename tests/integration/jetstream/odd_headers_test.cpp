// A hostile client stores messages with odd headers in the streams; the services, as processes,
// read them now and at every later start.
#include "tests/integration/reporting/reporting_fixture.hpp"
#include "tests/support/stored_headers.hpp"

#include <algorithm>
#include <memory>

using namespace marquee;
using namespace marquee::test;

namespace
{

struct odd_headers_fixture : reporting_fixture
{
    std::vector<std::unique_ptr<process>> running;
    int obeyed = 0; ///< empty messages to subjects that stored messages name
    std::shared_ptr<subscription> victim =
        hand->subscribe(victims, {}, [this](const message& m) { obeyed += m.data.empty() ? 1 : 0; }).value();

    void start_all()
    {
        for (const auto* name : {"metadata", "cdnurl"})
        {
            auto& one = running.emplace_back(std::make_unique<process>(
                std::string(MARQUEE_BINARY_DIR "/marquee-") + name, arguments{"--server", server.url()}));
            BOOST_REQUIRE_MESSAGE(one->wait_for_line(" ready", 60s), one->output());
        }
        auto& reporting = running.emplace_back(
            std::make_unique<process>(std::string(MARQUEE_BINARY_DIR "/marquee-reporting"),
                                      arguments{"--server", server.url(), "--db", database("one")}));
        require_caught_up(*reporting);
    }

    void stop_all()
    {
        for (const auto& each : running)
        {
            stop(*each);
            BOOST_TEST(each->output().find("lost") == std::string::npos, each->output());
        }
        running.clear();
    }

    std::string get(std::string_view service, std::string_view key)
    {
        const header_list none;
        const auto reply =
            wait(hand->requests().request(subject::of({service, "get", key}), {}, none, deadline::in(10s)).receive());
        return reply.has_value() ? reply->data : code_of(reply);
    }

    std::uint64_t last_event() { return api(stream_info).at("state").at("last_seq").to_number<std::uint64_t>(); }
};

const std::string known = R"({"id":"KEY","title":"t","genre":"g","summary":"s","url":"u"})";

std::string record_of(const std::string& key)
{
    auto record = known;
    return record.replace(record.find("KEY"), 3, key);
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(odd_headers_, odd_headers_fixture)

BOOST_AUTO_TEST_CASE(whatever_headers_are_stored_in_the_stream_and_the_buckets_all_services_read_on_and_start_again)
{
    start_all();
    raw_publisher foreigner(server.port());
    const auto rows = every_odd_header();
    for (std::size_t i = 0; i < rows.size(); ++i)
    {
        const auto& [name, section, reply, may_be_refused] = rows[i];
        for (const auto* payload : {"a:u", "", "garbage", "{}"})
            foreigner.publish("events", reply, section, payload);
        for (const auto* bucket : {"metadata", "cdnurl"})
        {
            const auto key = "row-" + std::to_string(i);
            foreigner.publish("$KV." + std::string(bucket) + "." + key, reply, section, record_of(key));
            foreigner.publish("$KV." + std::string(bucket) + ".empty-" + std::to_string(i), reply, section, "");
        }
    }
    for (const auto* marker : {"DEL", "PURGE"})
        for (const auto* bucket : {"metadata", "cdnurl"})
        {
            const std::string section = std::string("NATS/1.0\r\nKV-Operation: ") + marker + "\r\n\r\n";
            foreigner.publish("$KV." + std::string(bucket) + "." + marker, "", section, record_of(marker));
        }
    foreigner.flush();
    (void)store(1, "z:u"); // acknowledged: everything before it is stored too

    for (int start = 0; start < 2; ++start)
        BOOST_TEST_CONTEXT("start " << start)
        {
            const auto stored = last_event();
            until_counted(stored);
            const auto data = statistics().at(0);
            const auto kept = (stored - 1) / 4; // all rows but those that the server refuses
            const auto refusable =
                std::count_if(rows.begin(), rows.end(), [](const odd_headers& row) { return row.may_be_refused; });
            BOOST_TEST(kept + static_cast<std::uint64_t>(refusable) >= rows.size());
            BOOST_TEST(data.at("consumer_lost") == 0);
            BOOST_TEST(views("a") == kept);
            BOOST_TEST(data.at("applied") == kept + 1);
            BOOST_TEST(data.at("rejected") == 3 * kept);
            for (const auto* service : {"metadata", "cdnurl"})
            {
                for (std::size_t i = 0; i < rows.size(); ++i)
                    if (!rows[i].may_be_refused)
                    {
                        const auto key = "row-" + std::to_string(i);
                        const auto reply = get(service, key);
                        BOOST_TEST(reply.starts_with("{\"id\":\"" + key + "\","), rows[i].name << ": " << reply);
                        BOOST_TEST(get(service, "empty-" + std::to_string(i)) == "asset_not_found", rows[i].name);
                    }
                BOOST_TEST(get(service, "DEL") == "asset_not_found");
                BOOST_TEST(get(service, "PURGE") == "asset_not_found");
                BOOST_TEST(get(service, "123").starts_with("{\"id\":\"123\","));
            }
            stop_all();
            start_all();
        }
    const auto before = views("a");
    until_counted(store(1, "a:u"));
    BOOST_TEST(views("a") == before + 1);
    stop_all();
    require_exact();
    BOOST_TEST(obeyed == 0);
}

BOOST_AUTO_TEST_SUITE_END()
