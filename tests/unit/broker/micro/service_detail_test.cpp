#include "broker/micro/service_detail.hpp"

#include <boost/test/unit_test.hpp>

namespace
{

using namespace marquee;
using namespace marquee::detail;

enum class kind
{
    read,
    put,
    erase ///< a change whose request is empty
};

endpoint_config endpoint(kind which)
{
    endpoint_config made;
    made.subject = which == kind::read ? "tester.get.*" : which == kind::put ? "tester.put.*" : "tester.delete.*";
    made.change = which != kind::read;
    made.takes_payload = which != kind::erase;
    return made;
}

message arrived(std::string subject, std::string reply, std::string data, std::string header = {})
{
    message made;
    made.subject = std::move(subject);
    made.reply = std::move(reply);
    made.data = std::move(data);
    if (!header.empty())
        made.headers.set(header, "x");
    return made;
}

} // namespace

BOOST_AUTO_TEST_SUITE(service_detail_)

BOOST_AUTO_TEST_CASE(only_what_can_be_answered_or_is_a_change_on_purpose_is_carried_out)
{
    struct row
    {
        kind to;
        message msg;
        bool inbox;
        bool carried_out;
    };
    const row rows[] = {
        {kind::read, arrived("tester.get.1", "_INBOX.x", ""), true, true},
        {kind::read, arrived("tester.get.1", "events", ""), false, false},
        {kind::read, arrived("tester.get.1", "", ""), false, false},
        {kind::put, arrived("tester.put.1", "_INBOX.x", "{}"), true, true},
        {kind::put, arrived("tester.put.1", "events", "{}"), false, false},
        {kind::put, arrived("tester.put.1", "$JS.ACK.S.c.1.1.1.1.0", "{}"), false, false},
        {kind::put, arrived("tester.put.1", "", "{}"), false, true},
        {kind::put, arrived("tester.put.1", "", "{}", "Marquee-Revision"), false, true},
        {kind::put, arrived("tester.put.1", "", "{}", "Nats-Stream"), false, false},
        {kind::put, arrived("tester.put.1", "", "", "Status"), false, false},
        {kind::put, arrived("events", "", "{}"), false, false},
        {kind::put, arrived("tester.put.1.2", "", "{}"), false, false},
        {kind::put, arrived("tester.put", "", "{}"), false, false},
        {kind::erase, arrived("tester.delete.1", "", ""), false, true},
        {kind::erase, arrived("tester.delete.1", "", "", "Status"), false, false},
        {kind::erase, arrived("tester.delete.1", "", R"({"stream":"EVENTS","seq":1})"), false, false},
        {kind::erase, arrived("tester.delete.1", "_INBOX.x", "ignored"), true, true},
    };
    for (const auto& r : rows)
    {
        const auto why = reason_to_refuse(endpoint(r.to), r.msg, r.inbox);
        BOOST_TEST(why.empty() == r.carried_out,
                   r.msg.subject << ' ' << r.msg.reply << ' ' << r.msg.data << ": " << why);
    }
    auto unreadable = arrived("tester.put.1", "", "{}");
    unreadable.headers_unreadable = true;
    BOOST_TEST(!reason_to_refuse(endpoint(kind::put), unreadable, false).empty());
}

BOOST_AUTO_TEST_CASE(a_pattern_matches_its_subjects)
{
    struct row
    {
        const char* pattern;
        const char* subject;
        bool matches;
    };
    const row rows[] = {
        {"a.b", "a.b", true}, {"a.*", "a.b", true},    {"a.>", "a.b.c", true},  {">", "a", true},
        {"*.b", "a.b", true}, {"a.b", "a.c", false},   {"a.*", "a", false},     {"a.*", "a.b.c", false},
        {"a.>", "a", false},  {"a.b", "a.b.c", false}, {"a.b.c", "a.b", false}, {"a.*.c", "a..c", false},
    };
    for (const auto& r : rows)
        BOOST_TEST(subject_matches(r.pattern, r.subject) == r.matches, r.pattern << ' ' << r.subject);
}

BOOST_AUTO_TEST_CASE(a_version_is_semver)
{
    for (const char* good : {"0.0.0", "1.2.3", "10.20.30", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-0.3.7", "1.0.0-x-y.z",
                             "1.0.0-0a", "1.0.0+001", "1.0.0-rc.1+build.5-x", "1.0.0+a-b", "1.0.0--"})
        BOOST_TEST(is_semver(good), good);
    for (const char* bad :
         {"", "1", "1.2", "1.2.3.4", "01.2.3", "1.02.3", "1.2.03", "v1.2.3", "1.2.x", "1.-2.3", "1..3", "1.2.3-",
          "1.2.3-01", "1.2.3-a..b", "1.2.3-a_b", "1.2.3+", "1.2.3+a+b", "1.2.3 ", "1.2.3-\xC3"})
        BOOST_TEST(!is_semver(bad), bad);
}

BOOST_AUTO_TEST_SUITE_END()
