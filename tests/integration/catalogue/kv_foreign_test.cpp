// A bucket that others have touched: their keys, their values, their settings.
#include "broker/base/log_quota.hpp"
#include "tests/integration/catalogue/kv_fixture.hpp"
#include "tests/support/captured_log.hpp"
#include "tests/support/stored_headers.hpp"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>

#include <ostream>

using namespace marquee;
using namespace marquee::test;

namespace
{

header_list operation(std::string_view name)
{
    header_list headers;
    headers.set("KV-Operation", name);
    return headers;
}

/// A bucket as the `nats` CLI makes it, with some settings changed.
std::string bucket_config(std::initializer_list<std::pair<std::string_view, boost::json::value>> changed)
{
    boost::json::object config{{"name", "KV_metadata"},
                               {"subjects", {"$KV.metadata.>"}},
                               {"retention", "limits"},
                               {"max_consumers", -1},
                               {"max_msgs_per_subject", 1},
                               {"max_msgs", -1},
                               {"max_bytes", -1},
                               {"max_age", 0},
                               {"max_msg_size", -1},
                               {"storage", "file"},
                               {"discard", "new"},
                               {"num_replicas", 1},
                               {"duplicate_window", 120000000000},
                               {"deny_delete", true},
                               {"allow_rollup_hdrs", true},
                               {"allow_direct", true}};
    for (const auto& [name, value] : changed)
        config[name] = value;
    return boost::json::serialize(config);
}

struct changed_setting
{
    std::string setting;
    boost::json::value value;
    friend std::ostream& operator<<(std::ostream& out, const changed_setting& s) { return out << s.setting; }
};

const std::vector<changed_setting> settings_that_matter = {
    {"max_age", 3600000000000}, {"storage", "memory"},    {"discard", "old"}, {"subjects", {"$KV.metadata.>", "other"}},
    {"no_ack", true},           {"retention", "interest"}};

} // namespace

BOOST_FIXTURE_TEST_SUITE(kv_foreign, kv_fixture)

BOOST_AUTO_TEST_CASE(a_key_that_is_no_asset_id_is_ignored_and_hides_nothing)
{
    auto one = open();
    const auto noise = titled("123", "noise");
    for (const auto* key : {"123.456", "=4g", "=FF", "a/b", "123=", "=00", "=31"})
        write(std::string("$KV.metadata.") + key, noise);
    BOOST_TEST(put(one, "789", "after the noise").has_value());
    BOOST_TEST(one.title("123") == "It");
    BOOST_TEST(one.store->statistics().at("records") == 3);
    const auto two = open();
    BOOST_TEST(two.title("123") == "It");
    BOOST_TEST(two.store->statistics().at("records") == 3);
}

BOOST_AUTO_TEST_CASE(a_value_that_is_no_record_of_its_asset_is_as_good_as_absent)
{
    auto one = open();
    for (const auto& value :
         {std::string("garbage"), std::string(), std::string("{}"), std::string("[]"),
          std::string(R"({"id":"123","title":7,"genre":"","summary":""})"), std::string("\0\xFF", 2),
          titled("456", "another asset's"), titled("123", std::string(5000, 't'))})
    {
        BOOST_TEST_INFO(value.substr(0, 60));
        BOOST_TEST(code_of(put(one, "123", "good")) == "ok");
        write("$KV.metadata.123", value);
        until([&] { return one.rev("123") == 0; });
        for (const auto& entry : one.store->list("", 10, 100000).values)
            BOOST_TEST(decode<asset_metadata_reply>(entry).has_value());
    }
    BOOST_TEST(code_of(erase(one, "123")) == "asset_not_found");
    BOOST_TEST(code_of(put(one, "123", "mended", 0)) == "ok");
    BOOST_TEST(open().title("123") == "mended");
}

BOOST_AUTO_TEST_CASE(headers_other_than_a_marker_change_nothing_about_a_value)
{
    auto one = open();
    const auto rows = every_odd_header();
    raw_publisher foreigner(server.port());
    for (std::size_t i = 0; i < rows.size(); ++i)
    {
        const auto number = std::to_string(i);
        foreigner.publish("$KV.metadata.row-" + number, rows[i].reply, rows[i].section,
                          titled("row-" + number, "there"));
        foreigner.publish("$KV.metadata.empty-" + number, rows[i].reply, rows[i].section, "");
    }
    foreigner.flush();
    BOOST_TEST(put(one, "789", "after them").has_value());
    const auto two = open();
    for (const instance* each : std::initializer_list<const instance*>{&one, &two})
        for (std::size_t i = 0; i < rows.size(); ++i)
            BOOST_TEST_CONTEXT(rows[i].name)
            {
                if (!rows[i].may_be_refused)
                    BOOST_TEST(each->title("row-" + std::to_string(i)) == "there");
                BOOST_TEST(each->rev("empty-" + std::to_string(i)) == 0U);
            }
    BOOST_TEST(one.store->statistics().at("consumer_lost") == 0);
}

BOOST_AUTO_TEST_CASE(a_flood_of_rubbish_is_a_few_lines_of_each_kind_and_the_number_of_the_others)
{
    auto one = open();
    report_left_out(true);
    captured_log log;
    raw_publisher foreigner(server.port());
    for (int i = 0; i < 3000; ++i)
    {
        foreigner.publish("$KV.metadata.rubbish", "", "", "garbage");
        foreigner.publish("$KV.metadata.no.key", "", "", "garbage");
    }
    foreigner.flush();
    BOOST_TEST(put(one, "789", "after it").has_value());
    report_left_out(true);
    const auto text = log.text();
    BOOST_TEST(std::count(text.begin(), text.end(), '\n') <= 200);
    for (const auto* kind : {"a value that is no record of its asset", "a key that is no asset id"})
        BOOST_TEST(text.find("kind=\"" + std::string(kind) + "\" count=") != std::string::npos, text);
}

