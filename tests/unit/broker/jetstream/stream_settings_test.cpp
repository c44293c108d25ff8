// What settings of a stream mean, without a server: the same rules at a start and while running.
#include "broker/jetstream/stream_settings.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/test/unit_test.hpp>

namespace json = boost::json;
using namespace marquee;

namespace
{

stream_config events()
{
    stream_config config;
    config.name = "EVENTS";
    config.subject = "events";
    config.further_subjects = {"events.admin"};
    config.least_room = 800;
    return config;
}

stream_config bucket()
{
    stream_config config;
    config.name = "KV_metadata";
    config.subject = "$KV.metadata.>";
    config.key_value = true;
    return config;
}

/// As STREAM.INFO tells of a stream that was made so and edited by `edit`, a JSON object; null
/// removes a setting.
json::object edited(const stream_config& made, const char* edit)
{
    auto config = creation_config(made, "ID");
    const auto edits = json::parse(edit).as_object();
    for (const auto& [name, value] : edits)
        if (value.is_null())
            config.erase(name);
        else
            config[name] = value;
    return config;
}

/// What is said of each setting, and the commands.
std::string said(const std::vector<setting_remark>& remarks) { return text_of(remarks); }

struct edit_row
{
    const char* edit;
    const char* said; ///< parts of the text, one a line; empty: nothing is said
};

void check(const edit_row& row, const std::string& text)
{
    BOOST_TEST_CONTEXT(row.edit)
    {
        const std::string parts(row.said);
        BOOST_TEST(parts.empty() == text.empty(), text);
        for (std::size_t at = 0; at < parts.size();)
        {
            const auto end = std::min(parts.find('\n', at), parts.size());
            const auto part = parts.substr(at, end - at);
            BOOST_TEST(text.find(part) != std::string::npos, part << " is not in: " << text);
            at = end + 1;
        }
    }
}

const edit_row events_refused[] = {
    {R"({"subjects":["events","views"]})",
     "subjects is events,views\nnats stream edit EVENTS --subjects events,events.admin"},
    {R"({"subjects":["events.>"]})", "subjects is events.>"},
    {R"({"subjects":[">"]})", "subjects is >"},
    {R"({"subjects":["events.*","events"]})", "subjects is events.*,events"},
    {R"({"subjects":["events.admin"]})", "subjects is events.admin"},
    {R"({"subjects":[]})", "subjects is none"},
    {R"({"subjects":null})", "subjects is none"},
    {R"({"subjects":null,"mirror":{"name":"OTHER"}})", "mirror is set\nnats stream rm EVENTS"},
    {R"({"retention":"interest"})", "retention is interest\nnats stream edit EVENTS --retention limits"},
    {R"({"retention":"workqueue"})", "retention is workqueue\nnats stream restore DIR --config FILE"},
    {R"({"storage":"memory"})", "storage is memory\nnats stream restore DIR --config FILE"},
    {R"({"no_ack":true})", "no_ack is true\nnats stream edit EVENTS --ack"},
    {R"({"persist_mode":"async"})", "persist_mode is async\npersist_mode default"},
    {R"({"allow_rollup_hdrs":true})", "allow_rollup_hdrs is true\nnats stream edit EVENTS --no-allow-rollup"},
    {R"({"max_msgs":1000})", "max_msgs is 1000 messages\nnats stream edit EVENTS --max-msgs=-1"},
    {R"({"max_msgs_per_subject":5})",
     "max_msgs_per_subject is 5 messages\nnats stream edit EVENTS --max-msgs-per-subject=-1"},
    {R"({"discard":"old"})", "discard is old\nnats stream edit EVENTS --discard new\n--allow-discard-old"},
    {R"({"max_msg_size":799})",
     "max_msg_size is 799 bytes\nneeds 800 bytes\nnats stream edit EVENTS --max-msg-size=-1"},
    {R"({"max_msg_size":1})", "max_msg_size is 1 bytes"},
    {R"({"discard":"old","no_ack":true,"max_msgs":1})", "no_ack is true\n; discard is old\n; max_msgs is 1 messages"},
};

/// Accepted without a word.
const char* const events_accepted[] = {
    "{}",
    R"({"subjects":["events.admin","events"]})",
    R"({"subjects":["events"]})",
    R"({"description":"ours"})",
    R"({"metadata":null})",
    R"({"metadata":{"team":"video","_nats.level":"1"}})",
    R"({"num_replicas":3})",
    R"({"duplicate_window":1000000000})",
    R"({"compression":"s2"})",
    R"({"deny_delete":true,"deny_purge":true})",
    R"({"allow_direct":true,"mirror_direct":false})",
    R"({"max_msgs":0,"max_msgs_per_subject":0,"max_msg_size":0,"max_bytes":0})",
    R"({"max_msg_size":800})",
    R"({"max_msg_size":1048576})",
    R"({"first_seq":1000})",
    R"({"placement":{"cluster":"east"}})",
    R"({"republish":{"src":">","dest":"copy.>"}})",
    R"({"consumer_limits":{}})",
    R"({"mirror":null,"sources":[],"subject_transform":{}})",
    R"({"persist_mode":"default"})",
    R"({"allow_atomic":true,"allow_batched":true})",
    R"({"a_setting_of_tomorrow":true})",
};

const edit_row events_remarks[] = {
    {R"({"max_age":2592000000000000})", "max_age is 720h"},
    {R"({"max_age":5400000000000})", "max_age is 1h30m"},
    {R"({"max_bytes":67108864})", "max_bytes is 64 MiB"},
    {R"({"max_bytes":1000})", "max_bytes is 1000 bytes"},
    {R"({"max_consumers":1})", "max_consumers is 1"},
    {R"({"allow_msg_ttl":true})", "allow_msg_ttl is true"},
    {R"({"sealed":true})", "sealed is true"},
    {R"({"sources":[{"name":"OLD"}]})", "sources is set"},
    {R"({"subject_transform":{"src":"events","dest":"views"}})", "subject_transform is set"},
    {R"({"discard_new_per_subject":true})", "discard_new_per_subject is true"},
    {R"({"allow_msg_counter":true})", "allow_msg_counter is true"},
    {R"({"persist_mode":"tomorrow"})", "persist_mode is tomorrow"},
};

const edit_row bucket_refused[] = {
    {R"({"subjects":["$KV.metadata.*"]})",
     "subjects is $KV.metadata.*\nnats stream edit KV_metadata --subjects '$KV.metadata.>'"},
    {R"({"subjects":["$KV.metadata.>","more"]})", "subjects is $KV.metadata.>,more"},
    {R"({"mirror":{"name":"KV_other"},"subjects":null})", "mirror is set"},
    {R"({"retention":"interest"})", "retention is interest"},
    {R"({"storage":"memory"})", "storage is memory"},
    {R"({"no_ack":true})", "no_ack is true\nnats stream edit KV_metadata --ack"},
    {R"({"persist_mode":"async"})", "persist_mode is async"},
    {R"({"discard":"old"})", "discard is old\nnats stream edit KV_metadata --discard new"},
    {R"({"max_age":3600000000000})", "max_age is 1h\nnats stream edit KV_metadata --max-age 0s"},
    {R"({"max_age":3600000000000,"allow_msg_ttl":true,"subject_delete_marker_ttl":60000000000})", "max_age is 1h"},
    {R"({"allow_msg_ttl":true})", "allow_msg_ttl is true\n--subject-del-markers-ttl"},
};

const char* const bucket_accepted[] = {
    "{}",
    R"({"max_msgs_per_subject":5})",
    R"({"max_msgs_per_subject":64})",
    R"({"max_msgs_per_subject":-1})",
    R"({"allow_rollup_hdrs":false})",
    R"({"deny_delete":false,"allow_direct":false})",
    R"({"allow_msg_ttl":true,"subject_delete_marker_ttl":60000000000})",
    R"({"num_replicas":3,"compression":"s2","description":"x","metadata":{}})",
};

const edit_row bucket_remarks[] = {
    {R"({"max_bytes":1073741824})", "max_bytes is 1 GiB: beyond it new records are refused"},
    {R"({"max_msgs":10})", "max_msgs is 10 messages"},
    {R"({"max_msg_size":1000})", "max_msg_size is 1000 bytes"},
    {R"({"discard_new_per_subject":true})", "discard_new_per_subject"},
};

} // namespace

