#include "broker/nats/reply_prefixes.hpp"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

namespace
{

using namespace marquee;

struct rule
{
    std::string subject;
    bool allowed;
};

std::ostream& operator<<(std::ostream& out, const rule& r) { return out << '"' << r.subject << '"'; }

const std::vector<rule> usual = {
    {"_INBOX.abc", true},
    {"_INBOX.abc.def.1", true},
    {"_INBOX_edge.abc", true},
    {"_INBOX_.x", true},
    {"_R_.x.y", true},
    {"own.in.x", true},
    {"_INBOX.a*b", true}, // no wildcard
    {"", false},
    {"_INBOX", false},
    {"_INBOX_edge", false},
    {"_R_", false},
    {"own.in", false},
    {"own", false},
    {"own.inn.x", false},
    {"_INBOX.", false},
    {"_INBOX..x", false},
    {"_INBOX.x.", false},
    {"._INBOX.x", false},
    {"_INBOX.>", false},
    {"_INBOX.*", false},
    {"_INBOX.x.>", false},
    {"_INBOX.*.x", false},
    {"_INBOX_*", false},
    {"_INBOX_.>", false},
    {"_INBOXES.x", false},
    {"_inbox.x", false},
    {"INBOX.x", false},
    {"x._INBOX.y", false},
    {"_R_x.y", false},
    {"_INBOX.a\x01", false},
    {"_INBOX.a b", false},
    {"_INBOX.a\x7f", false},
    {std::string("_INBOX.a\0b", 10), false},
    {"$JS.API.STREAM.DELETE.EVENTS", false},
    {"$JS.ACK.EVENTS.c.1.1.1.1.0", false},
    {"$JS.FC.EVENTS.c.x", false},
    {"$KV.metadata.123", false},
    {"$SRV.PING", false},
    {"events", false},
    {"metadata.put.123", false},
    {">", false},
    {"*", false},
    {"*.x", false},
};

} // namespace

BOOST_AUTO_TEST_SUITE(reply_prefixes_)

BOOST_DATA_TEST_CASE(the_usual_prefixes_and_the_programs_own_are_inboxes_and_nothing_else,
                     boost::unit_test::data::make(usual), r)
{
    BOOST_TEST(reply_prefixes({}, "own.in").allow(r.subject) == r.allowed);
}

BOOST_AUTO_TEST_CASE(a_list_replaces_the_usual_ones_but_not_the_programs_own)
{
    const reply_prefixes given({"corp.in", "in_*"}, "_INBOX_me");
    for (const auto* subject : {"corp.in.x", "in_.x", "in_a.x", "_INBOX_me.x"})
        BOOST_TEST(given.allow(subject), subject);
    for (const auto* subject : {"_INBOX.x", "_INBOX_you.x", "_R_.x", "corp.x", "corp.in", "in_", "in.x", "corp.in_x.y"})
        BOOST_TEST(!given.allow(subject), subject);
}

BOOST_AUTO_TEST_CASE(a_prefix_is_plain_tokens_of_which_the_last_may_be_open)
{
    for (const auto* text : {"_INBOX", "a.b", "_INBOX_*", "a.b*", "a-1"})
        BOOST_TEST(is_reply_prefix(text), text);
    for (const auto* text : {"", "*", ">", "a.*", "a.>", ".a", "a.", "a..b", "a b", "$JS", "a**", "*a", "\xc3\xa4"})
        BOOST_TEST(!is_reply_prefix(text), text);
    for (const auto& text : reply_prefixes::usual())
        BOOST_TEST(is_reply_prefix(text), text);
}

BOOST_AUTO_TEST_SUITE_END()