BOOST_AUTO_TEST_CASE(a_watch_that_is_lost_again_and_again_is_in_the_statistics_until_it_is_back)
{
    auto one = open();
    BOOST_TEST(one.store->statistics().at("consumer_lost") == 0);
    BOOST_TEST(!one.store->statistics().as_object().contains("alarm"));
    drop_bucket();
    until([&] { return one.store->statistics().as_object().contains("alarm"); });
    BOOST_TEST(one.store->statistics().at("consumer_lost").to_number<int>() >= 3);
    BOOST_TEST(one.title("123") == "It");
    open();
    until([&] { return one.store->statistics().at("consumer_lost") == 0; });
    BOOST_TEST(!one.store->statistics().as_object().contains("alarm"));
    put_until_it_works(one, "123", "works");
}

BOOST_AUTO_TEST_CASE(delete_and_purge_markers_of_other_tools_delete)
{
    auto one = open();
    auto purge_marker = operation("PURGE");
    purge_marker.set("Nats-Rollup", "sub");
    write("$KV.metadata.123", "", operation("DEL"));
    write("$KV.metadata.456", "", purge_marker);
    until([&] { return one.rev("123") == 0 && one.rev("456") == 0; });
    BOOST_TEST(code_of(put(one, "123", "back", 0)) == "ok");
    BOOST_TEST(code_of(put(one, "456", "back", 0)) == "ok");
}

BOOST_AUTO_TEST_CASE(an_asset_can_be_created_after_its_marker_was_removed)
{
    auto one = open();
    BOOST_TEST(erase(one, "123").has_value());
    purge("123");
    BOOST_TEST(code_of(put(one, "123", "back", 0)) == "ok");
    BOOST_TEST(one.title("123") == "back");
    BOOST_TEST(code_of(put(one, "123", "twice", 0)) == "revision_mismatch");
}

BOOST_AUTO_TEST_CASE(a_bucket_whose_last_messages_were_removed_opens)
{
    {
        auto one = open();
        BOOST_TEST(erase(one, "456").has_value());
    }
    purge("456");
    {
        auto one = open();
        BOOST_TEST(one.title("123") == "It");
        BOOST_TEST(erase(one, "123").has_value());
    }
    purge("123");
    BOOST_TEST(messages_in_bucket() == 0U);
    auto one = open();
    BOOST_TEST(one.store->statistics().at("records") == 0);
    BOOST_TEST(code_of(put(one, "123", "back", 0)) == "ok");
}

// A server for each: one lets go of a deleted stream's files late, and now and then never.
BOOST_DATA_TEST_CASE_F(kv_fixture, an_existing_bucket_with_settings_that_matter_is_refused_by_name,
                       boost::unit_test::data::make(settings_that_matter), changed)
{
    const auto& [setting, value] = changed;
    create_stream("KV_metadata", bucket_config({{setting, value}}));
    auto one = make();
    const auto opened = wait(one.store->open(deadline::in(30s)));
    BOOST_TEST(code_of(opened) == "bad_request");
    BOOST_TEST(opened.error().detail.find(setting + " is ") != std::string::npos, opened.error().detail);
    BOOST_TEST(opened.error().detail.find("nats stream ") != std::string::npos, opened.error().detail);
    BOOST_TEST(messages_in_bucket() == 0U); // and was left alone
}

BOOST_AUTO_TEST_CASE(an_existing_bucket_with_the_settings_it_should_have_is_used)
{
    create_stream("KV_metadata", bucket_config({}));
    open();
}

BOOST_AUTO_TEST_CASE(an_existing_bucket_with_other_accepted_settings_is_used)
{
    create_stream("KV_metadata",
                  bucket_config({{"max_bytes", 10000000}, {"duplicate_window", 60000000000}, {"description", "mine"}}));
    auto one = open();
    BOOST_TEST(one.title("123") == "It");
    BOOST_TEST(code_of(put(one, "789", "new")) == "ok");
}

BOOST_AUTO_TEST_CASE(a_bucket_with_a_history_serves_the_last_value_of_each_key)
{
    {
        auto one = open();
        auto config = api(subject::of({"$JS", "API", "STREAM", "INFO", "KV_metadata"})).at("config").as_object();
        config["max_msgs_per_subject"] = 5; // nats kv edit metadata --history 5
        api(subject::of({"$JS", "API", "STREAM", "UPDATE", "KV_metadata"}), boost::json::serialize(config));
        for (int i = 1; i <= 7; ++i)
            BOOST_TEST(code_of(put(one, "123", "version " + std::to_string(i), one.rev("123"))) == "ok");
        BOOST_TEST(erase(one, "456").has_value());
        BOOST_TEST(code_of(put(one, "789", "new", 0)) == "ok");
        BOOST_TEST(code_of(put(one, "456", "back", 0)) == "ok");
    }
    auto one = open();
    server_down();
    server_up();
    put_until_it_works(one, "789", "newer");
    BOOST_TEST(one.title("123") == "version 7");
    BOOST_TEST(one.title("456") == "back");
    BOOST_TEST(one.title("789") == "newer");
    BOOST_TEST(one.store->statistics().at("records") == 3);
}

BOOST_AUTO_TEST_SUITE_END()