BOOST_AUTO_TEST_SUITE(stream_settings)

BOOST_AUTO_TEST_CASE(
    settings_under_which_an_acknowledgement_is_a_lie_are_refused_by_name_with_the_command_that_cures_it)
{
    for (const auto& row : events_refused)
        check(row, said(judge_settings(events(), edited(events(), row.edit)).refused));
    for (const auto& row : bucket_refused)
        check(row, said(judge_settings(bucket(), edited(bucket(), row.edit)).refused));
}

BOOST_AUTO_TEST_CASE(what_is_the_operators_choice_is_accepted_without_a_remark)
{
    for (const auto* edit : events_accepted)
    {
        const auto judged = judge_settings(events(), edited(events(), edit));
        check({edit, ""}, said(judged.refused) + said(judged.accepted));
    }
    for (const auto* edit : bucket_accepted)
    {
        const auto judged = judge_settings(bucket(), edited(bucket(), edit));
        check({edit, ""}, said(judged.refused) + said(judged.accepted));
    }
}

BOOST_AUTO_TEST_CASE(what_is_accepted_although_something_may_be_lost_is_named_with_its_unit)
{
    for (const auto& row : events_remarks)
    {
        const auto judged = judge_settings(events(), edited(events(), row.edit));
        check(row, said(judged.accepted));
        check({row.edit, ""}, said(judged.refused));
    }
    for (const auto& row : bucket_remarks)
    {
        const auto judged = judge_settings(bucket(), edited(bucket(), row.edit));
        check(row, said(judged.accepted));
        check({row.edit, ""}, said(judged.refused));
    }
}

