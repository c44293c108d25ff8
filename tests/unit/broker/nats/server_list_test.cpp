#include "broker/nats/server_list.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>

namespace
{

using namespace marquee;
using namespace marquee::detail;

std::vector<std::string> host_ports(const std::vector<server_address>& of)
{
    std::vector<std::string> out;
    for (const auto& each : of)
        out.push_back(each.host_port);
    std::sort(out.begin(), out.end());
    return out;
}

using texts = std::vector<std::string>;

const server_address& named(const server_list& in, const std::string& host_port)
{
    const auto at =
        std::find_if(in.all().begin(), in.all().end(), [&](const auto& s) { return s.host_port == host_port; });
    BOOST_TEST_REQUIRE((at != in.all().end()), host_port);
    return *at;
}

} // namespace

BOOST_AUTO_TEST_SUITE(server_list_)

BOOST_AUTO_TEST_CASE(user_info_of_a_url_is_percent_decoded)
{
    struct row
    {
        const char* url;
        const char* user;
        const char* password;
        const char* token;
    };
    const row rows[] = {
        {"nats://h:1", "", "", ""},
        {"nats://joe:secret@h:1", "joe", "secret", ""},
        {"joe:secret@h", "joe", "secret", ""},
        {"nats://joe:@h", "joe", "", ""},
        {"tls://token@h", "", "", "token"},
        {"nats://user:p%40ss@host", "user", "p@ss", ""},
        {"nats://j%6fe:%3a%2F%25%2c@h:1", "joe", ":/%,", ""},
        {"nats://a:b:c@h", "a", "b:c", ""},
        {"nats://%C3%BC:%c3%9f@[::1]:1", "ü", "ß", ""},
        {"to%20ken@h:1", "", "", "to ken"},
    };
    for (const auto& r : rows)
        BOOST_TEST_CONTEXT(r.url)
        {
            const auto read = parse_server(r.url);
            BOOST_TEST_REQUIRE(read.has_value());
            BOOST_TEST(read->user == r.user);
            BOOST_TEST(read->password == r.password);
            BOOST_TEST(read->token == r.token);
            BOOST_TEST(read->host_port.find('@') == std::string::npos);
        }
}

BOOST_AUTO_TEST_CASE(user_info_that_cannot_be_decoded_is_refused_without_being_repeated)
{
    for (const auto* url : {"nats://u:secret%@h:1", "nats://u:secret%4@h:1", "nats://u:secret%zz@h",
                            "nats://u%4g:secret@h", "secret%00@h", "nats://u:secret%00@h", "nats://u:secret% 1@h",
                            "nats://u:secret%+1@h", "nats://u:secret%-1@h", "nats://:secret@h", "nats://@h"})
    {
        const auto read = parse_server(url);
        BOOST_TEST_REQUIRE(read.has_error(), url);
        BOOST_TEST((read.error() == errc::bad_request));
        BOOST_TEST(read.error().field == "--server");
        BOOST_TEST(!read.error().detail.empty());
        BOOST_TEST(read.error().detail.find("secret") == std::string::npos);
    }
}

BOOST_AUTO_TEST_CASE(an_info_line_is_read_as_far_as_it_makes_sense)
{
    struct row
    {
        const char* line;
        texts urls;
        bool jetstream;
        bool clustered;
    };
    const row rows[] = {
        {"", {}, false, false},
        {"INFO", {}, false, false},
        {"INFO {", {}, false, false},
        {"PING {\"jetstream\":true}\r\n", {}, false, false},
        {"INFO []\r\n", {}, false, false},
        {"INFO {}\r\n", {}, false, false},
        {"INFO {\"jetstream\":true,\"cluster\":\"c\",\"connect_urls\":[\"a:1\",\"[::1]:2\"]} \r\n",
         {"a:1", "[::1]:2"},
         true,
         true},
        {"INFO {\"jetstream\":\"yes\",\"connect_urls\":[1,null,\"\",\"a b\",\"a:0\",\"u@h:1\",\"x:1\"]}\r\n",
         {"x:1"},
         false,
         false},
        {"INFO {\"connect_urls\":{}}\r\n", {}, false, false},
    };
    for (const auto& r : rows)
        BOOST_TEST_CONTEXT(r.line)
        {
            const auto read = parse_info(r.line);
            BOOST_TEST(read.connect_urls == r.urls, boost::test_tools::per_element());
            BOOST_TEST(read.jetstream == r.jetstream);
            BOOST_TEST(read.clustered == r.clustered);
        }
}

BOOST_AUTO_TEST_CASE(members_are_added_once_and_removed_when_the_server_of_a_link_no_longer_names_them)
{
    server_list all({"nats://a:1", "tls://b:1"});
    const auto seed = named(all, "a:1");
    BOOST_TEST(host_ports(all.add(seed, {"a:1", "B:1", "c:1", "c:1", "d:1", "e f:1"})) == (texts{"c:1", "d:1"}));
    BOOST_TEST(host_ports(all.all()) == (texts{"a:1", "b:1", "c:1", "d:1"}));
    all.replace(named(all, "d:1"), {"e:1"}); // it does not name itself
    BOOST_TEST(host_ports(all.all()) == (texts{"a:1", "b:1", "d:1", "e:1"}));
    all.replace(seed, {});
    BOOST_TEST(host_ports(all.all()) == (texts{"a:1", "b:1", "d:1", "e:1"}));
    all.move_to_end(seed);
    BOOST_TEST(all.all().back().host_port == "a:1");
}

BOOST_AUTO_TEST_CASE(no_server_can_make_the_list_grow_without_end)
{
    server_list all({"nats://a:1"});
    texts many;
    for (int i = 0; i < 5000; ++i)
        many.push_back("h" + std::to_string(i) + ":1");
    (void)all.add(named(all, "a:1"), many);
    BOOST_TEST(all.all().size() == 257U);
}

BOOST_AUTO_TEST_CASE(a_member_is_reached_as_the_server_that_named_it)
{
    struct row
    {
        const char* seed;
        const char* member;
        const char* tls_name;
    };
    const row rows[] = {
        {"tls://joe:secret@nats.example:4222", "10.0.0.1:4222",
         "nats.example"}, // an address only: the name of the seed
        {"tls://joe:secret@nats.example:4222", "[fd00::1]:4222", "nats.example"},
        {"tls://joe:secret@nats.example:4222", "n2.example:4222", ""},
        {"tls://joe:secret@10.0.0.9:4222", "10.0.0.1:4222", ""},
        {"tls://joe:secret@[::1]:4222", "10.0.0.1:4222", ""},
    };
    for (const auto& r : rows)
        BOOST_TEST_CONTEXT(r.seed << " names " << r.member)
        {
            server_list all({r.seed});
            const auto fresh = all.add(all.all().front(), {r.member});
            BOOST_TEST_REQUIRE(fresh.size() == 1U);
            BOOST_TEST(fresh.front().tls_name == r.tls_name);
            BOOST_TEST(fresh.front().user == "joe");
            BOOST_TEST(fresh.front().password == "secret");
            const auto next = all.add(fresh.front(), {"10.0.0.77:4222"}); // the name goes on from member to member
            BOOST_TEST(next.front().tls_name == (*r.tls_name != '\0'  ? r.tls_name
                                                 : r.member[0] == 'n' ? "n2.example"
                                                                      : ""));
        }
}

BOOST_AUTO_TEST_SUITE_END()
