#include "edge/http/client_address.hpp"
#include "edge/http/http.hpp"

#include <boost/test/unit_test.hpp>

using namespace marquee;

namespace
{

client_address at(std::string_view text) { return client_address::parse(text).value(); }

network_list networks(const std::vector<std::string>& all)
{
    network_list list;
    for (const auto& each : all)
        BOOST_TEST(list.add(each).has_value(), each);
    return list;
}

} // namespace

BOOST_AUTO_TEST_SUITE(client_addresses)

BOOST_AUTO_TEST_CASE(an_address_is_read_as_proxies_write_it)
{
    const std::pair<const char*, const char*> table[] = {
        {"192.0.2.1:80", "192.0.2.1"},        {"::ffff:192.0.2.1", "192.0.2.1"}, {"[2001:db8::1]", "2001:db8::1"},
        {"[2001:db8::1]:443", "2001:db8::1"}, {"2001:DB8:0::1", "2001:db8::1"},  {"[::ffff:192.0.2.1]:1", "192.0.2.1"},
    };
    for (const auto& [text, same] : table)
        BOOST_TEST_CONTEXT(text) { BOOST_TEST((at(text) == at(same))); }
    for (const auto* text :
         {"", "unknown", "_hidden", "192.0.2", "192.0.2.256", "192.0.2.1:", "192.0.2.1:x", "192.0.2.1:65536",
          "[192.0.2.1]", "[::1", "::1]", "[::1]x", "[::1]:", "[]", ":80", "fe80::1%eth0", "192.0.2.1 ", "1"})
        BOOST_TEST_CONTEXT(text) { BOOST_TEST(!client_address::parse(text).has_value()); }
}

BOOST_AUTO_TEST_CASE(of_an_ipv6_address_the_first_64_bits_count)
{
    BOOST_TEST((at("2001:db8::1").counted() == at("2001:db8::ffff:ffff:ffff:ffff").counted()));
    BOOST_TEST((at("2001:db8:0:1::1").counted() != at("2001:db8:0:2::1").counted()));
    BOOST_TEST((at("192.0.2.1").counted() != at("192.0.2.2").counted()));
}

BOOST_AUTO_TEST_CASE(a_network_holds_what_its_prefix_says)
{
    const std::tuple<const char*, const char*, bool> table[] = {
        {"10.0.0.0/8", "10.255.255.255", true},
        {"10.0.0.0/8", "11.0.0.0", false},
        {"10.0.0.1/8", "10.2.3.4", true},
        {"192.0.2.1", "192.0.2.1", true},
        {"192.0.2.1", "192.0.2.2", false},
        {"192.0.2.0/25", "192.0.2.127", true},
        {"192.0.2.0/25", "192.0.2.128", false},
        {"192.0.2.0/31", "192.0.2.1", true},
        {"0.0.0.0/0", "203.0.113.9", true},
        {"0.0.0.0/0", "2001:db8::1", false},
        {"::/0", "2001:db8::1", true},
        {"::/0", "203.0.113.9", false},
        {"2001:db8::/33", "2001:db8:7fff::", true},
        {"2001:db8::/33", "2001:db8:8000::", false},
        {"::1", "::1", true},
        {"::1", "::2", false},
        {"::ffff:10.0.0.0/104", "10.1.2.3", true},
        {"10.0.0.0/8", "::ffff:10.1.2.3", true},
    };
    for (const auto& [network, address, inside] : table)
        BOOST_TEST_CONTEXT(network << ' ' << address)
        {
            BOOST_TEST(networks({network}).contains(at(address)) == inside);
        }
    for (const auto* text : {"", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "::/129", "10.0.0/8", "x/8",
                             "10.0.0.0/8/8", "::ffff:0:0/95", "10.0.0.1:80"})
        BOOST_TEST_CONTEXT(text)
        {
            network_list list;
            BOOST_TEST((list.add(text).error() == errc::bad_request));
            BOOST_TEST(list.empty());
        }
}

BOOST_AUTO_TEST_CASE(x_forwarded_for_is_read_only_from_trusted_proxies)
{
    struct row
    {
        const char* name;
        const char* peer;
        std::vector<std::string> forwarded;
        const char* client;
    };
    const row table[] = {
        {"no proxy", "203.0.113.9", {"198.51.100.1"}, "203.0.113.9"},
        {"a proxy that says nothing", "10.0.0.1", {}, "10.0.0.1"},
        {"a proxy", "10.0.0.1", {"198.51.100.1"}, "198.51.100.1"},
        {"the client's own lie stands left", "10.0.0.1", {"1.2.3.4, 198.51.100.1"}, "198.51.100.1"},
        {"two proxies", "10.0.0.1", {"1.2.3.4, 198.51.100.1, 10.9.9.9"}, "198.51.100.1"},
        {"two fields", "10.0.0.1", {"1.2.3.4", "198.51.100.1", "10.9.9.9"}, "198.51.100.1"},
        {"all trusted", "10.0.0.1", {"10.0.0.3, 10.0.0.2"}, "10.0.0.3"},
        {"nonsense is the end of what is believed", "10.0.0.1", {"198.51.100.1, unknown, 10.0.0.2"}, "10.0.0.2"},
        {"nonsense alone", "10.0.0.1", {"unknown"}, "10.0.0.1"},
        {"an empty place", "10.0.0.1", {"198.51.100.1, ,10.0.0.2"}, "198.51.100.1"},
        {"empty places at both ends", "10.0.0.1", {", 198.51.100.1,", ",10.0.0.2, ,"}, "198.51.100.1"},
        {"nothing but commas", "10.0.0.1", {" , ,"}, "10.0.0.1"},
        {"an empty field", "10.0.0.1", {""}, "10.0.0.1"},
        {"with ports", "10.0.0.1", {"198.51.100.1:4711,10.0.0.2:80"}, "198.51.100.1"},
        {"IPv6", "fd00::1", {"[2001:db8::1]:4711"}, "2001:db8::1"},
        {"an untrusted IPv6 peer", "2001:db8::2", {"10.0.0.1"}, "2001:db8::2"},
    };
    const auto trusted = networks({"10.0.0.0/8", "fd00::/8"});
    for (const auto& each : table)
        BOOST_TEST_CONTEXT(each.name)
        {
            http_fields fields;
            for (const auto& value : each.forwarded)
                fields.add("x-forwarded-for", value);
            BOOST_TEST((client_of(at(each.peer), fields, trusted) == at(each.client)));
            BOOST_TEST((client_of(at(each.peer), fields, {}) == at(each.peer)));
        }
}

BOOST_AUTO_TEST_SUITE_END()