BOOST_AUTO_TEST_CASE(an_option_decides_what_is_said_of_a_limit)
{
    auto wanted = events();
    wanted.max_age = std::chrono::hours(168);
    wanted.max_bytes = 64 << 20;
    wanted.replicas = 3;
    check({"as asked", ""}, said(judge_settings(wanted, creation_config(wanted, "ID")).accepted));
    check({"not as asked",
           "max_age is none\n--max-age 168h\nmax_bytes is none\n--max-bytes 67108864\nnum_replicas is 1\n--replicas 3"},
          said(judge_settings(wanted, creation_config(events(), "ID")).accepted));
    check({"another limit", "max_age is 1h\nmax_bytes is 1 KiB"},
          said(judge_settings(wanted, edited(wanted, R"({"max_age":3600000000000,"max_bytes":1024})")).accepted));
}

BOOST_AUTO_TEST_CASE(dropping_old_messages_is_accepted_by_an_option_with_a_warning_where_the_stream_can_be_full)
{
    auto wanted = events();
    wanted.allow_discard_old = true;
    const auto boundless = judge_settings(wanted, edited(wanted, R"({"discard":"old"})"));
    check({"no limit", ""}, said(boundless.refused) + said(boundless.accepted));
    const auto bounded = judge_settings(wanted, edited(wanted, R"({"discard":"old","max_bytes":1024})"));
    check({"max_bytes", ""}, said(bounded.refused));
    check({"max_bytes", "discard is old: a full stream drops its oldest events"}, said(bounded.accepted));
}

BOOST_AUTO_TEST_CASE(a_further_subject_that_is_not_there_is_missing_and_no_difference)
{
    BOOST_TEST(judge_settings(events(), edited(events(), "{}")).missing.empty());
    const auto judged = judge_settings(events(), edited(events(), R"({"subjects":["events"]})"));
    BOOST_TEST(judged.missing == std::vector<std::string>{"events.admin"}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(settings_of_kinds_that_make_no_sense_are_as_if_they_were_not_there)
{
    const auto judged = judge_settings(
        events(),
        edited(events(), R"({"max_msgs":"many","max_age":1.5e300,"no_ack":1,"mirror":7,"retention":[],"storage":{}})"));
    check({"nonsense", ""}, said(judged.refused) + said(judged.accepted));
}

BOOST_AUTO_TEST_CASE(times_and_sizes_have_units)
{
    using namespace std::chrono_literals;
    const std::pair<std::chrono::nanoseconds, const char*> times[] = {
        {0ns, "0s"},      {720h, "720h"},      {90min, "1h30m"}, {61s, "1m1s"},
        {100ms, "100ms"}, {1500ms, "1s500ms"}, {1ns, "1ns"}};
    for (const auto& [time, text] : times)
        BOOST_TEST(duration_text(time) == text);
    const std::pair<std::int64_t, const char*> sizes[] = {{1, "1 bytes"},       {1000, "1000 bytes"},
                                                          {1024, "1 KiB"},      {1536, "1536 bytes"},
                                                          {10 << 20, "10 MiB"}, {std::int64_t{1} << 40, "1 TiB"}};
    for (const auto& [size, text] : sizes)
        BOOST_TEST(size_text(size) == text);
}

BOOST_AUTO_TEST_SUITE_END()
